import { isDeepStrictEqual } from 'node:util';
import type { Id, Status } from '@millrace/api';
import { raw, sql, type Db } from '../../engine/db.ts';
import type { Job } from '../../engine/job-loop.ts';
import { jsonLists } from '../../engine/json/write.ts';
import type { BatchContext, QueueDefinition } from '../../engine/operation.ts';
import { bytesBefore, portionBytes } from '../../engine/portions.ts';
import { postponedQueues } from '../../engine/postponed.ts';
import { millrace, recordEvents } from '../../journal/journal.ts';
import { selectEndOfItems, selectLastWithEvents } from '../../journal/rewrite.ts';
import { itemsAtOnce, resealEvents, resealItems } from '../item/reseal.ts';
import { readDefinition } from '../../queues/find.ts';
import { inPresentNames, isFormer, rankOf, type JsonRecord } from '../../records/record.ts';
import { hasValues, recordBytes, refreshValues, saveRecords } from '../../records/stored.ts';
import { arrivalIn, expiryOf, sortKey } from '../item/rules.ts';
import { asRow, portion } from '../item/sql.ts';

const pauseMs = 500;
const shortPauseMs = 20;

type JobContext = Parameters<Job['run']>[0];

/**
 * Adapts the items of queues to a changed order or expiry, a portion at a time while claims go on. Its whole state is in the database, so
 * any server can go on where another has stopped.
 */
export const reorderQueues: Job = {
  name: 'rekeyQueues',
  run: async (context) => {
    const queues = await lockQueuesToReorder(context.db, postponed.at(context.now));
    for (const { id } of queues.filter(({ isMarked }) => !isMarked)) await markWriters(context.db, id);
    const next = queues.find(({ isClear }) => isClear);
    if (next)
      await reorderPortion(context, next).catch((error: Error) =>
        postponed.postpone(context, next.id, error),
      );
    // A queue that waits for transactions is clear soon.
    return next ? 0 : queues.length > 0 ? shortPauseMs : pauseMs;
  },
};

const postponed = postponedQueues('a queue could not be brought to its order, and is tried again later');

async function reorderPortion(
  context: JobContext,
  { id, after, until, renewsExpiry }: Reordering,
): Promise<void> {
  const { db } = context;
  const queue = await readDefinition(context, id);
  if (!queue) return;
  // Items added from now on are in order already, so there is an end however many are added meanwhile.
  const last = until ?? (await selectLast(db, queue));
  const upTo = await selectEndOfEvents(db, queue, { after, until: last });
  const items = await reorderItems(context, queue, { after, until: upTo ?? last, renewsExpiry });
  // Deleted items have left their events.
  if (items === undefined && upTo !== undefined) await resealEvents(context, queue, { after, upTo });
  const done = items ?? upTo;
  if (done !== undefined) return saveReordered(db, id, { after: done, until: last });
  await endReordering(db, id);
  postponed.done(id);
  await recordEvents(context, id, [{ operation: 'rekeyQueues', actorId: millrace }]);
}

/** The newest item of a queue; where values in events may have to be encrypted too, possibly a deleted one. */
async function selectLast(db: Db, { id, sealer }: QueueDefinition): Promise<Id> {
  const [item, event] = [await selectLastItem(db, id), sealer ? await selectLastWithEvents(db, id) : 0];
  return item > event ? item : event;
}

/**
 * The item up to which the events of a queue are done next; undefined where none of them has to be encrypted, or no further item has any.
 */
async function selectEndOfEvents(
  db: Db,
  { id, sealer }: QueueDefinition,
  { after, until }: { after: Id; until: Id },
): Promise<Id | undefined> {
  if (!sealer || after >= until) return undefined;
  const end = await selectEndOfItems(db, id, { after, limit: itemsAtOnce });
  return end === undefined || end < until ? end : until;
}

/** The remaining items, after one and up to another, and whether they get a new expiry. */
interface Span {
  readonly after: Id;
  readonly until: Id;
  readonly renewsExpiry: boolean;
}

/**
 * Gives the next portion of a queue's items their place in its present order, all except completed ones: those that run, are deferred or
 * have failed may come back. The records of waiting and deferred ones get the present names of their attributes.
 * @returns the id of the last item done now; undefined when there was none left.
 */
