import { signatureOf, type Id, type Schemas } from '@millrace/api';
import { freeKeys } from '../../duplicates/unique-keys.ts';
import { sql, type Db } from '../../engine/db.ts';
import { Refusal } from '../../engine/errors.ts';
import { eraseAnswers } from '../../engine/idempotency.ts';
import type { Attribute, Context, QueueDefinition, StepsOperation } from '../../engine/operation.ts';
import { recordEvents, recordOfAccess, recordOfQueue } from '../../journal/journal.ts';
import { eraseEvents, type Erased, type Erasing } from '../../journal/erase.ts';
import { selectEndOfItems, selectEventsOfItem, selectItemsOfEvents } from '../../journal/rewrite.ts';
import { findDeletedQueue, type DeletedQueue } from '../../queues/deleted.ts';
import { findOtherQueue } from '../../queues/find.ts';
import type { JsonRecord } from '../../records/record.ts';
import { digestOf } from '../../records/sealed.ts';
import { isMarked, isSealed, namesEver } from '../../records/sensitive.rules.ts';
import { areReady, attributeText, hasValues, refreshValues, replaceRecords } from '../../records/stored.ts';
import { forgetCauses, selectSignatures } from '../failures/remedies.ts';
import { lockItems } from '../item/sql.ts';
import { valueInFilter } from '../read/fields.ts';
import { readQueueHistory } from '../read/timeline.ts';

type Erasure = Schemas['Erasure'];
type WrittenEvent = Awaited<ReturnType<typeof selectEventsOfItem>>[number];
type Count = Omit<Schemas['ErasureOutcome']['queues'][number], 'queueId'>;

const thisOperation = 'eraseSensitiveValues';

export const eraseSensitiveValues: StepsOperation<'eraseSensitiveValues'> = async (
  { transact, signal },
  { body },
) => {
  const { dryRun = false, queueIds } = body;
  // Nothing is erased when one of the queues is refused.
  for (const queueId of queueIds) await transact((context) => queueOf(context, queueId, body));
  const queues: Schemas['ErasureOutcome']['queues'] = [];
  for (const queueId of queueIds) {
    let count: Count = { items: 0, events: 0, inProgress: 0 };
    for (let after: Id | undefined = 0; after !== undefined && !signal.aborted;) {
      const here: Id = after;
      const done: Portion = await transact((context) => erasePortion(context, queueId, body, here));
      count = sumOf([count, done]);
      after = done.next;
    }
    const total = count;
    if (!dryRun && total.items + total.events > 0)
      await transact((context) => recordErasure(context, queueId, body, total));
    queues.push({ queueId, ...total });
  }
  return { dryRun, ...sumOf(queues), queues };
};

function sumOf(counts: readonly Count[]): Count {
  const sum = (name: keyof Count) => counts.reduce((total, count) => total + count[name], 0);
  return { items: sum('items'), events: sum('events'), inProgress: sum('inProgress') };
}

async function recordErasure(
  context: Context,
  queueId: Id,
  { attribute, reason }: Erasure,
  count: Count,
): Promise<void> {
  const changes = { attribute, ...count };
  // A deleted queue has no further events.
  if (!(await findDeleted(context, queueId)))
    await recordOfQueue(context, queueId, { operation: thisOperation, reason, changes });
  await recordOfAccess(context, { operation: thisOperation, reason, changes: { queueId, ...changes } });
}

/** A queue, and the hash by which its items are found. */
interface Found {
  readonly queue: QueueDefinition | DeletedQueue;
  /** Undefined for a deleted queue: only its events are left. */
  readonly own: QueueDefinition | undefined;
  readonly attribute: Attribute;
  readonly hash: string;
}

