import type { Id, Status } from '@millrace/api';
import { empty, join, raw, sql, type Db, type Sql } from '../engine/db.ts';
import { Refusal } from '../engine/errors.ts';
import { jsonLists } from '../engine/json/write.ts';
import type { Attribute, QueueDefinition } from '../engine/operation.ts';
import { bytesBefore, portionBytes, rowsAtOnce } from '../engine/portions.ts';
import { attributesAt, inPresentNames, rankOf, recordProblems, type JsonRecord } from './record.ts';
import { forgedIn, sealed, sealedOutput } from './sealed.ts';
import { isMarked, isMask } from './sensitive.rules.ts';

/** A record, and the version of the model for its names. */
export interface VersionedRecord {
  readonly json: JsonRecord;
  readonly modelVersion: number;
}

/**
 * The value of an attribute as SQL, a text, under its name in each record; `i` is the item, `d` its data. Null where the attribute did not
 * exist yet, or had values that cannot be read as the present ones. For a sensitive value it is the hash.
 */
export function attributeText(attributes: readonly Attribute[], name: string): Sql {
  const { formerNames = [], sensitivity } = attributes.find((attribute) => attribute.name === name) ?? {};
  const unread = Math.max(...formerNames.map(({ until, type }) => (type ? until : 0)), 0);
  const readable = formerNames.map((former) => (former.until <= unread ? { until: former.until } : former));
  if (sensitivity === undefined) return recordText({ name, formerNames: readable });
  const value = sql`(d.json -> ${nameInRecord({ name, formerNames: readable })})`;
  if (sensitivity !== 'NONE') return sql`(${value} ->> 'hash')`;
  // Some may still be sealed.
  return sql`(case json_typeof(${value}) when 'object' then null else ${value} #>> '{}' end)`;
}

/** The value in records under the attribute's name at their time, whatever its type was. */
export function recordText({ name, formerNames = [] }: Pick<Attribute, 'name' | 'formerNames'>): Sql {
  return sql`(d.json ->> ${nameInRecord({ name, formerNames })})`;
}

/** The attribute's name in records; null where they have none. */
export function nameInRecord({ name, formerNames = [] }: Pick<Attribute, 'name' | 'formerNames'>): Sql {
  if (formerNames.length === 0) return sql`${name}::text`;
  const former = formerNames.map(
    ({ until, name: formerName }) =>
      sql`when coalesce(i.model_version, 0) < ${until}::int then ${formerName ?? null}::text`,
  );
  return sql`case ${join(former, ' ')} else ${name}::text end`;
}

/** All readable values of the data `d` of an item, as texts by name. */
export const openValues = raw(
  `select key, value from json_each_text(d.json) where value is not null and value not like '{"$sealed"%'`,
);

/** The bytes of the data `d` of an item. */
export const recordBytes = raw('octet_length(d.json::text)');

/** The data of all items of a queue under the present names, oldest first, with only some of them in memory at a time. */
export async function* readRecords(
  db: Db,
  queue: QueueDefinition,
): AsyncGenerator<{ id: Id; status: Status; json: JsonRecord }> {
  let after: Id = 0;
  for (;;) {
    const records = await selectRecords(db, queue.id, after, rowsAtOnce);
    for (const { json, modelVersion, ...record } of records)
      yield { ...record, json: inPresentNames(queue, json, modelVersion) };
    const last = records.at(-1);
    if (!last) return;
    after = last.id;
  }
}

/** The data of items in the order of their ids, after one: as many as may be in memory at once. */
function selectRecords(
  db: Db,
  queueId: Id,
  after: Id,
  limit: number,
): Promise<{ id: Id; status: Status; json: JsonRecord; modelVersion: number }[]> {
  return db.rows(sql`
    select id, status, json, "modelVersion" from (
      select i.id, i.status, d.json, coalesce(i.model_version, 0) as "modelVersion",
        ${bytesBefore(recordBytes, sql`i.id`)} as bytes_before
      from work_items i join work_item_data d on d.queue_id = i.queue_id and d.item_id = i.id
      where i.queue_id = ${queueId} and i.id > ${after} order by i.id limit ${limit}) r
    where bytes_before < ${portionBytes} order by id`);
}

/** The record of an item under the present names. */
async function readRecord(db: Db, queue: QueueDefinition, itemId: Id): Promise<JsonRecord> {
  const record = await selectVersionedRecord(db, queue.id, itemId);
  return record ? inPresentNames(queue, record.json, record.modelVersion) : {};
}

