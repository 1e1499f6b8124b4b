import type { Schemas } from '@millrace/api';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { duration } from '../page/time.tsx';
import { m } from './messages.ts';

interface Props {
  readonly stats: Schemas['QueueStats'];
}

/** The recently finished items, each number a link to them. */
export function Lately({ stats }: Props) {
  return (
    <>
      <Ended stats={stats} as="COMPLETE">
        {m.queues.lately.complete(stats.recent.complete)}
      </Ended>
      {', '}
      <Ended stats={stats} as="FAILED">
        {m.queues.lately.failed(stats.recent.failed)}
      </Ended>
    </>
  );
}

interface EndedProps extends Props {
  readonly as: 'COMPLETE' | 'FAILED';
  readonly children: ReactNode;
}

/** A figure about the items that ended so lately, as a link to them. */
export function Ended({ stats: { queueId, recent }, as, children }: EndedProps) {
  const q = `status:${as} endTime>now-${recent.minutes}m`;
  return (
    <Link to="/queues/$id" params={{ id: String(queueId) }} search={{ q }}>
      {children}
    </Link>
  );
}

/** For how long the oldest item has waited, as a link to those that wait, the oldest first. */
export function Oldest({ stats: { queueId, oldestWaitingSeconds } }: Props) {
  if (oldestWaitingSeconds === undefined) return undefined;
  const time = duration(oldestWaitingSeconds);
  return (
    <Link
      to="/queues/$id"
      params={{ id: String(queueId) }}
      search={{ q: 'status:NEW', sort: 'createdOn' }}
      aria-label={m.queues.oldestOf(time)}
    >
      {time}
    </Link>
  );
}

/** What lately ended, how much of it a minute, and for how long the oldest item has waited. */
export function Pace({ stats }: Props) {
  const { minutes, throughputPerMinute } = stats.recent;
  return (
    <span>
      {m.queues.inMinutes(minutes)} <Lately stats={stats} /> · {m.queues.perMinute(throughputPerMinute)}
      {stats.oldestWaitingSeconds !== undefined && (
        <>
          {' · '}
          {m.queues.oldest} <Oldest stats={stats} />
        </>
      )}
    </span>
  );
}