/** @throws Refusal when the caller may not change the queue, or the value is not possible for the attribute there */
async function queueOf(context: Context, queueId: Id, { attribute: name, value }: Erasure): Promise<Found> {
  const deleted = await findDeleted(context, queueId);
  const own = deleted ? undefined : await findOtherQueue(context, queueId, 'edit', { archived: true });
  const queue = (deleted ?? own) as DeletedQueue | QueueDefinition;
  const attribute = queue.attributes.find((one) => one.name === name);
  if (!attribute || !isMarked(attribute) || !queue.sealer) throw notSensitive(queue, name);
  const wanted = valueInFilter(attribute, value);
  if (wanted === undefined)
    throw new Refusal('INVALID_REQUEST', `value must be a ${attribute.type} for ${name}.`);
  const isReady = deleted ? deleted.after === undefined : await areReady(context.db, queueId);
  if (!isReady) throw notReady(queue);
  return { queue, own, attribute, hash: digestOf(queue.sealer, attribute, wanted) };
}

/** A deleted queue, for users who manage all queues. */
async function findDeleted(context: Context, queueId: Id): Promise<DeletedQueue | undefined> {
  const { permissions, tenantId } = context.actor;
  return permissions.has('manageAllQueues') ? findDeletedQueue(context, tenantId, queueId) : undefined;
}

function notSensitive({ id, attributes }: Found['queue'], name: string): Refusal {
  const marked = attributes.filter(isMarked).map((one) => one.name);
  const known = marked.length > 0 ? `they are ${marked.join(', ')}` : 'it has none';
  const message = `names ${JSON.stringify(name)}, which is no attribute with a sensitivity in queue ${id}: ${known}`;
  return new Refusal('INVALID_REQUEST', `attribute ${message}.`, {
    details: [{ field: 'attribute', message }],
  });
}

function notReady({ id }: Found['queue']): Refusal {
  return new Refusal(
    'STATUS_CONFLICT',
    `The items of queue ${id} are being brought to a change of it or of its model, and not all can be found. Repeat this in a while.`,
    { retryAfter: 5 },
  );
}

const itemsAtOnce = 2000;

/** The counts of a portion, and its last item when there are more. */
type Portion = Count & { readonly next: Id | undefined };

/** Erases among the next items of a queue. */
async function erasePortion(context: Context, queueId: Id, body: Erasure, after: Id): Promise<Portion> {
  const { db } = context;
  const found = await queueOf(context, queueId, body);
  const { ids, last } = await selectMatching(db, found, after);
  const span = { after, upTo: last ?? Number.MAX_SAFE_INTEGER };
  const names = namesEver(found.attribute);
  const inEvents = await selectItemsOfEvents(db, queueId, span, { names, hash: found.hash });
  const items = await lockItems(db, queueId, ids);
  const idle = items.filter(({ status }) => status !== 'IN_PROGRESS').map(({ id }) => id);
  const busy = new Set(items.filter(({ status }) => status === 'IN_PROGRESS').map(({ id }) => id));
  const withEvents = [...new Set([...idle, ...inEvents.filter((id) => !busy.has(id))])];
  const signatures = await selectSignatures(db, queueId, idle);
  const { count: events, traces } = await eraseInEvents(context, found.queue, withEvents, body);
  for (const signature of signatures) tracesIn(traces, queueId).signatures.add(signature);
  if (!body.dryRun && withEvents.length > 0) {
    const { tenantId } = found.queue;
    if (found.own) await eraseItems(context, found.own, idle, body);
    await eraseTraces(context, tenantId, traces, erasingOf(context, body));
    await eraseAnswers(db, tenantId, { areSealed: true });
  }
  return { items: idle.length, events, inProgress: busy.size, next: last };
}

/**
 * The items of a portion that have the value, and the last item of the portion; undefined when there are no more. Deleted items count by
 * their events: there may be any number of them between two others.
 */
async function selectMatching(db: Db, { queue, attribute, hash }: Found, after: Id) {
  const end = await selectEndOfItems(db, queue.id, { after, limit: itemsAtOnce });
  const rows = await db.rows<{ id: Id; matches: boolean | undefined }>(sql`
    select i.id, ${attributeText(queue.attributes, attribute.name)} = ${hash} as matches
    from (select * from work_items where queue_id = ${queue.id} and id > ${after} and (id <= ${end}::bigint or ${end}::bigint is null)
      order by id limit ${itemsAtOnce}) i
    cross join lateral (
      select json from work_item_data where queue_id = ${queue.id} and item_id = i.id offset 0) d
    order by i.id`);
  const last = rows.length < itemsAtOnce ? end : rows.at(-1)?.id;
  return { ids: rows.filter(({ matches }) => matches).map(({ id }) => id), last };
}

