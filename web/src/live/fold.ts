import type { Schemas, Status } from '@millrace/api';

type Event = Pick<Schemas['Event'], 'queueId' | 'itemId' | 'operation' | 'from' | 'to'>;

/** The events of a short while, summed up for the pages: small, however many they were. */
export interface Fold {
  /** By the id of the queue. */
  readonly queues: Readonly<Record<string, QueueFold>>;
  /** Operations on other things than items, such as pauseQueue or quarantineDevice. */
  readonly operations: readonly string[];
}

interface QueueFold {
  /** The change in the number of items of each status. */
  readonly counts: Readonly<Partial<Record<Status, number>>>;
  /** The changed items; `many` when they were too many to name. */
  readonly items: readonly string[] | 'many';
}

/** The most items of a queue that a fold names: no more than one filter can ask for. */
const most = 90;

/** Folds events, in the order in which they came. */
export function fold(events: readonly Event[]): Fold {
  const queues: Record<string, { counts: Partial<Record<Status, number>>; items: Set<string> }> = {};
  const operations = new Set<string>();
  for (const { queueId, itemId, operation, from, to } of events) {
    if (queueId === undefined || itemId === undefined) {
      operations.add(operation);
      continue;
    }
    const queue = (queues[String(queueId)] ??= { counts: {}, items: new Set() });
    queue.items.add(String(itemId));
    if (from) queue.counts[from] = (queue.counts[from] ?? 0) - 1;
    if (to) queue.counts[to] = (queue.counts[to] ?? 0) + 1;
  }
  return { queues: mapped(queues), operations: [...operations] };
}

function mapped(
  queues: Record<string, { counts: QueueFold['counts']; items: Set<string> }>,
): Record<string, QueueFold> {
  const entries = Object.entries(queues).map(([id, { counts, items }]): [string, QueueFold] => [
    id,
    { counts, items: items.size > most ? 'many' : [...items] },
  ]);
  return Object.fromEntries(entries);
}
