import type { Draft } from './draft.ts';
import type { FinalItem, Grant, Happening, Note, Says, Stage } from './record.ts';

/** Users: a producer, two consumers, the device's user, and a person. */
export const [olga, cid, cora, alma] = [2, 4, 5, 3];
const dan = 6;
export const stan = 7;
/** Consumers claim from the first, the device is given items from the second. */
export const [claimed, given] = [1, 2];
export const device = 9;
export const [first, second] = [21, 22];
export const [sap1, sap2] = [31, 32];

/** The items, by their fate. */
export const [retried, expired, unresolved, cancelled, deleted, returned] = [101, 102, 103, 104, 105, 106];

const stage: Stage = {
  queues: [
    { id: claimed, retryLimit: 1, lapseLimit: 2 },
    { id: given, retryLimit: 1, lapseLimit: 0 },
  ],
  devices: [{ id: device, slots: 2, labels: ['sap', 'germany'] }],
  strangerIds: [stan],
  automations: [
    { id: first, queueId: given, deviceIds: [device], labels: ['sap'], runAsUserIds: [sap1, sap2] },
    { id: second, queueId: given, deviceIds: [device], labels: [], runAsUserIds: [sap1] },
  ],
};

type Line = Omit<Happening, 'id' | 'at'>;

function line(itemId: number, by: number, operation: string, more: Partial<Line>): Line {
  const queueId = itemId < unresolved ? claimed : given;
  return { queueId, itemId, operation, by, ...(by === dan && { device }), ...more };
}

const create = (itemId: number, to = 'NEW') => line(itemId, olga, 'createWorkItems', { to });
const inFile = (itemId: number) => line(itemId, olga, 'createWorkItemsFromFile', { to: 'NEW' });
const grant = (itemId: number, by: number) =>
  line(itemId, by, by === dan ? 'requestWork' : 'claimWorkItems', { from: 'NEW', to: 'IN_PROGRESS' });
const finish = (itemId: number, by: number, to: string, changes?: Line['changes']) =>
  line(itemId, by, 'finishWorkItems', { from: 'IN_PROGRESS', to, ...(changes && { changes }) });
const bulk = (itemId: number, from: string, to?: string) =>
  line(itemId, alma, 'updateWorkItemStatus', { ...(from && { from }), ...(to && { to }) });

/** In the order of the record: each happens one second after the one before. */
const lines: readonly Line[] = [
  { operation: 'createQueue', queueId: claimed, by: olga },
  create(retried),
  create(expired, 'DEFERRED'),
  inFile(unresolved),
  inFile(cancelled),
  create(deleted),
  create(returned),
  grant(retried, cid),
  finish(retried, cid, 'NEW', { transition: 'retry', failureKind: 'SYSTEM' }),
  line(expired, 0, 'promoteDueItems', { from: 'DEFERRED', to: 'NEW' }),
  grant(expired, cid),
  line(expired, 0, 'returnLapsedItems', {
    from: 'IN_PROGRESS',
    to: 'NEW',
    changes: { transition: 'lapse', leaseExpiresOn: '1970-01-01T00:00:12.000Z' },
  }),
  line(expired, cora, 'updateWorkItem', { from: 'NEW', to: 'IN_PROGRESS' }),
  line(expired, cid, 'lateReport', { changes: { version: 2, status: 'COMPLETE' } }),
  finish(expired, cora, 'FAILED', { transition: 'fail', failureKind: 'BUSINESS' }),
  grant(retried, cora),
  finish(retried, cora, 'COMPLETE'),
  grant(unresolved, dan),
  grant(cancelled, dan),
  line(unresolved, dan, 'heartbeatWorkItems', { from: 'IN_PROGRESS', to: 'IN_PROGRESS' }),
  bulk(cancelled, 'IN_PROGRESS', 'IN_PROGRESS'),
  finish(cancelled, dan, 'FAILED', { transition: 'stop', failureKind: 'BUSINESS' }),
  finish(unresolved, dan, 'FAILED', { transition: 'doubt', failureKind: 'IN_DOUBT' }),
  line(unresolved, alma, 'resolveWorkItem', { from: 'FAILED', to: 'NEW' }),
  bulk(deleted, 'NEW', 'DEFERRED'),
  { ...bulk(deleted, 'DEFERRED'), changes: { movedTo: claimed } },
  { ...bulk(deleted, '', 'DEFERRED'), queueId: claimed, changes: { movedFrom: given } },
  { ...bulk(deleted, 'DEFERRED'), queueId: claimed },
  { operation: 'drainDevice', by: alma, device },
  grant(returned, dan),
  finish(returned, dan, 'NEW', { transition: 'giveBack' }),
  grant(returned, dan),
  finish(returned, dan, 'COMPLETE'),
  grant(unresolved, dan),
  finish(unresolved, dan, 'COMPLETE'),
  { operation: 'logIn', by: stan },
];