async function reorderItems(
  context: Pick<BatchContext, 'db' | 'now' | 'wake' | 'log' | 'recordKey'>,
  queue: QueueDefinition,
  span: Span,
): Promise<Id | undefined> {
  const { db, now, wake } = context;
  const upTo = await selectPortionEnd(db, queue.id, span);
  if (upTo === undefined) return undefined;
  const { after, renewsExpiry } = span;
  // Deletions lock items before their values, and so does this: otherwise they would deadlock.
  if (queue.sealer ?? hasValues(queue)) await lockSpan(db, queue.id, { after, upTo });
  const locked = await lockOpenItems(db, queue.id, { after, upTo });
  const expiryFor = (item: OrderedItem) => (renewsExpiry ? renewedExpiry(queue, item, now) : item.expiresOn);
  const items = await readOrder(db, queue, locked, expiryFor);
  const misplaced = items.filter((item) => !isDeepStrictEqual(orderOfItem(item), item.order));
  await saveOrder(
    db,
    queue.id,
    misplaced.map(({ order }) => order),
  );
  const renamed = items.filter(({ status, modelVersion }) => isOpen(status) && isFormer(queue, modelVersion));
  const records = renamed.map(({ id, json }) => ({ id, json }));
  await saveRecords(db, queue, records, queue.modelVersion);
  if (queue.sealer) await resealItems(context, queue, { after, upTo });
  await refreshValues(db, queue, { after, upTo });
  // Consumers that came while these were locked found none.
  const waiting = items.filter(({ isClaimable }) => isClaimable).map(({ order }) => order);
  if (waiting.length > 0) wake(queue.id, waiting);
  return upTo;
}

/** Locked items with their records under the present names, and the order and expiry that they should have. */
async function readOrder(
  db: BatchContext['db'],
  queue: QueueDefinition,
  locked: readonly OrderedItem[],
  expiryFor: (item: OrderedItem) => Date | undefined,
) {
  // Read after the items are locked, so that no record is replaced in between.
  const ids = locked.map(({ id }) => id);
  const records = await selectRecords(db, queue.id, ids);
  const recordById = new Map(records.map(({ id, json }) => [id, json]));
  return locked.map((item) => {
    const json = inPresentNames(queue, recordById.get(item.id) ?? {}, item.modelVersion);
    const key = sortKey(item.priority, rankOf(queue, json), arrivalIn(item.sortKey));
    const order: ItemOrder = { id: item.id, sortKey: key, expiresOn: expiryFor(item) };
    return { ...item, json, order };
  });
}

/** The present expiry, counted from the arrival of an item; from now where it would be over already, so that no change fails items. */
function renewedExpiry(queue: QueueDefinition, item: OrderedItem, now: Date): Date | undefined {
  const expiresOn = expiryOf(queue, arrivalIn(item.sortKey));
  return expiresOn === undefined || expiresOn > now ? expiresOn : expiryOf(queue, now);
}

const orderOfItem = ({ id, sortKey: key, expiresOn }: OrderedItem): ItemOrder => ({
  id,
  sortKey: key,
  expiresOn,
});

/** Only open items get new names: those in progress keep the ones with which they were claimed, and finished ones are evidence. */
function isOpen(status: Status): boolean {
  return status === 'NEW' || status === 'DEFERRED';
}

/** A queue whose items are being adapted to its present order. */
interface Reordering {
  readonly id: Id;
  /** Items up to this id are done. */
  readonly after: Id;
  /** The last item to do; unknown until transactions that write by the former order have ended. */
  readonly until?: Id;
  /** Whether the transactions that may still write by the former order were noted. */
  readonly isMarked: boolean;
  /** Whether those transactions have ended, so that their items are visible. */
  readonly isClear: boolean;
  /** Whether its items also get its present expiry. */
  readonly renewsExpiry: boolean;
}

/** Queues to be reordered, locked against changes; those on which another server works, or that have failed here, are skipped. */
function lockQueuesToReorder(db: Db, failed: readonly Id[]): Promise<Reordering[]> {
  return db.rows<Reordering>(sql`
    select id, rekey_after as "after", rekey_until as "until", rekey_horizon is not null as "isMarked",
      coalesce(rekey_horizon <= pg_snapshot_xmin(pg_current_snapshot()), false) as "isClear",
      renews_expiry as "renewsExpiry"
    from queues where rekey_after is not null and id <> all(${failed}::bigint[]) order by id limit 10 for no key update skip locked`);
}

