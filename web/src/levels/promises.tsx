import { useQuery } from '@tanstack/react-query';
import { m } from './messages.ts';
import { levelsQuery, savedQuery } from './queries.ts';
import css from './levels.module.css';

/** How many promises are kept, and what all queues saved; the others need a person. Nothing where nobody promised, nor saved. */
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