/** A right to an item from its grant to the answer to its report. */
function work(right: Grant & { readonly runAs?: number }, says: Says): Note[] {
  const { by, id, version } = right;
  const said = { by, id, version, says };
  return [
    { note: 'granted', ...right, ...(by === dan && { device }) },
    { note: 'reporting', ...said },
    { note: 'accepted', ...said, versionAfter: version + 1 },
  ];
}

const logs: readonly (readonly Note[])[] = [
  [
    { note: 'creating', keys: ['a', 'b', 'e'] },
    ...[retried, expired, deleted].map((id, index): Note => {
      return { note: 'created', id, key: 'abe'.charAt(index) };
    }),
    // Neither of these was answered; one of the items exists.
    { note: 'creating', keys: ['f'] },
    { note: 'creating', keys: ['g'] },
  ],
  [
    ...work({ by: cid, id: retried, version: 1 }, 'SYSTEM'),
    { note: 'granted', by: cid, id: expired, version: 2 },
    { note: 'kept', by: cid, id: expired, version: 2 },
    { note: 'reporting', by: cid, id: expired, version: 2, says: 'COMPLETE' },
    { note: 'refused', by: cid, id: expired, version: 2, says: 'COMPLETE', code: 'LATE_REPORT' },
  ],
  [
    ...work({ by: cora, id: expired, version: 4 }, 'BUSINESS'),
    ...work({ by: cora, id: retried, version: 3 }, 'COMPLETE'),
  ],
  [
    ...work({ by: dan, id: unresolved, version: 1, runAs: sap1 }, 'SYSTEM'),
    { note: 'passed', by: dan, id: unresolved, version: 1 },
    ...work({ by: dan, id: cancelled, version: 1, runAs: sap2 }, 'DEFERRED'),
    ...work({ by: dan, id: returned, version: 1, runAs: sap1 }, 'NEW'),
    ...work({ by: dan, id: unresolved, version: 4, runAs: sap1 }, 'COMPLETE'),
  ],
  [
    { note: 'released', target: `automation ${first}`, at: 0 },
    { note: 'held', target: `automation ${second}`, at: 0 },
    { note: 'holding', target: `device ${device}`, at: 28_500 },
    { note: 'held', target: `device ${device}`, at: 29_100 },
    { note: 'releasing', target: `device ${device}`, at: 29_900 },
    { note: 'released', target: `device ${device}`, at: 29_950 },
  ],
  [
    ...['CANCEL', 'DEFER', 'MOVE', 'DELETE'].flatMap((action): Note[] => [
      { note: 'doing', by: alma, action },
      { note: 'done', by: alma, action, changed: 1 },
    ]),
    { note: 'answering', id: unresolved, version: 2, answer: 'NOT_DONE' },
  ],
  [{ note: 'denied', by: stan, operation: 'claimWorkItems' }],
  [
    // Sent again, as the first time was not answered; the other file was cut.
    { note: 'uploading', keys: ['c', 'd'] },
    { note: 'uploading', keys: ['c', 'd'] },
    { note: 'uploaded', keys: ['c', 'd'] },
    { note: 'uploading', keys: ['w'] },
  ],
];

const items: readonly FinalItem[] = [
  { id: retried, queueId: claimed, key: 'a', status: 'COMPLETE', version: 4, retryCount: 1 },
  { id: expired, queueId: claimed, key: 'b', status: 'FAILED', version: 5, retryCount: 0 },
  { id: unresolved, queueId: given, key: 'c', status: 'COMPLETE', version: 5, retryCount: 0 },
  { id: cancelled, queueId: given, key: 'd', status: 'FAILED', version: 2, retryCount: 0 },
  { id: returned, queueId: given, key: 'g', status: 'COMPLETE', version: 4, retryCount: 0 },
];

/** A history in which every promise is kept; the last grant of one item was never answered. */
export function honestHistory(): Draft {
  const record = lines.map((one, index) => ({ id: index + 1, ...one, at: 1000 * (index + 1) }));
  const timelines = items.map(({ id }): [number, number[]] => {
    return [id, record.filter(({ itemId }) => itemId === id).map((one) => one.id)];
  });
  const none = { NEW: 0, IN_PROGRESS: 0, COMPLETE: 0, FAILED: 0, DEFERRED: 0 };
  return {
    stage,
    logs: logs.map((log) => [...log]),
    items: [...items],
    record,
    feed: record.map(({ at: _, ...one }) => ({ ...one, cursor: `${700 + one.id}-${one.id}` })),
    timelines: new Map(timelines),
    counts: new Map([
      [claimed, { ...none, COMPLETE: 1, FAILED: 1 }],
      [given, { ...none, COMPLETE: 2, FAILED: 1 }],
    ]),
    busySlots: new Map([[device, 0]]),
  };
}
