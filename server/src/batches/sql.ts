import { stringifyJson, type Id, type Schemas } from '@millrace/api';
import { raw, sql, type Db, type Sql } from '../engine/db.ts';
import { sumsOf } from '../journal/journal.ts';
import type { StoredBatch } from './rules.ts';

/** The events by which a bulk action changed items. */
export const ofBulk = (queueId: Sql | Id, batchId: Sql | Id) =>
  sql`events e where e.queue_id = ${queueId} and e.batch_id = ${batchId} and e.operation in ('updateWorkItemStatus', 'updateWorkItems')`;

/** A new batch. */
interface NewBatch {
  readonly name: string;
  readonly source: StoredBatch['source'];
  readonly expected?: Schemas['ControlTotals'] | undefined;
  /** Whether no items come other than those of this transaction. */
  readonly isClosed: boolean;
  readonly createdBy: Id;
}

/** Stores a batch; returns its id. */
export async function insertBatch(db: Db, queueId: Id, batch: NewBatch, now: Date): Promise<Id> {
  const { name, source, expected, isClosed, createdBy } = batch;
  const sums = expected?.sums && stringifyJson(expected.sums);
  const row = await db.row<{ id: Id }>(sql`
    insert into batches (queue_id, name, source, expected_items, expected_sums, closed_on, created_by, created_on)
    values (${queueId}, ${name}, ${source}, ${expected?.items ?? null}, ${sums ?? null}, ${isClosed ? now : null},
      ${createdBy}, ${now})
    returning id`);
  return row?.id ?? 0;
}

const counts = ['received', 'done', 'failed', 'withdrawn'];

/** The columns of a batch `b`, with the differences that are not added up yet. */
function batchColumns(queueId: Id): Sql {
  const ofBatch = sql`from batch_tallies t where t.queue_id = ${queueId} and t.batch_id = b.id`;
  const count = (name: string) => `b.${name} + coalesce(t.${name}, 0) as ${name}`;
  return sql`
    select b.id, b.name, b.source, b.expected_items as "expectedItems", b.expected_sums as "expectedSums",
      ${raw(counts.map(count).join(', '))}, s.sums,
      not exists (select from json_each_text(b.expected_sums) e
        where e.value::numeric is distinct from coalesce((s.sums ->> e.key)::numeric, 0)) as "sumsMatch",
      b.closed_on as "closedOn", b.completed_on as "completedOn", b.created_by as "createdBy", b.created_on as "createdOn"
    from batches b
      cross join lateral (
        select ${raw(counts.map((name) => `sum(t.${name})::bigint as ${name}`).join(', '))} ${ofBatch}) t
      cross join lateral (
        select case when b.expected_sums is not null then ${sumsOf(sql`
          select j.* from json_each_text(b.sums) j
          union all select j.* from (select t.sums ${ofBatch}) t cross join lateral json_each_text(t.sums) j`)} end as sums) s`;
}

export function selectBatch(db: Db, queueId: Id, batchId: Id): Promise<StoredBatch | undefined> {
  return db.row(sql`${batchColumns(queueId)} where b.queue_id = ${queueId} and b.id = ${batchId}`);
}

/** The batches of a queue with smaller ids than one, newest first. */
export function selectBatches(
  db: Db,
  queueId: Id,
  before: Id | undefined,
  limit: number,
): Promise<StoredBatch[]> {
  return db.rows(sql`${batchColumns(queueId)}
    where b.queue_id = ${queueId} and (${before}::bigint is null or b.id < ${before}::bigint)
    order by b.id desc limit ${limit}`);
}

/** The counts of a bulk action's items by their present state. */
export async function countChanged(db: Db, queueId: Id, batchId: Id) {
  const row = await db.row<Pick<StoredBatch, 'received' | 'done' | 'failed' | 'withdrawn'>>(sql`
    with changed as materialized (
      select distinct e.item_id as id from ${ofBulk(queueId, batchId)})
    select count(*) as received, count(*) filter (where i.status = 'COMPLETE') as done,
      count(*) filter (where i.status = 'FAILED') as failed, count(*) filter (where i.status is null) as withdrawn
    from changed c left join lateral (
      select w.status from work_items w where w.queue_id = ${queueId} and w.id = c.id offset 0) i on true`);
  return row ?? {};
}
