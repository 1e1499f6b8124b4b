import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Text } from '../page/text.tsx';
import { Time } from '../page/time.tsx';
import { m } from './messages.ts';
import { LevelBadge } from './outlook.tsx';
import { levelsQuery, savedQuery } from './queries.ts';
import css from './levels.module.css';

const shown = 10;

/** The promises that are broken or at risk, the most urgent first, and what all queues saved. Nothing where nobody promised, nor saved. */
export function Promises() {
  const { data: levels } = useQuery(levelsQuery());
  const { data: saved } = useQuery(savedQuery());
  if (!levels || !saved || (levels.list.length === 0 && saved.page.total === 0)) return undefined;
  const urgent = levels.list.filter(({ state }) => state !== 'KEPT');
  const kept = levels.list.length - urgent.length;
  const money = saved.sums.money.map((one) => m.levels.money(one.saved, one.currency));
  return (
    <section aria-label={m.levels.promises} className={css.promises}>
      <h2>{m.levels.promises}</h2>
      <ul>
        {urgent.slice(0, shown).map(({ queueId, queueName, state, stateOn, forecast }) => (
          <li key={String(queueId)} data-state={state}>
            <LevelBadge state={state} />
            <span>
              <Link to="/queues/$id/level" params={{ id: String(queueId) }}>
                <Text>{queueName}</Text>
              </Link>{' '}
              <Text>{forecast?.sentence ?? ''}</Text>
            </span>
            <Time on={stateOn} />
          </li>
        ))}
      </ul>
      {urgent.length > shown && <p>{m.levels.more(urgent.length - shown)}</p>}
      {kept > 0 && <p className="soft">{m.levels.kept(kept)}</p>}
      {saved.page.total > 0 && <p>{m.levels.allSaved(saved.sums.hours, money)}</p>}
    </section>
  );
}