function selectVersionedRecord(db: Db, queueId: Id, itemId: Id): Promise<VersionedRecord | undefined> {
  return db.row(sql`
    select d.json, coalesce(i.model_version, 0) as "modelVersion"
    from work_items i join work_item_data d on d.queue_id = i.queue_id and d.item_id = i.id
    where i.queue_id = ${queueId} and i.id = ${itemId}`);
}

/** The data of an item sent by an update. */
interface SentData {
  readonly json?: JsonRecord | undefined;
  readonly output?: JsonRecord | undefined;
}

/** The data of an item after an update. */
interface NextData {
  /** The record under the present names. */
  readonly json: JsonRecord;
  /** The record in its stored form; undefined where it stays as it is. */
  readonly stored: JsonRecord | undefined;
  /** The output in its stored form, if one is sent. */
  readonly output: JsonRecord | undefined;
  /** The rank of the record in the processing order of the queue. */
  readonly rank: Buffer;
}

/**
 * Stores the record sent for a locked item, and returns the data of the item from now on. Masked values stay as they were.
 * @param version the version of the model for the names in the sent record
 * @throws Refusal INVALID_REQUEST that names each part of a record that does not fit the model
 */
export async function exchangeData(
  db: Db,
  queue: QueueDefinition,
  { id, version }: { readonly id: Id; readonly version: number },
  sent: SentData,
): Promise<NextData> {
  const { json, stored } = await nextRecord(db, queue, { id, version }, sent.json);
  if (stored) await saveRecords(db, queue, [{ id, json: stored }], version);
  const output = sent.output && (await nextOutput(db, queue, id, sent.output));
  return { json, stored, output, rank: rankOf(queue, json) };
}

/** The output in its stored form: masked values stay as they were. */
async function nextOutput(db: Db, queue: QueueDefinition, id: Id, sent: JsonRecord): Promise<JsonRecord> {
  const forgery = forgedIn(sent);
  if (forgery) throw forgery;
  if (!queue.sealer) return sent;
  const isMasked = Object.values(sent).some(isMask);
  return sealedOutput(queue, id, sent, isMasked ? await selectOutput(db, queue.id, id) : undefined);
}

async function selectOutput(db: Db, queueId: Id, itemId: Id): Promise<JsonRecord | undefined> {
  const output = sql`select output from work_items where queue_id = ${queueId} and id = ${itemId}`;
  return (await db.row<{ output?: JsonRecord }>(output))?.output;
}

/** The record of an item from now on: the sent one, or else the stored one. */
async function nextRecord(
  db: Db,
  queue: QueueDefinition,
  { id, version }: { readonly id: Id; readonly version: number },
  sent: JsonRecord | undefined,
): Promise<Pick<NextData, 'json' | 'stored'>> {
  if (!sent) return { json: await readRecord(db, queue, id), stored: undefined };
  const attributes = attributesAt(queue.attributes, version);
  const [problem, ...more] = recordProblems(attributes, sent, isMask);
  if (!problem) {
    const before = queue.sealer && inNamesOf(attributes, queue, await readRecord(db, queue, id));
    const stored = sealed(queue, { id, version }, sent, before);
    return { stored, json: inPresentNames(queue, stored, version) };
  }
  const message = `json: ${problem.field} ${problem.message}. Nothing was changed.`;
  throw new Refusal('INVALID_REQUEST', message, { details: [problem, ...more] });
}

/** A record with present names under those of another version. */
function inNamesOf(
  attributes: readonly Attribute[],
  queue: Pick<QueueDefinition, 'attributes'>,
  record: JsonRecord,
): JsonRecord {
  const names = new Map(
    queue.attributes.map(({ id, name }) => [name, attributes.find((one) => one.id === id)?.name]),
  );
  return Object.fromEntries(
    Object.entries(record).flatMap(([name, value]) => {
      const then = names.get(name);
      return then === undefined ? [] : [[then, value]];
    }),
  );
}

// Beside the records lie values by which lists find items: those of the queue's indexed columns, one row for each item and column, and the
// searched text, one for each item, value by value. They are written together with each record, in the same transaction; while
// `reorderQueues` writes those of older items, lists do without them.

/** Only the beginning of a longer text is kept: an index entry of PostgreSQL holds some 2,700 bytes at most. */
export const keptCharacters = 256;

type Indexed = Pick<QueueDefinition, 'id' | 'attributes' | 'indexedColumns' | 'searchedAttributes'>;

