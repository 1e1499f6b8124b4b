import type { Id, Schemas } from '@millrace/api';
import { seenBy } from '../access/members/membership.ts';
import { raw, sql, type Db, type Sql } from '../engine/db.ts';
import { namesField } from '../engine/lists/filter.ts';
import { listQuery, pageOf } from '../engine/lists/lists.ts';
import type { Field } from '../engine/lists/values.ts';
import type { Actor, Context } from '../engine/operation.ts';

/** One page of the queues `q` that the caller may see, for a list request. @param columns the columns of each, as SQL */
export async function pageOfQueues<Row>(
  { db, actor }: Pick<Context, 'db' | 'actor'>,
  request: Schemas['ListRequest'] | undefined,
  columns: Sql,
): Promise<{ page: Schemas['Page']; list: Row[] }> {
  const query = listQuery(request, queueFields, queueTieBreak);
  const { where, orderBy, limit, offset } = query;
  const archiveFilter = namesField(request?.filter, 'archived') ? archiveFilters.all : archiveFilters.current;
  const rows = sql`queues q where ${seenBy(actor)} and ${archiveFilter}`;
  const page = await pageOf(db, query, rows);
  const list = await db.rows<Row>(
    sql`select ${columns} from ${rows} and ${where} order by ${orderBy} limit ${limit} offset ${offset}`,
  );
  return { page, list };
}

/** A queue with its name and its state. */
export interface NamedQueue {
  readonly id: Id;
  readonly name: string;
  readonly status: Schemas['Queue']['status'];
  readonly archived: boolean;
}

/**
 * Those of these queues that the caller may see, in the order of their ids; without ids, the first ones that are not archived, up to a
 * limit.
 */
export function selectVisible(
  db: Db,
  actor: Actor,
  { queueIds, limit }: { readonly queueIds: readonly Id[] | undefined; readonly limit: number },
): Promise<NamedQueue[]> {
  const which = queueIds ? sql`q.id = any(${queueIds}::bigint[])` : archiveFilters.current;
  return db.rows(sql`
    select q.id, q.name, q.status, q.archived_on is not null as archived from queues q where ${seenBy(actor)} and ${which} order by q.id limit ${limit}`);
}

/** The fields by which queues can be filtered and sorted. */
const queueFields: Record<string, Field> = {
  id: { column: raw('q.id'), type: 'id' },
  name: { column: raw('q.name'), type: 'text' },
  status: { column: raw('q.status'), type: ['ACTIVE', 'INACTIVE'] },
  archived: { column: raw('(q.archived_on is not null)'), type: 'boolean' },
  workItemModelId: { column: raw('q.model_id'), type: 'id' },
  createdOn: { column: raw('q.created_on'), type: 'time' },
  updatedOn: { column: raw('q.updated_on'), type: 'time' },
};

const queueTieBreak: Sql = raw('q.id');

/** The queues in a list: archived ones only where it asks for them. */
const archiveFilters = { current: raw('q.archived_on is null'), all: raw('true') };