/** Notes that all transactions begun until now may still write by the former order. */
async function markWriters(db: Db, queueId: Id): Promise<void> {
  await db.rows(sql`
    update queues set rekey_horizon = pg_snapshot_xmax(pg_current_snapshot()) where id = ${queueId}`);
}

/** Stores the item up to which the queue is done, and the last one to do. */
async function saveReordered(db: Db, queueId: Id, { after, until }: { after: Id; until: Id }): Promise<void> {
  await db.rows(sql`update queues set rekey_after = ${after}, rekey_until = ${until} where id = ${queueId}`);
}

/** Notes that all items of the queue are in order. */
async function endReordering(db: Db, queueId: Id): Promise<void> {
  await db.rows(sql`
    update queues set rekey_after = null, rekey_horizon = null, rekey_until = null, renews_expiry = false where id = ${queueId}`);
}

/** The id of the newest item of a queue; 0 when there is none. */
async function selectLastItem(db: Db, queueId: Id): Promise<Id> {
  const row = await db.row<{ id: Id }>(sql`
    select id from work_items where queue_id = ${queueId} order by id desc limit 1`);
  return row?.id ?? 0;
}

/** The id at which the next portion of a span ends; undefined when there are no more items. */
async function selectPortionEnd(
  db: Db,
  queueId: Id,
  { after, until }: { after: Id; until: Id },
): Promise<Id | undefined> {
  const row = await db.row<{ upTo?: Id }>(sql`
    select max(id) as "upTo" from (
      select i.id, ${bytesBefore(recordBytes, raw('i.id'))} as before
      from work_items i join work_item_data d on d.queue_id = i.queue_id and d.item_id = i.id
      where i.queue_id = ${queueId} and i.id > ${after} and i.id <= ${until}
      order by i.id limit ${portion}) next
    where before < ${portionBytes}`);
  return row?.upTo;
}

/** An item without its record, with the members that decide its place in the order. */
interface OrderedItem {
  readonly id: Id;
  readonly priority: number;
  readonly sortKey: Buffer;
  readonly expiresOn?: Date;
  readonly status: Status;
  readonly modelVersion: number;
  readonly isClaimable: boolean;
}

/** Locks all items of a span, in the order of their ids as everywhere. */
async function lockSpan(db: Db, queueId: Id, { after, upTo }: { after: Id; upTo: Id }): Promise<void> {
  await db.row(sql`
    select count(*) from (
      select from work_items where queue_id = ${queueId} and id > ${after} and id <= ${upTo} order by id for no key update) i`);
}

/** The items of a span that may still be processed, locked in the order of their ids as everywhere. */
function lockOpenItems(
  db: Db,
  queueId: Id,
  { after, upTo }: { after: Id; upTo: Id },
): Promise<OrderedItem[]> {
  return db.rows<OrderedItem>(sql`
    select id, priority, sort_key as "sortKey", expires_on as "expiresOn", status, coalesce(model_version, 0) as "modelVersion",
      status = 'NEW' and not_before is null as "isClaimable"
    from work_items where queue_id = ${queueId} and id > ${after} and id <= ${upTo} and status <> 'COMPLETE'
    order by id for no key update`);
}

function selectRecords(db: Db, queueId: Id, ids: readonly Id[]): Promise<{ id: Id; json: JsonRecord }[]> {
  return db.rows(sql`
    select item_id as id, json from work_item_data where queue_id = ${queueId} and item_id = any(${ids}::bigint[])`);
}

/** The place of an item in the order of its queue, and its expiry. */
interface ItemOrder {
  readonly id: Id;
  readonly sortKey: Buffer;
  readonly expiresOn?: Date | undefined;
}

/** Stores the order of locked items. Neither version nor time of change is touched: for readers they are unchanged. */
async function saveOrder(db: Db, queueId: Id, orders: readonly ItemOrder[]): Promise<void> {
  for await (const list of jsonLists(orders, asRow))
    await db.rows(sql`
      with n as materialized (
        select found.place, moved.* from json_to_recordset(${list}::json)
          as moved (id bigint, "sortKey" bytea, "expiresOn" timestamptz)
        cross join lateral (
          select ctid as place from work_items w where w.queue_id = ${queueId} and w.id = moved.id offset 0) found)
      update work_items i set sort_key = n."sortKey", expires_on = n."expiresOn" from n where i.ctid = n.place`);
}
