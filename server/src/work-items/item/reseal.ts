/** Adapts stored data of items to the marks of their model, to the newest key of their tenant, or to another queue. */
import { signatureOf, type Id } from '@millrace/api';
import { sql, type Db, type Sql } from '../../engine/db.ts';
import { jsonLists } from '../../engine/json/write.ts';
import type { Context, Log, QueueDefinition } from '../../engine/operation.ts';
import { eraseEvents, type Erased } from '../../journal/erase.ts';
import { millrace } from '../../journal/journal.ts';
import { selectChangesOfItems } from '../../journal/rewrite.ts';
import type { JsonRecord } from '../../records/record.ts';
import { resealed, resealedOutput, type Sealing } from '../../records/sealed.ts';
import { withoutValues } from '../../records/sensitive.rules.ts';
import { replaceRecords } from '../../records/stored.ts';

type Writing = Pick<Context, 'db' | 'now' | 'wake' | 'log' | 'recordKey'>;

/** The audit record of events that were encrypted again. */
const resealing = {
  operation: 'rekeyQueues',
  actorId: millrace,
  reason: 'Sensitive values were encrypted anew.',
};

/** The items with ids after one and up to another. */
interface Span {
  readonly after: Id;
  readonly upTo: Id;
}

/** Adapts records, outputs and events of items to the present marks of their queue. Those already adapted stay untouched. */
export async function resealItems(
  context: Writing,
  queue: QueueDefinition,
  { after, upTo }: Span,
): Promise<void> {
  const { db } = context;
  const items = await lockItems(db, queue.id, sql`id > ${after} and id <= ${upTo}`);
  await reseal(context, queue, queue, items);
  await resealEvents(context, queue, { after, upTo });
}

/** Reseals items that were copied in their stored form: values can be opened in one queue only. */
export async function resealMoved(
  context: Pick<Writing, 'db' | 'log'>,
  from: QueueDefinition,
  to: QueueDefinition,
  ids: readonly Id[],
): Promise<void> {
  await reseal(context, from, to, await lockItems(context.db, to.id, sql`id = any(${ids}::bigint[])`));
}

interface StoredItem {
  readonly id: Id;
  readonly version: number;
  readonly json: JsonRecord;
  readonly output?: JsonRecord;
  /** The error of an item made from a bad row of a file. */
  readonly error?: string;
}

/** Warns of values that cannot be opened, such as ones that were changed in the database: they stay as they are, and stop nothing. */
const warning =
  (log: Log, queueId: Id, itemId: Id) =>
  (attribute: { readonly id: Id }): void =>
    log.warn(
      { queueId, itemId, attributeId: attribute.id },
      'a sensitive value cannot be opened, and stays as it is',
    );

async function reseal(
  { db, log }: Pick<Writing, 'db' | 'log'>,
  from: QueueDefinition,
  to: QueueDefinition,
  items: readonly StoredItem[],
): Promise<void> {
  const records = items.flatMap(({ id, version, json }) => {
    const after = resealed(from, to, { id, version, failed: warning(log, to.id, id) }, json);
    return after === json ? [] : [{ id, json: after }];
  });
  const outputs = items.flatMap(({ id, output }) => {
    const after = output && resealedOutput(from, to, { id, failed: warning(log, to.id, id) }, output);
    return after === output ? [] : [{ id, output: after }];
  });
  await replaceRecords(db, to.id, records);
  for await (const list of jsonLists(outputs)) await db.rows(savingOutputs(to.id, list));
  const errors = items.flatMap(({ id, error: before = '' }) => {
    const error = withoutValues(to.attributes, before);
    return error === before ? [] : [{ id, error, signature: signatureOf(error) }];
  });
  for await (const list of jsonLists(errors)) await db.rows(savingErrors(to.id, list));
}

/** The most items whose events are adapted in one transaction. */
export const itemsAtOnce = 200;

// Events are read some at a time: one may be as large as an item.
const eventsAtOnce = 200;

/** Adapts events to the present marks of their queue, including those of deleted items. */
export async function resealEvents(
  context: Writing,
  queue: Sealing & { readonly tenantId: Id },
  span: Span,
): Promise<void> {
  const { db } = context;
  const { id: queueId, tenantId } = queue;
  let place = { itemId: span.after, eventId: Number.MAX_SAFE_INTEGER as Id };
  for (;;) {
    const events = await selectChangesOfItems(db, queueId, {
      from: place,
      upTo: span.upTo,
      limit: eventsAtOnce,
    });
    const rewritten = events.flatMap((event) => rewrittenFor(context, queue, event));
    await eraseEvents(context, tenantId, rewritten, resealing);
    const last = events.at(-1);
    if (!last || events.length < eventsAtOnce) return;
    place = { itemId: last.itemId, eventId: last.id };
  }
}

/** The event in the present form for its queue; empty where it has that already. */
function rewrittenFor(
  context: Writing,
  queue: Sealing,
  { id, itemId, changes, reason }: Awaited<ReturnType<typeof selectChangesOfItems>>[number],
): Erased[] {
  const { json, output, error } = changes as { json?: JsonRecord; output?: JsonRecord; error?: string };
  const failed = warning(context.log, queue.id, itemId);
  const after: typeof changes & { json?: JsonRecord; output?: JsonRecord; error?: string } = {
    ...changes,
    ...(json && { json: resealedChanges(queue, itemId, json, failed) }),
    ...(output && { output: resealedOutput(queue, queue, { id: itemId, failed }, output) }),
    ...(error && { error: withoutValues(queue.attributes, error) }),
  };
  const isSame = after.json === json && after.output === output && after.error === error;
  return isSame ? [] : [{ queueId: queue.id, itemId, id, left: { changes: after, reason } }];
}

/** Events have no version of the model for the names of attributes: all names that there were count. */
function resealedChanges(
  queue: Sealing,
  id: Id,
  json: JsonRecord,
  failed: ReturnType<typeof warning>,
): JsonRecord {
  const ends = queue.attributes.flatMap(({ formerNames = [] }) => formerNames.map(({ until }) => until - 1));
  const versions = [queue.modelVersion, ...new Set(ends)];
  return versions.reduce((record, version) => resealed(queue, queue, { id, version, failed }, record), json);
}

function lockItems(db: Db, queueId: Id, which: Sql): Promise<StoredItem[]> {
  return db.rows<StoredItem>(sql`
    select i.id, coalesce(i.model_version, 0) as version, d.json, i.output,
      case when i.failure_kind = 'DATA_ERROR' then i.error end as error from (
      select * from work_items where queue_id = ${queueId} and ${which} order by id for no key update) i
    cross join lateral (
      select json from work_item_data where queue_id = ${queueId} and item_id = i.id offset 0) d
    order by i.id`);
}

const savingOutputs = (queueId: Id, list: string) => sql`
  with n as materialized (
    select found.place, changed.output from json_to_recordset(${list}::json) as changed (id bigint, output json)
    cross join lateral (
      select ctid as place from work_items w where w.queue_id = ${queueId} and w.id = changed.id offset 0) found)
  update work_items i set output = n.output from n where i.ctid = n.place`;

const savingErrors = (queueId: Id, list: string) => sql`
  with n as materialized (
    select found.place, changed.error, changed.signature
    from json_to_recordset(${list}::json) as changed (id bigint, error text, signature text)
    cross join lateral (
      select ctid as place from work_items w where w.queue_id = ${queueId} and w.id = changed.id offset 0) found)
  update work_items i set error = n.error, error_signature = case when i.error_signature is not null then n.signature end
  from n where i.ctid = n.place`;
