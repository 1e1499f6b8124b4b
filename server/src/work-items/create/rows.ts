import { parseJson, stringifyJson, type Id } from '@millrace/api';
import { named, raw, sql } from '../../engine/db.ts';
import type { QueueContext } from '../../engine/operation.ts';
import { inSlices, mapped } from '../../engine/slices.ts';
import { journalOfRows } from '../../journal/journal.ts';
import type { JsonRecord } from '../../records/record.ts';
import { sealed } from '../../records/sealed.ts';
import { besideInput } from '../../records/stored.ts';
import { expiryOf } from '../item/rules.ts';
import { defaultPriority, reserveIds } from './create.ts';

/** Rows of a file as items, prepared by the thread that reads it: JSON with turn, key, json and, for bad ones, error and its signature. */
interface FileRows {
  readonly items: string;
  /** By turn: the id reserved for an item; null for a new one, -1 for one that is left out. */
  readonly ids: readonly (Id | null)[];
  readonly batchId: Id;
}

/** The event of each added row. */
const created = {
  source: raw('input'),
  operation: 'createWorkItemsFromFile',
  actorId: raw('"actorId"'),
  to: raw('status'),
};

/** The rows with their sensitive values encrypted, for which all of them need ids. */
async function sealedRows({ db, queue }: QueueContext, { items, ids }: FileRows) {
  const list = parseJson(items) as { turn: number; json: JsonRecord }[];
  const missing = list.filter(({ turn }) => (ids[turn] ?? null) === null).length;
  const reserved = await reserveIds(db, missing);
  const all = list.map(({ turn }) => ids[turn] ?? (reserved.shift() as Id));
  const rows = await inSlices(
    mapped(list, (row, index) => ({ ...row, json: sealed(queue, { id: all[index] as Id }, row.json) })),
  );
  return { items: stringifyJson(rows), ids: all };
}

/**
 * Stores rows of a file as items with their data, events and counters; returns their ids by turn. Wakes nobody: the transaction has more to
 * store. A bad row becomes an item that failed because of its data.
 */
export async function storeRows(context: QueueContext, rows: FileRows): Promise<{ turn: number; id: Id }[]> {
  const { db, now, queue, actor } = context;
  const { batchId } = rows;
  const { items, ids } = queue.sealer ? await sealedRows(context, rows) : rows;
  const beside = besideInput(queue);
  const event = { ...created, batchId: sql`${batchId}::bigint` };
  const statement = sql`
    with input as materialized (
      select coalesce((${ids}::bigint[])[r.turn + 1], nextval('work_items_id_seq')) as id, ${actor.id}::bigint as "actorId",
        case when r.error is null then 'NEW' else 'FAILED' end as status, r.*
      from (select * from json_to_recordset(${items}::json) as r (turn int, key text, error text, signature text, json json) order by turn) r
      where (${ids}::bigint[])[r.turn + 1] is distinct from -1),
    item as (
      insert into work_items (queue_id, id, status, sort_key, priority, expires_on, model_version, batch_id, error, error_signature,
        result, failure_kind, ended_on, created_by, created_on, updated_by, updated_on) overriding system value
      select ${queue.id}, id, status, decode(key, 'hex'), ${defaultPriority}, ${expiryOf(queue, now)}::timestamptz,
        ${queue.modelVersion}::int, ${batchId}::bigint, error, signature, case when error is not null then 'FAILURE' end,
        case when error is not null then 'DATA_ERROR' end, case when error is not null then ${now}::timestamptz end,
        "actorId", ${now}, "actorId", ${now} from input),
    data as (
      insert into work_item_data (queue_id, item_id, json) select ${queue.id}, id, json from input),
    ${beside.parts}
    ${journalOfRows(queue.id, event, now)}
    select turn, id from input order by turn`;
  return db.rows(named(`storeRows${beside.suffix}`, statement));
}
