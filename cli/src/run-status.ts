import type { RunnerEvent } from '@millrace/runner';

/** The present work of a runner, and counts of its past work. */
export interface RunStatus {
  readonly running: ReadonlySet<string>;
  readonly complete: number;
  readonly failed: number;
  readonly deferred: number;
  readonly givenBack: number;
  /** Taken away, or done without the server knowing. */
  readonly lost: number;
  /** The obstacle to its work, such as a server that is away. */
  readonly trouble: string;
}

export const idleStatus: RunStatus = {
  running: new Set(),
  complete: 0,
  failed: 0,
  deferred: 0,
  givenBack: 0,
  lost: 0,
  trouble: '',
};

type Changes = {
  readonly [T in RunnerEvent['type']]?: (
    status: RunStatus,
    event: Extract<RunnerEvent, { type: T }>,
  ) => RunStatus;
};

const lostOne = (status: RunStatus) => ({ ...status, lost: status.lost + 1 });

const changes: Changes = {
  claimed: (status, { items }) => ({
    ...status,
    running: new Set([...status.running, ...items.map(({ id }) => String(id))]),
    trouble: '',
  }),
  finished: (status, { report }) => ({ ...status, running: without(status.running, report.id) }),
  reported: (status, { report }) => ({ ...counted(status, report.status), trouble: '' }),
  leaseLost: (status, { id }) => lostOne({ ...status, running: without(status.running, id) }),
  reportRefused: lostOne,
  unreported: lostOne,
  retrying: (status, { call }) => ({ ...status, trouble: `waiting for the server (${call})` }),
};

/** The status after one more event. */
export function statusAfter(status: RunStatus, event: RunnerEvent): RunStatus {
  const change = changes[event.type] as ((before: RunStatus, by: RunnerEvent) => RunStatus) | undefined;
  return change?.(status, event) ?? status;
}

/** The status on one line. */
export function statusLine(queue: string, status: RunStatus, seconds: number): string {
  const { running, complete, failed, deferred, givenBack, lost, trouble } = status;
  const rate = seconds > 0 ? (complete + failed + deferred) / seconds : 0;
  const parts = [
    `${String(running.size)} running`,
    `${String(complete)} complete`,
    `${String(failed)} failed`,
    ...(deferred > 0 ? [`${String(deferred)} deferred`] : []),
    ...(givenBack > 0 ? [`${String(givenBack)} given back`] : []),
    ...(lost > 0 ? [`${String(lost)} lost`] : []),
    `${rate.toFixed(1)}/s`,
    ...(trouble === '' ? [] : [trouble]),
  ];
  return `${queue}  ${parts.join(' · ')}`;
}

function counted(status: RunStatus, outcome: string): RunStatus {
  if (outcome === 'COMPLETE') return { ...status, complete: status.complete + 1 };
  if (outcome === 'DEFERRED') return { ...status, deferred: status.deferred + 1 };
  if (outcome === 'NEW') return { ...status, givenBack: status.givenBack + 1 };
  return { ...status, failed: status.failed + 1 };
}

function without(running: ReadonlySet<string>, id: number | bigint): ReadonlySet<string> {
  return new Set([...running].filter((one) => one !== String(id)));
}
