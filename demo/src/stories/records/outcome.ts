import type { Client, Schemas } from '@millrace/api';

type Item = Schemas['WorkItem'];
type Timeline = readonly Pick<Schemas['WorkItemEvent'], 'operation' | 'actorId' | 'to'>[];

/** The outcome of the records. */
export interface Outcome {
  readonly total: number;
  readonly done: number;
  readonly failed: Readonly<Record<string, number>>;
  readonly retried: number;
  readonly unfinished: number;
  readonly itemsPerSecond: number;
  /** Seconds from creation to completion, for half of the items and for 99 in 100 at the most. */
  readonly p50: number;
  readonly p99: number;
}

const pageLength = 1000;

/** Reads all items of the queue, page by page. */
export async function readItems(client: Client, queueId: number): Promise<Item[]> {
  const items: Item[] = [];
  for (;;) {
    const page = { offset: items.length, length: pageLength };
    const { list } = await client.listWorkItems({ path: { id: queueId }, body: { page } });
    items.push(...list);
    if (list.length < pageLength) return items;
  }
}

/** Adds up the outcome of the items; `processingSeconds` is how long the runners were at work. */
export function sumUp(items: readonly Item[], processingSeconds: number): Outcome {
  const finished = items.filter(({ endTime }) => endTime !== undefined);
  const seconds = finished.map(secondsToCompletion).toSorted((a, b) => a - b);
  return {
    total: new Set(items.map(({ id }) => id)).size,
    done: finished.filter(({ status }) => status === 'COMPLETE').length,
    failed: countBy(
      finished.filter(({ status }) => status === 'FAILED').map(({ failureKind = '' }) => failureKind),
    ),
    retried: items.filter(({ retryCount = 0 }) => retryCount > 0).length,
    unfinished: items.length - finished.length,
    itemsPerSecond: finished.length / processingSeconds,
    p50: quantile(seconds, 0.5),
    p99: quantile(seconds, 0.99),
  };
}

/** The items that the server took back from a user, by their timelines. */
export async function readTakenBack(client: Client, items: readonly Item[], userId: number): Promise<Item[]> {
  const takenBack: Item[] = [];
  for (const item of items.filter(wasClaimedInVain)) {
    const path = { id: item.queueId as number, workItemId: item.id as number };
    const { list } = await client.listWorkItemEvents({ path });
    if (isTakenFrom(list, userId)) takenBack.push(item);
  }
  return takenBack;
}

/** Whether it was claimed more often than reported: a try is two versions. Of thousands of timelines only these are worth reading. */
function wasClaimedInVain({ version = 0, retryCount = 0 }: Item): boolean {
  return version > 2 + 2 * retryCount;
}

/** Whether a lease of this user has expired. */
export function isTakenFrom(timeline: Timeline, userId: number): boolean {
  let holder: unknown;
  for (const { operation, actorId, to } of timeline) {
    if (operation === 'returnLapsedItems' && holder === userId) return true;
    if (to === 'IN_PROGRESS') holder = actorId;
  }
  return false;
}

function secondsToCompletion({ createdOn = '', endTime = '' }: Item): number {
  return (Date.parse(endTime) - Date.parse(createdOn)) / 1000;
}

function countBy(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

/** The value that this share of the sorted values does not exceed. */
function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}
