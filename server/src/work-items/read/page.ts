import type { Id, Schemas } from '@millrace/api';
import { empty, sql, type Db } from '../../engine/db.ts';
import type { QueueDefinition } from '../../engine/operation.ts';
import { bytesBefore, portionBytes, rowsAtOnce } from '../../engine/portions.ts';
import { itemBytes, itemColumns } from '../item/sql.ts';

type Item = Schemas['WorkItem'];

/** The members of items in a list's answer; undefined for all. */
export type Members = ReadonlySet<string> | undefined;

/** The members named by a request; older clients send other values, which mean all of them. */
export function membersAsked(asked: unknown): Members {
  const isList = Array.isArray(asked) && asked.length > 0 && asked.every((name) => typeof name === 'string');
  return isList ? new Set(['id', ...asked]) : undefined;
}

// Needed to know the names under which a record is shown.
const toShowRecords = ['status', 'modelVersion'];

/** The item with the requested members. */
export function onlyAsked(item: Item, members: Members): Item {
  if (!members) return item;
  return Object.fromEntries(Object.entries(item).filter(([name]) => members.has(name)));
}

/** The items with these ids, in order, as many as fit into one answer, but at least one. */
export async function readPage(
  db: Db,
  queue: QueueDefinition,
  { ids, members }: { ids: readonly Id[]; members: Members },
): Promise<Item[]> {
  const list: Item[] = [];
  let left = portionBytes;
  while (left > 0 && list.length < ids.length) {
    const asked: Id[] = ids.slice(list.length, list.length + rowsAtOnce);
    const found = await selectItems(db, queue, { ids: asked, members, maxBytes: left });
    for (const { bytes, ...item } of found) {
      list.push(item);
      left -= bytes;
    }
    if (found.length < asked.length) break;
  }
  return list;
}

/** The items with these ids, in order, as many as fit into `maxBytes`, but at least the first. */
function selectItems(
  db: Db,
  queue: QueueDefinition,
  { ids, members, maxBytes }: { ids: readonly Id[]; members: Members; maxBytes: number },
) {
  const showsRecords = members?.has('json') === true || members?.has('modelVersion') === true;
  const only = showsRecords ? new Set([...(members ?? []), ...toShowRecords]) : members;
  const hasData = only === undefined || only.has('json') || [...only].some((name) => /^col\d+$/.test(name));
  const data = sql`
      cross join lateral (select json from work_item_data where queue_id = ${queue.id} and item_id = p.id offset 0) d`;
  return db.rows<Item & { bytes: number }>(sql`
    with sized as materialized (
      select i.*, ${hasData ? sql`d.json, ` : empty}p.place, s.bytes,
        ${bytesBefore(sql`s.bytes`, sql`p.place`)} as bytes_before
      from unnest(${ids}::bigint[]) with ordinality as p (id, place)
      cross join lateral (select * from work_items where queue_id = ${queue.id} and id = p.id offset 0) i
      ${hasData ? data : empty}
      cross join lateral (select ${itemBytes(queue, only)} as bytes offset 0) s)
    select ${itemColumns(queue, only)}, i.bytes from sized i ${hasData ? sql`cross join lateral (select i.json) d` : empty}
    where i.bytes_before < ${maxBytes} order by i.place`);
}
