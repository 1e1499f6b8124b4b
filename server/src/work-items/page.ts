import type { Id, Schemas } from '@millrace/api';
import type { Db } from '../db.ts';
import type { QueueDefinition } from '../queues/rules.ts';
import { selectItems, selectPage, type ItemSelection } from './page.sql.ts';
import { portionBytes } from './size.sql.ts';

// The database reads whole items to see where an answer ends: not many more than go into it, when they are large.
const itemsAtOnce = 200;

/** The items of a page, in its order, as far as they fit into one answer; fewer than there could be, but at least one. */
export async function readPage(
  db: Db,
  queue: QueueDefinition,
  page: ItemSelection,
): Promise<Schemas['WorkItem'][]> {
  const ids = await selectPage(db, queue.id, page);
  const list: Schemas['WorkItem'][] = [];
  let left = portionBytes;
  while (left > 0 && list.length < ids.length) {
    const asked: Id[] = ids.slice(list.length, list.length + itemsAtOnce);
    const found = await selectItems(db, queue, asked, left);
    for (const { bytes, ...item } of found) {
      list.push(item);
      left -= bytes;
    }
    if (found.length < asked.length) break;
  }
  return list;
}
