import { useQuery } from '@tanstack/react-query';
import { m } from './messages.ts';
import { levelsQuery, savedQuery } from './queries.ts';
import css from './levels.module.css';

/**
 * The number of service levels that are kept, and the savings of all queues; levels in danger are listed among the needs. Empty where there
 * is neither.
 */
export function Promises() {
  const { data: levels } = useQuery(levelsQuery());
  const { data: saved } = useQuery(savedQuery());
  if (!levels || !saved) return undefined;
  const kept = levels.list.filter(({ state }) => state === 'KEPT').length;
  if (kept === 0 && saved.page.total === 0) return undefined;
  const money = saved.sums.money.map((one) => m.levels.money(one.saved, one.currency));
  return (
    <section aria-label={m.levels.promises} className={css.promises}>
      <h2>{m.levels.promises}</h2>
      {kept > 0 && <p className="soft">{m.levels.kept(kept)}</p>}
      {saved.page.total > 0 && <p>{m.levels.allSaved(saved.sums.hours, money)}</p>}
    </section>
  );
}
