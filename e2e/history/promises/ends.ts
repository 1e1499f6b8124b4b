import { isGone, type Case } from '../timelines.ts';

const waiting = ['NEW', 'DEFERRED', 'FAILED'];
const pairs = (from: readonly string[], to: readonly string[]) =>
  from.flatMap((one) => to.map((other) => `${one} to ${other}`));

/** The changes of status that each operation may make; participants of these histories need no others. */
const steps: Record<string, readonly string[]> = {
  createWorkItems: ['nothing to NEW', 'nothing to DEFERRED'],
  createWorkItemsFromFile: ['nothing to NEW'],
  claimWorkItems: ['NEW to IN_PROGRESS'],
  requestWork: ['NEW to IN_PROGRESS'],
  updateWorkItem: ['NEW to IN_PROGRESS'],
  finishWorkItems: pairs(['IN_PROGRESS'], ['COMPLETE', 'FAILED', 'NEW', 'DEFERRED']),
  returnLapsedItems: pairs(['IN_PROGRESS'], ['NEW', 'FAILED']),
  quarantineDevice: pairs(['IN_PROGRESS'], ['NEW', 'FAILED']),
  promoteDueItems: ['DEFERRED to NEW'],
  resolveWorkItem: pairs(['FAILED'], ['COMPLETE', 'NEW', 'FAILED']),
  updateWorkItemStatus: pairs(waiting, ['NEW', 'DEFERRED', 'COMPLETE', 'FAILED', 'nothing']),
};

export function explainedItems({ items, changes }: Case): string[] {
  const ids = new Set(items.map(({ id }) => id));
  const ghosts = [...changes].filter(([id, list]) => ids.has(id) === isGone(list));
  const gaps = [...changes].flatMap(([id, list]) =>
    list.flatMap(({ operation, from, to }, index) => {
      const before = list[index - 1]?.to;
      const step = `${from ?? 'nothing'} to ${to ?? 'nothing'}`;
      if (from === before && steps[operation]?.includes(step)) return [];
      return [`item ${id} was ${before ?? 'not there'}, then ${operation} led from ${step}`];
    }),
  );
  const ends = items
    .filter(({ id, status }) => changes.get(id)?.at(-1)?.to !== status)
    .map(({ id, status }) => `item ${id} is ${status}, and its events end otherwise`);
  return [...ghosts.map(([id]) => `item ${id} is there, or is not, against its events`), ...gaps, ...ends];
}

const statuses = ['NEW', 'IN_PROGRESS', 'COMPLETE', 'FAILED', 'DEFERRED'];

export function trueCounts({ items, counts }: Case): string[] {
  return [...counts].flatMap(([queueId, counted]) =>
    statuses.flatMap((status) => {
      const real = items.filter((item) => item.queueId === queueId && item.status === status).length;
      const name = `queue ${queueId} counts ${counted[status]} as ${status}`;
      return counted[status] === real ? [] : [`${name}, and has ${real}`];
    }),
  );
}

/** Everything is over when the workers are well again, and no slot is taken by an ended item. */
export function endedItems({ items, busySlots }: Case): string[] {
  const stuck = items
    .filter(({ status }) => status !== 'COMPLETE' && status !== 'FAILED')
    .map(({ id, status }) => `item ${id} is left ${status}`);
  const taken = [...busySlots]
    .filter(([, busy]) => busy !== 0)
    .map(([device, busy]) => `device ${device} uses ${busy} slots for nothing`);
  return [...stuck, ...taken];
}