/** The attributes of the indexed columns. */
export function indexedAttributes({
  attributes,
  indexedColumns,
}: Pick<Indexed, 'attributes' | 'indexedColumns'>): Attribute[] {
  return attributes.filter(({ name }) => indexedColumns.includes(name));
}

/** The column of the table with the values of attributes of a type. */
export const valueColumn = { TEXT: raw('text'), NUMBER: raw('number'), DATE: raw('at') } as const;

/** Whether all items of the queue have their values; false while older items get theirs. */
export async function areReady(db: Db, queueId: Id): Promise<boolean> {
  const row = await db.row<{ isReady: boolean }>(sql`
    select rekey_after is null as "isReady" from queues where id = ${queueId}`);
  return row?.isReady ?? false;
}

/** Whether records of the queue have values beside them by which lists find items. */
export const hasValues = ({ indexedColumns, searchedAttributes }: Omit<Indexed, 'id' | 'attributes'>) =>
  indexedColumns.length > 0 || searchedAttributes.length > 0;

/**
 * Parts of a statement that store the values by which lists find new items, from the rows of its part `input` with `id` and `json`; and the
 * addition to its name.
 */
export function besideInput(queue: Indexed): { readonly parts: Sql; readonly suffix: string } {
  const [isIndexed, isSearched] = [queue.indexedColumns.length > 0, queue.searchedAttributes.length > 0];
  return {
    parts: sql`${isIndexed ? valuesOfInput(queue) : empty} ${textsOfInput(queue)}`,
    suffix: `${isIndexed ? ' indexed' : ''}${isSearched ? ' searched' : ''}`,
  };
}

function valuesOfInput(queue: Indexed): Sql {
  const columns = indexedAttributes(queue).map(({ id, name, type, sensitivity }) => {
    const isHashed = isMarked({ sensitivity });
    return { attribute: id, name, type: isHashed ? 'HASH' : type };
  });
  const text = raw('input.json ->> c.name');
  return sql`
    indexed as (
      insert into work_item_values (queue_id, item_id, attribute, text, number, at)
      select ${queue.id}, input.id, c.attribute, case c.type when 'TEXT' then left(${text}, ${raw(String(keptCharacters))})
          when 'HASH' then input.json -> c.name ->> 'hash' end,
        case c.type when 'NUMBER' then (${text})::numeric end, case c.type when 'DATE' then (${text})::timestamptz end
      from input cross join json_to_recordset(${JSON.stringify(columns)}::json) as c (attribute bigint, name text, type text)),`;
}

/** Replaces the records of locked items; the names in them are those of the model version. */
export async function saveRecords(
  db: Db,
  queue: QueueDefinition,
  records: readonly { id: Id; json: JsonRecord }[],
  modelVersion: number,
): Promise<void> {
  if (records.length === 0) return;
  await replaceRecords(db, queue.id, records);
  const ids = records.map(({ id }) => id);
  await db.rows(sql`
    update work_items set model_version = ${modelVersion}
    where queue_id = ${queue.id} and id = any(${ids}::bigint[]) and model_version is distinct from ${modelVersion}`);
  if (hasValues(queue)) await refreshValues(db, queue, ids);
}

/** Replaces the records of locked items by others with the same names. */
export async function replaceRecords(
  db: Db,
  queueId: Id,
  records: readonly { id: Id; json: JsonRecord }[],
): Promise<void> {
  for await (const list of jsonLists(records)) {
    const changed = sql`json_to_recordset(${list}::json) as changed (id bigint, json json)`;
    await db.rows(sql`
      with n as materialized (
        select found.place, changed.json from ${changed} cross join lateral (
          select ctid as place from work_item_data w where w.queue_id = ${queueId} and w.item_id = changed.id offset 0) found)
      update work_item_data d set json = n.json from n where d.ctid = n.place`);
  }
}

/** Items by their ids, or all with ids after one and up to another. */
type Items = readonly Id[] | { readonly after: Id; readonly upTo: Id };

/** Stores the values of items again, from their present records. */
export async function refreshValues(db: Db, queue: Indexed, items: Items): Promise<void> {
  const attributes = indexedAttributes(queue);
  // Values kept for other columns are deleted as well.
  await deleteValues(db, queue.id, items);
  await storeTexts(db, queue, isAmong(raw('i.id'), items));
  if (attributes.length === 0) return;
  const rows = join(attributes.map((attribute) => valueRow(queue, attribute)));
  // An item deleted meanwhile would leave its values behind.
  await db.rows(sql`
    insert into work_item_values (queue_id, item_id, attribute, text, number, at)
    select ${queue.id}, r.id, r.attribute, r.text, r.number, r.at from (
      select i.id, v.* from work_items i
      join work_item_data d on d.queue_id = i.queue_id and d.item_id = i.id
      cross join lateral (values ${rows}) as v (attribute, text, number, at)
      where i.queue_id = ${queue.id} and ${isAmong(raw('i.id'), items)} for key share of i) r`);
}

