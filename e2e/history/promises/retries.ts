import { notesOf, type Happening } from '../record.ts';
import { endOf, isReport, transitionOf, type Case } from '../timelines.ts';

/** The number of an item's failures that count; a person who restarts it gives it all its retries again. */
function countedFailures(changes: readonly Happening[]): number {
  const restarted = changes.findLastIndex(isRestart);
  return changes.slice(restarted + 1).filter((one) => transitionOf(one) === 'retry').length;
}

function isRestart({ operation, from, to }: Happening): boolean {
  return operation === 'updateWorkItemStatus' && from === 'FAILED' && to === 'NEW';
}

/** Never more than the limit, and not fewer either: a technical failure is the last one only when no retry is left. */
export function boundedRetries({ stage, changes }: Case): string[] {
  const limits = new Map(stage.queues.map(({ id, retryLimit }) => [id, retryLimit]));
  return [...changes].flatMap(([id, list]) =>
    list.flatMap((change, index) => {
      const limit = limits.get(change.queueId ?? 0) ?? 0;
      const failed = countedFailures(list.slice(0, index + 1));
      const isRetry = transitionOf(change) === 'retry';
      if (isRetry && failed > limit)
        return [`item ${id} was tried again ${failed} times, and may be ${limit} times`];
      const isLast = transitionOf(change) === 'fail' && change.changes?.['failureKind'] === 'SYSTEM';
      return isLast && failed < limit ? [`item ${id} was given up after ${failed} retries of ${limit}`] : [];
    }),
  );
}

/** An attempt that ended by no fault of the item does not count: the count is that of the failures. */
export function fairCounts(known: Case): string[] {
  const miscounted = known.items.flatMap(({ id, retryCount }) => {
    const failures = countedFailures(known.changes.get(id) ?? []);
    return failures === retryCount ? [] : [`item ${id} counts ${retryCount} retries of ${failures}`];
  });
  const misjudged = notesOf(known, 'accepted').flatMap((grant) => {
    const end = endOf(known, grant);
    if (!end || !isReport(end) || end.to !== 'NEW') return [];
    const expected = grant.says === 'SYSTEM' ? 'retry' : 'giveBack';
    const what = `item ${grant.id} said ${grant.says} at version ${grant.version}`;
    return transitionOf(end) === expected
      ? []
      : [`${what}, which was taken for ${String(transitionOf(end))}`];
  });
  return [...miscounted, ...misjudged];
}

/** Lease expiries since a holder reported on the item, or a person had it go on. */
function expiriesInARow(changes: readonly Happening[]): number {
  const begun = changes.findLastIndex(
    (one) => isReport(one) || isRestart(one) || one.operation === 'resolveWorkItem',
  );
  return changes.slice(begun + 1).filter(isLeaseExpiry).length;
}

function isLeaseExpiry(change: Happening): boolean {
  return transitionOf(change) === 'lapse' || transitionOf(change) === 'exhaust';
}

/** An item whose holders keep dying fails when that has happened too often, and not before. */
export function boundedLeaseExpiries({ stage, changes }: Case): string[] {
  const limits = new Map(stage.queues.map(({ id, lapseLimit }) => [id, lapseLimit]));
  return [...changes].flatMap(([id, list]) =>
    list.flatMap((change, index) => {
      const limit = limits.get(change.queueId ?? 0) || Number.POSITIVE_INFINITY;
      const expiries = expiriesInARow(list.slice(0, index + 1));
      const isLast = transitionOf(change) === 'exhaust';
      const isRight = !isLeaseExpiry(change) || isLast === expiries >= limit;
      return isRight
        ? []
        : [`item ${id} ${isLast ? 'failed' : 'went on'} after ${expiries} lease expiries of ${limit}`];
    }),
  );
}
