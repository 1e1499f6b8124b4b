import type { Schemas } from '@millrace/api';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Text } from '../page/text.tsx';
import { duration } from '../page/time.tsx';
import { CountsBar } from './counts.tsx';
import { m } from './messages.ts';
import { statsQuery } from './queries.ts';
import { QueueState } from './state.tsx';
import { Trend, withTrend } from './trend.tsx';
import css from './queues.module.css';

type Queue = Schemas['Queue'];

export function QueueTable({ queues }: { readonly queues: readonly Queue[] }) {
  return (
    <div className={css.scroll}>
      <table className={css.table}>
        <thead>
          <tr>
            <th>{m.queues.name}</th>
            <th>{m.queues.state}</th>
            <th>{m.queues.counts}</th>
            <th className={css.number}>{m.queues.rate}</th>
            <th>{m.queues.trend}</th>
            <th className={css.number}>{m.queues.oldest}</th>
          </tr>
        </thead>
        <tbody>
          {queues.map((queue, index) => (
            <Row key={String(queue.id)} queue={queue} hasTrend={index < withTrend} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ queue, hasTrend }: { readonly queue: Queue; readonly hasTrend: boolean }) {
  const { data: stats } = useQuery(statsQuery(queue.id ?? 0));
  return (
    <tr>
      <th scope="row">
        <Link to="/queues/$id" params={{ id: String(queue.id) }}>
          <Text>{queue.name ?? ''}</Text>
        </Link>
        {queue.description && (
          <small>
            <Text>{queue.description}</Text>
          </small>
        )}
      </th>
      <td>
        <QueueState queue={queue} />
      </td>
      <td>{stats && <CountsBar id={String(queue.id)} stats={stats} />}</td>
      <td className={css.number}>{stats && m.number(stats.recent.throughputPerMinute)}</td>
      <td>{hasTrend && <Trend queueId={queue.id ?? 0} />}</td>
      <td className={css.number}>
        {stats?.oldestWaitingSeconds !== undefined && duration(stats.oldestWaitingSeconds)}
      </td>
    </tr>
  );
}
