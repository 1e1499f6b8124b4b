import { stringifyJson, type Id } from '@millrace/api';
import { join, sql, type Db, type Sql } from '../db.ts';
import type { Attribute } from '../models/rules.ts';
import type { JsonRecord } from '../models/record.ts';

/** A record, and the version of the model whose names it has. */
export interface VersionedRecord {
  readonly json: JsonRecord;
  readonly modelVersion: number;
}

export function selectVersionedRecord(db: Db, queueId: Id, itemId: Id): Promise<VersionedRecord | undefined> {
  return db.row(sql`
    select d.json, coalesce(i.model_version, 0) as "modelVersion"
    from work_items i join work_item_data d on d.queue_id = i.queue_id and d.item_id = i.id
    where i.queue_id = ${queueId} and i.id = ${itemId}`);
}

/** Exchanges the records of locked items, whose names are those of a version of the model. */
export async function saveRecords(
  db: Db,
  queueId: Id,
  records: readonly { id: Id; json: JsonRecord }[],
  modelVersion: number,
): Promise<void> {
  if (records.length === 0) return;
  const changed = sql`json_to_recordset(${stringifyJson(records)}::json) as changed (id bigint, json json)`;
  await db.rows(sql`
    with n as materialized (
      select found.place, changed.json from ${changed} cross join lateral (
        select ctid as place from work_item_data w where w.queue_id = ${queueId} and w.item_id = changed.id offset 0) found)
    update work_item_data d set json = n.json from n where d.queue_id = ${queueId} and d.ctid = n.place`);
  const ids = records.map(({ id }) => id);
  await db.rows(sql`
    update work_items set model_version = ${modelVersion}
    where queue_id = ${queueId} and id = any(${ids}::bigint[]) and model_version is distinct from ${modelVersion}`);
}

/**
 * The value of an attribute as SQL, a text, under the name that each record has it by; `i` is the item, `d` its data. Null where the
 * attribute was not there yet, or had values that cannot be read as those of now.
 */
export function attributeText(attributes: readonly Attribute[], name: string): Sql {
  const { formerNames = [] } = attributes.find((attribute) => attribute.name === name) ?? {};
  const unread = Math.max(...formerNames.map(({ until, type }) => (type ? until : 0)), 0);
  const readable = formerNames.map((former) => (former.until <= unread ? { until: former.until } : former));
  return recordText({ name, formerNames: readable });
}

/** What records have under the name that an attribute had at their time, whatever its type was. */
export function recordText({ name, formerNames = [] }: Pick<Attribute, 'name' | 'formerNames'>): Sql {
  if (formerNames.length === 0) return sql`(d.json ->> ${name}::text)`;
  const former = formerNames.map(
    (one) => sql`when coalesce(i.model_version, 0) < ${one.until}::int then ${one.name ?? null}::text`,
  );
  return sql`(d.json ->> case ${join(former, ' ')} else ${name}::text end)`;
}

/** Tells apart what the text of a statement depends on that reads these columns. */
export function columnsShape(attributes: readonly Attribute[], columns: readonly string[]): string {
  const formerNames = (column: string) =>
    attributes.find(({ name }) => name === column)?.formerNames?.length ?? 0;
  return columns.map(formerNames).join();
}