function valueRow({ attributes }: Indexed, attribute: Attribute): Sql {
  const { id, name } = attribute;
  const text = attributeText(attributes, name);
  const type = typeOfIndex(attribute);
  const none = { text: sql`null::text`, number: sql`null::numeric`, at: sql`null::timestamptz` };
  const value = {
    ...none,
    ...(type === 'TEXT' && { text: sql`left(${text}, ${raw(String(keptCharacters))})` }),
    ...(type === 'NUMBER' && { number: sql`${text}::numeric` }),
    ...(type === 'DATE' && { at: sql`${text}::timestamptz` }),
  };
  return sql`(${id}::bigint, ${value.text}, ${value.number}, ${value.at})`;
}

/** The type of an attribute's values in the index: sensitive ones are there by their hashes. */
function typeOfIndex(attribute: Attribute): Attribute['type'] {
  return isMarked(attribute) ? 'TEXT' : attribute.type;
}

/** Deletes the values of items. */
export async function deleteValues(db: Db, queueId: Id, items: Items): Promise<void> {
  await db.write(sql`
    delete from work_item_values where queue_id = ${queueId} and ${isAmong(raw('item_id'), items)}`);
  await db.write(sql`
    delete from work_item_texts where queue_id = ${queueId} and ${isAmong(raw('item_id'), items)}`);
}

function isAmong(id: Sql, items: Items): Sql {
  if ('after' in items) return sql`${id} > ${items.after} and ${id} <= ${items.upTo}`;
  return sql`${id} = any(${items}::bigint[])`;
}

// A search reads each of its hits, and three letters in a row make an index entry each: longer texts would be expensive for both.
const longestText = 8000;

/** The attributes by parts of whose values items are found. */
export function searchedAttributesOf({
  attributes,
  searchedAttributes,
}: Omit<Indexed, 'id' | 'indexedColumns'>) {
  return attributes.filter((one) => searchedAttributes.includes(one.name) && !isMarked(one));
}

/** Whether all readable values in records are searched. */
export function searchesAll(queue: Omit<Indexed, 'id' | 'indexedColumns'>): boolean {
  const { attributes, searchedAttributes } = queue;
  return (
    searchedAttributes.length > 0 &&
    attributes.every((one) => isMarked(one) || searchedAttributes.includes(one.name))
  );
}

/** A part of a statement that stores the texts of new items, from the rows of its part `input` with `id` and `json`. */
function textsOfInput(queue: Indexed): Sql {
  if (queue.searchedAttributes.length === 0) return empty;
  const names = searchedAttributesOf(queue).map(({ name }) => name);
  const text = sql`
    select string_agg(v.value, E'\n') from (${openValues}) v where ${searchesAll(queue)} or v.key = any(${names}::text[])`;
  return sql`
    searched as (
      insert into work_item_texts (queue_id, item_id, text)
      select ${queue.id}, input.id, ${kept(sql`t.text`)}
      from input cross join lateral (select input.json) d cross join lateral (${text}) t (text)),`;
}

const kept = (text: Sql) =>
  sql`case when coalesce(length(${text}), 0) <= ${raw(String(longestText))} then coalesce(${text}, '') end`;

/** Stores the texts of items without any, from their present records. @param among the condition that `i` is one of them */
async function storeTexts(db: Db, queue: Indexed, among: Sql): Promise<void> {
  if (queue.searchedAttributes.length === 0) return;
  const values = searchedAttributesOf(queue).map(({ name }) => attributeText(queue.attributes, name));
  const text = searchesAll(queue)
    ? sql`(select string_agg(v.value, E'\n') from (${openValues}) v)`
    : sql`concat_ws(E'\n', ${join([sql`null`, ...values])})`;
  // An item deleted meanwhile would leave its text behind.
  await db.rows(sql`
    insert into work_item_texts (queue_id, item_id, text)
    select ${queue.id}, r.id, r.text from (
      select i.id, ${kept(sql`t.text`)} as text from work_items i
      join work_item_data d on d.queue_id = i.queue_id and d.item_id = i.id
      cross join lateral (select ${text} as text) t
      where i.queue_id = ${queue.id} and ${among} for key share of i) r`);
}
