import type { Schemas } from '@millrace/api';
import { Link } from '@tanstack/react-router';
import { m } from './messages.ts';
import css from './queues.module.css';

type Stats = Schemas['QueueStats'];

/** The numbers of a queue, each with the filter that lists the counted items. */
const figures = [
  { kind: 'all', of: allOf, q: undefined },
  { kind: 'waiting', of: (stats: Stats) => stats.counts.NEW, q: 'status:NEW' },
  { kind: 'running', of: (stats: Stats) => stats.counts.IN_PROGRESS, q: 'status:IN_PROGRESS' },
  { kind: 'failed', of: (stats: Stats) => stats.counts.FAILED, q: 'status:FAILED' },
  { kind: 'inDoubt', of: (stats: Stats) => stats.inDoubt, q: 'failureKind:IN_DOUBT' },
  { kind: 'deferred', of: (stats: Stats) => stats.counts.DEFERRED, q: 'status:DEFERRED' },
  { kind: 'done', of: (stats: Stats) => stats.counts.COMPLETE, q: 'status:COMPLETE' },
] as const;

function allOf({ counts }: Stats): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

/** The numbers of a queue's items: each leads to exactly the items that it counts. */
export function CountsBar({ id, stats }: { readonly id: string; readonly stats: Stats }) {
  return (
    <span className={css.counts}>
      {figures.map(({ kind, of, q }) => (
        <Link
          key={kind}
          to="/queues/$id"
          params={{ id }}
          search={{ q }}
          activeOptions={{ explicitUndefined: true, exact: true }}
          className={css.count}
          data-kind={kind}
          data-none={of(stats) === 0}
        >
          <b>{m.number(of(stats))}</b> {m.queues[kind]}
        </Link>
      ))}
    </span>
  );
}
