import type { Id, Schemas } from '@millrace/api';
import { useSuspenseQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Text } from '../page/text.tsx';
import { duration } from '../page/time.tsx';
import { CountsBar } from '../queues/counts.tsx';
import { QueueState } from '../queues/state.tsx';
import { Trend, withTrend } from '../queues/trend.tsx';
import { m } from './messages.ts';
import { statesQuery } from './queries.ts';
import { worstQueuesFirst } from './rules.ts';
import css from './overview.module.css';

type Stats = Schemas['QueueStats'];

const shown = 100;

interface QueuesProps {
  readonly stats: readonly Stats[];
  /** Why queues stand still that need somebody. */
  readonly sentences: ReadonlyMap<Id, string>;
}

/** The queues, worst first, each figure a link to what it counts. */
export function Queues({ stats, sentences }: QueuesProps) {
  const { data: queues } = useSuspenseQuery(statesQuery());
  const rows = worstQueuesFirst(stats, new Set(sentences.keys()));
  return (
    <section aria-label={m.overview.queues}>
      <h2>{m.overview.queues}</h2>
      {rows.length === 0 && <p>{m.overview.noQueues}</p>}
      {rows.length > 0 && (
        <div className={css.scroll}>
          <table className={`${css.table} stacked`}>
            <thead>
              <tr>
                <th>{m.overview.queueName}</th>
                <th>{m.overview.counts}</th>
                <th>{m.overview.recent}</th>
                <th>{m.queues.trend}</th>
                <th>{m.overview.oldest}</th>
              </tr>
            </thead>
            <tbody>
              {rows.slice(0, shown).map((one, index) => (
                <Row
                  key={String(one.queueId)}
                  stats={one}
                  queue={queues.list.find(({ id }) => id === one.queueId)}
                  sentence={sentences.get(one.queueId)}
                  hasTrend={index < withTrend}
                />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {rows.length > shown && <Link to="/queues">{m.overview.more(rows.length - shown)}</Link>}
    </section>
  );
}

interface RowProps {
  readonly stats: Stats;
  readonly queue: Schemas['Queue'] | undefined;
  readonly sentence: string | undefined;
  readonly hasTrend: boolean;
}

function Row({ stats, queue, sentence, hasTrend }: RowProps) {
  const { queueId, queueName, recent, oldestWaitingSeconds } = stats;
  return (
    <tr>
      <th scope="row">
        <Link to="/queues/$id" params={{ id: String(queueId) }}>
          <Text>{queueName}</Text>
        </Link>{' '}
        {queue && <QueueState queue={queue} />}
        {sentence && queue?.status === 'ACTIVE' && (
          <small>
            <Text>{sentence}</Text>
          </small>
        )}
      </th>
      <td>
        <CountsBar id={String(queueId)} stats={stats} />
      </td>
      <td>{m.overview.lately(recent.complete, recent.failed)}</td>
      <td>{hasTrend && <Trend queueId={queueId} />}</td>
      <td>{oldestWaitingSeconds !== undefined && duration(oldestWaitingSeconds)}</td>
    </tr>
  );
}