// Erasures of this many events are recorded together.
const eventsAtOnce = 500;

const erasingOf = ({ actor }: Context, { reason }: Erasure): Erasing => ({
  operation: thisOperation,
  actorId: actor.id,
  reason,
});

/** Erases in the events of items, in all queues where they were; returns the number of those events, and other traces found in them. */
async function eraseInEvents(
  context: Context,
  { id: queueId, tenantId, attributes }: Found['queue'],
  itemIds: readonly Id[],
  body: Erasure,
): Promise<{ count: number; traces: TracesOfQueues }> {
  const erasing = erasingOf(context, body);
  const traces: TracesOfQueues = new Map();
  let count = 0;
  let open: Erased[] = [];
  for (const itemId of itemIds) {
    for (const part of await readQueueHistory(context.db, queueId, itemId)) {
      const events = await selectEventsOfItem(context.db, part.queueId, itemId);
      const { itemIds: ids, signatures } = tracesIn(traces, part.queueId);
      ids.push(itemId);
      for (const signature of events.flatMap(signaturesIn)) signatures.add(signature);
      const erased = events.flatMap((event) => erasedOf(attributes, part.queueId, event));
      count += erased.length;
      if (!body.dryRun) open.push(...erased);
    }
    if (open.length < eventsAtOnce) continue;
    await eraseEvents(context, tenantId, open, erasing);
    open = [];
  }
  await eraseEvents(context, tenantId, open, erasing);
  return { count, traces };
}

/** The rest of an event; empty where nothing has to be erased. */
function erasedOf(attributes: readonly Attribute[], queueId: Id, event: WrittenEvent): Erased[] {
  const { id, itemId } = event;
  const changes = withoutTraces(attributes, event);
  const isSame = changes === event.changes && !hasOwnReason(event);
  return isSame ? [] : [{ queueId, itemId, id, left: { changes } }];
}

async function eraseItems(
  context: Context,
  queue: QueueDefinition,
  ids: readonly Id[],
  { reason }: Erasure,
): Promise<void> {
  const { db, actor } = context;
  if (ids.length === 0) return;
  const records = await selectRecords(db, queue.id, ids);
  const erased = records.map(({ id, json }) => ({ id, json: withoutSensitive(queue.attributes, json) }));
  await replaceRecords(db, queue.id, erased);
  await eraseTexts(context, queue.id, ids);
  await freeKeys(db, queue.id, ids);
  if (hasValues(queue)) await refreshValues(db, queue, ids);
  const changes = { attributes: queue.attributes.filter(isMarked).map(({ name }) => name) };
  const event = { operation: thisOperation, actorId: actor.id, reason, changes };
  await recordEvents(
    context,
    queue.id,
    ids.map((itemId) => ({ ...event, itemId })),
  );
}

function selectRecords(db: Db, queueId: Id, ids: readonly Id[]) {
  return db.rows<{ id: Id; json: Record<string, unknown> }>(sql`
    select item_id as id, json from work_item_data where queue_id = ${queueId} and item_id = any(${ids}::bigint[])`);
}

/** Erases texts that bots and people wrote about the work, which may name the person concerned. */
async function eraseTexts({ db, actor, now }: Context, queueId: Id, ids: readonly Id[]): Promise<void> {
  await db.write(sql`
    update work_items set output = null, comment = null, error = null, error_signature = null, result_text = null, progress = null,
      version = version + 1, updated_by = ${actor.id}, updated_on = ${now}
    where queue_id = ${queueId} and id = any(${ids}::bigint[])`);
  await db.write(sql`
    delete from work_item_logs where queue_id = ${queueId} and item_id = any(${ids}::bigint[])`);
}

