import type { Status } from '@millrace/api';
import type { Fold } from './fold.ts';

/** An answer in the cache: its operation, and the queue or item that it is about. */
export interface Read {
  readonly operationId: string;
  /** The id in its path, which is a queue's where the operation is about one. */
  readonly queueId: string | undefined;
  readonly itemId: string | undefined;
}

export interface Effect {
  /** The time until it is asked for again. */
  readonly seconds: number;
  /** The changes of its counters until then. */
  readonly counts?: Readonly<Partial<Record<Status, number>>>;
}

/** Operations that sum up the items of one queue or of all: seconds from a change of items until they are asked for again. */
const sums: Record<string, number> = {
  getQueueStats: 15,
  listQueueStats: 5,
  explainQueue: 5,
  listDoubts: 2,
  listFailureClusters: 5,
  listDeviceWork: 2,
  getBatch: 2,
  countEvents: 15,
  explainDevice: 5,
  explainAutomation: 5,
};

/** Operations on one item. */
const ofItem = new Set(['getWorkItem', 'explainWorkItem', 'listWorkItemEvents']);
const secondsOfItem = 0.5;

/** The nouns in names of operations, longer ones first; a change of one refreshes every answer about it. */
const nouns = [
  'FailureCluster',
  'WorkItemModel',
  'Calendar',
  'Automation',
  'Device',
  'Pool',
  'Queue',
  'User',
  'Role',
  'ApiKey',
  'Session',
  'Upload',
  'Batch',
];
const secondsOfOthers = 0.5;

/** The effect of events on an answer in the cache; undefined for none. A list of items looks after itself. */
export function effectOn({ operationId, queueId, itemId }: Read, fold: Fold): Effect | undefined {
  if (ofItem.has(operationId)) return isNamed(fold, queueId, itemId) ? { seconds: secondsOfItem } : undefined;
  if (operationId === 'listWorkItems') return undefined;
  const noun = nounOf(operationId);
  if (noun && fold.operations.some((done) => nounOf(done) === noun || decides(done, operationId)))
    return { seconds: secondsOfOthers };
  const seconds = sums[operationId];
  if (seconds === undefined) return undefined;
  if (queueId === undefined || !operationId.includes('Queue'))
    return Object.keys(fold.queues).length > 0 ? { seconds } : undefined;
  const queue = fold.queues[queueId];
  return queue && { seconds, ...(operationId === 'getQueueStats' && { counts: queue.counts }) };
}

function isNamed(fold: Fold, queueId = '', itemId = ''): boolean {
  const items = fold.queues[queueId]?.items;
  return items === 'many' || items?.includes(itemId) === true;
}

function nounOf(operation: string): string | undefined {
  return nouns.find((noun) => operation.includes(noun));
}

/** Explanations depend on automations, devices and users as well, and what is promised of queues on calendars. */
function decides(done: string, operationId: string): boolean {
  if (done.includes('Calendar')) return /Level|Forecast/.test(operationId);
  return operationId.startsWith('explain') && /Automation|Device|Pool|User/.test(done);
}
