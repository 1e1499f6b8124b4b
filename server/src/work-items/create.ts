import type { Id, Input, Schemas } from '@millrace/api';
import { keepHashes } from '../duplicates/operations.ts';
import { Refusal, type ErrorDetail } from '../errors.ts';
import { columnText, recordProblems, valueOf } from '../models/record.ts';
import type { BatchContext, BatchOperation } from '../operation.ts';
import type { QueueDefinition } from '../queues/rules.ts';
import { dateOf, expiryOf } from './rules.ts';
import { sortKey } from './sort-key.ts';
import { insertItems, reserveIds, type NewItem } from './sql.ts';

const defaultPriority = 4;
const shownProblems = 100;

/** The items of one caller. */
interface Delivery {
  readonly actorId: Id;
  readonly items: readonly NewItem[];
}

export const createWorkItems: BatchOperation<'createWorkItems'> = async (context, calls) => {
  const { queue, now } = context;
  const deliveries = calls.map(({ actor, input }) => {
    const problems = problemsOf(queue, input.body.workItems);
    return (
      problems ?? { actorId: actor.id, items: input.body.workItems.map((item) => newItem(queue, item, now)) }
    );
  });
  const outcomes = await store(context, deliveries, 'createWorkItems');
  return outcomes.map((outcome) => (outcome instanceof Refusal ? outcome : { list: outcome }));
};

/** Stores items that were checked already, such as the rows of a file. @throws Refusal when there are duplicates. */
export async function storeItems(
  context: BatchContext,
  actorId: Id,
  items: readonly NewItem[],
  operation: string,
): Promise<void> {
  const [outcome] = await store(context, [{ actorId, items }], operation);
  if (outcome instanceof Refusal) throw outcome;
}

/** One outcome for each delivery: its items as stored, or why none of them was. */
async function store(context: BatchContext, deliveries: readonly (Delivery | Refusal)[], operation: string) {
  const { db, now, queue, woken } = context;
  const unique = queue.disallowDuplicate ? await withoutDuplicates(context, deliveries) : deliveries;
  const accepted = unique.filter((delivery): delivery is Delivery => !(delivery instanceof Refusal));
  const items = accepted.flatMap((delivery) =>
    delivery.items.map((item) => ({ ...item, actorId: delivery.actorId })),
  );
  if (items.length === 0) return unique.map((delivery) => (delivery instanceof Refusal ? delivery : []));
  const ids = await insertItems(db, queue.id, { items, operation }, now);
  const stored = items.map((item, index) => ({ ...item, id: ids[index] as Id }));
  woken.set(queue.id, (woken.get(queue.id) ?? 0) + stored.filter(({ status }) => status === 'NEW').length);
  let next = 0;
  return unique.map((delivery) => {
    if (delivery instanceof Refusal) return delivery;
    next += delivery.items.length;
    return stored.slice(next - delivery.items.length, next).map((item) => asCreated(queue, item, now));
  });
}

/** A delivery with a duplicate is refused as a whole; its other items are free to come again. */
async function withoutDuplicates({ db, queue }: BatchContext, deliveries: readonly (Delivery | Refusal)[]) {
  const kept: (Delivery | Refusal)[] = [];
  for (const delivery of deliveries) {
    if (delivery instanceof Refusal) kept.push(delivery);
    else kept.push(await withHashes(db, queue, delivery));
  }
  return kept;
}

async function withHashes(db: BatchContext['db'], queue: QueueDefinition, delivery: Delivery) {
  const ids = await reserveIds(db, delivery.items.length);
  const items = delivery.items.map((item, index) => ({ ...item, id: ids[index] as Id }));
  return (await keepHashes(db, queue, items)) ?? { ...delivery, items };
}

function problemsOf(queue: QueueDefinition, items: readonly Schemas['NewWorkItem'][]): Refusal | undefined {
  const details: ErrorDetail[] = [];
  for (const [index, { json }] of items.entries()) {
    for (const problem of recordProblems(queue.attributes, json)) details.push({ index, ...problem });
    if (details.length >= shownProblems) break;
  }
  const [first] = details;
  if (!first) return undefined;
  const what = `Item ${first.index}: ${first.field} ${first.message}. Nothing was created.`;
  return new Refusal('INVALID_REQUEST', what, { details: details.slice(0, shownProblems) });
}

/** An item on its way into the queue. */
export function newItem(
  queue: QueueDefinition,
  item: Input<'createWorkItems'>['body']['workItems'][number],
  now: Date,
): NewItem {
  const { json, priority = defaultPriority } = item;
  const notBefore = dateOf(item.deferredUntil);
  const isDeferred = notBefore !== undefined && notBefore > now;
  return {
    status: isDeferred ? 'DEFERRED' : 'NEW',
    priority,
    sortKey: sortKey(queue, priority, json, now),
    notBefore: isDeferred ? notBefore : undefined,
    expiresOn: expiryOf(queue, now),
    json,
  };
}

/** The item as reading it would answer it. */
function asCreated(
  queue: QueueDefinition,
  item: NewItem & { id: Id; actorId: Id },
  now: Date,
): Schemas['WorkItem'] {
  const { id, json, status, priority, expiresOn, notBefore, actorId } = item;
  const columns = queue.displayColumns.map((name, index) => [
    `col${index + 1}`,
    columnText(valueOf(json, name)),
  ]);
  const times = { deferredUntil: notBefore, expiresOn, createdOn: now, updatedOn: now };
  const core = { id, queueId: queue.id, json, status, version: 0, priority, retryCount: 0 };
  return {
    ...core,
    createdBy: actorId,
    updatedBy: actorId,
    ...times,
    ...Object.fromEntries(columns),
  } as never;
}