/** The record without the values of sensitive attributes, under any of their names, and without encrypted values. */
function withoutSensitive(attributes: readonly Attribute[], record: JsonRecord): JsonRecord {
  const names = new Set(attributes.filter(isMarked).flatMap(namesEver));
  const members = Object.entries(record).filter(([name, value]) => !names.has(name) && !isSealed(value));
  return Object.fromEntries(members);
}

// Texts of bots and people, which may name the person concerned.
const texts = ['output', 'outputBeginning', 'comment', 'error', 'resultText', 'progress', 'note'];

// Further members in the event of a late report, as they were sent.
const textsOfReports = [...texts, 'reason', 'tags'];

/** An event, with the members that contain texts. */
interface Written {
  readonly operation: string;
  readonly changes?: object;
  readonly reason?: string;
}

/** The changes of an event without sensitive contents; the same object where there are none. */
function withoutTraces(
  attributes: readonly Attribute[],
  { operation, changes }: Written,
): object | undefined {
  if (!changes) return undefined;
  const written = operation === 'lateReport' ? textsOfReports : texts;
  const { json } = changes as { json?: JsonRecord };
  const kept = json && withoutSensitive(attributes, json);
  const isBare = !kept || Object.keys(kept).length === Object.keys(json).length;
  if (isBare && !written.some((name) => Object.hasOwn(changes, name))) return changes;
  const members = Object.entries(changes).filter(([name]) => !written.includes(name) && name !== 'json');
  return { ...Object.fromEntries(members), ...(kept && { json: kept }) };
}

// The reasons for revealing and erasing values stay recorded.
const keptReasons: readonly string[] = ['eraseSensitiveValues', 'revealWorkItem'];

/** Whether an event has a reason that was written about the work. */
function hasOwnReason({ operation, reason }: Written): boolean {
  return reason !== undefined && !keptReasons.includes(operation);
}

/** The signatures of errors that an event may give for the failure of its item. */
function signaturesIn({ changes = {}, reason }: Written): string[] {
  const { error } = changes as { error?: unknown };
  return [error, reason].flatMap((text) => (typeof text === 'string' ? [signatureOf(text)] : []));
}

/** Other data of a queue that may name the person an item was about: the causes of failures, and the bulk actions that changed items. */
interface Traces {
  readonly itemIds: Id[];
  readonly signatures: Set<string>;
}

/** By queue, as items have been in several. */
type TracesOfQueues = Map<Id, Traces>;

/** The traces in a queue, to which more are added. */
function tracesIn(all: TracesOfQueues, queueId: Id): Traces {
  const traces = all.get(queueId) ?? { itemIds: [], signatures: new Set() };
  all.set(queueId, traces);
  return traces;
}

/** Erases the traces, once the items themselves have none of them any more. */
async function eraseTraces(
  context: Context,
  tenantId: Id,
  all: TracesOfQueues,
  erasing: Erasing,
): Promise<void> {
  for (const [queueId, { itemIds, signatures }] of all) {
    await renameBulkBatches(context.db, queueId, itemIds);
    await forgetCauses(context, { tenantId, queueId }, [...signatures], erasing);
  }
}

/** Renames the batches of bulk actions after the operation: their names contain the reasons. */
async function renameBulkBatches(db: Db, queueId: Id, itemIds: readonly Id[]): Promise<void> {
  if (itemIds.length === 0) return;
  const batches = await db.rows<{ id: Id; operation: string }>(sql`
    select e.batch_id as id, min(e.operation) as operation from events e
    where e.queue_id = ${queueId} and e.item_id = any(${itemIds}::bigint[]) and e.batch_id is not null
      and e.operation in ('updateWorkItemStatus', 'updateWorkItems')
    group by e.batch_id`);
  if (batches.length === 0) return;
  await db.write(sql`
    update batches b set name = r.operation
    from unnest(${batches.map(({ id }) => id)}::bigint[], ${batches.map(({ operation }) => operation)}::text[]) as r (id, operation)
    where b.queue_id = ${queueId} and b.id = r.id and b.source = 'BULK'`);
}
