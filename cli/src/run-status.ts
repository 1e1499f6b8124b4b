import type { RunnerEvent } from '@millrace/runner';

/** What a runner does just now, and what it has done. */
export interface RunStatus {
  readonly running: ReadonlySet<string>;
  readonly complete: number;
  readonly failed: number;
  readonly deferred: number;
  readonly givenBack: number;
  /** Taken away, or done without the server knowing. */
  readonly lost: number;
  /** What keeps it from working, such as a server that is away. */
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

/** The status after one more event. */
export function statusAfter(status: RunStatus, event: RunnerEvent): RunStatus {
  switch (event.type) {
    case 'claimed':
      return {
        ...status,
        running: new Set([...status.running, ...event.items.map(({ id }) => String(id))]),
        trouble: '',
      };
    case 'finished':
      return { ...status, running: without(status.running, event.report.id) };
    case 'reported':
      return { ...counted(status, event.report.status), trouble: '' };
    case 'leaseLost':
      return { ...status, running: without(status.running, event.id), lost: status.lost + 1 };
    case 'reportRefused':
    case 'unreported':
      return { ...status, lost: status.lost + 1 };
    case 'retrying':
      return { ...status, trouble: `waiting for the server (${event.call})` };
    case 'connected':
    case 'registered':
    case 'deviceState':
    case 'progress':
    case 'log':
    case 'note':
    case 'cancelled':
    case 'draining':
    case 'stopped':
      return status;
  }
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
