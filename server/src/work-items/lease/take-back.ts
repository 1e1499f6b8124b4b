import type { Id } from '@millrace/api';
import { sql, type Db } from '../../engine/db.ts';
import type { BatchContext } from '../../engine/operation.ts';
import type { Item } from '../item/rules.ts';
import { changeOf, save } from '../item/save.ts';
import { lockItems } from '../item/sql.ts';
import { decideReturn } from './rules.ts';

/** The operation or job that takes items back, its actor (0 is Millrace itself), and the reason. */
interface TakeBack {
  readonly operation: string;
  readonly actorId: Id;
  readonly reason: string;
}

type TakeBackContext = Pick<BatchContext, 'db' | 'now' | 'wake'>;

/** Takes all items from a device, whether they were sent there or claimed for it. */
export async function takeBackFrom(context: TakeBackContext, deviceId: Id, why: TakeBack): Promise<void> {
  for (const held of await selectHeldItems(context.db, deviceId)) {
    await takeBackItems(context, { ...held, deviceId }, why);
  }
}

/**
 * Takes items from a device that must not go on with them: they are NEW again and the attempt does not count; one that was cancelled has
 * failed, and one past the point of no return is IN_DOUBT. Items that the device no longer holds are left alone.
 * @returns the items that were taken, as they are now.
 */
export async function takeBackItems(
  context: TakeBackContext,
  { queueId, deviceId, itemIds }: HeldItems & { readonly deviceId: Id },
  { operation, actorId, reason }: TakeBack,
): Promise<Item[]> {
  const locked = await lockItems(context.db, queueId, itemIds);
  const held = locked.filter((item) => item.status === 'IN_PROGRESS' && item.deviceId === deviceId);
  const ending = { transition: 'takeBack', reason } as const;
  const changes = held.map((before) => {
    return { ...changeOf(before, decideReturn(before, ending, context.now)), operation, actorId };
  });
  await save(context, queueId, changes);
  return changes.map(({ after }) => after);
}

/** Items of one queue that a device holds, or held when they were read. */
interface HeldItems {
  readonly queueId: Id;
  readonly itemIds: readonly Id[];
}

/**
 * The items held for a device, by queue, in the order in which rows are locked everywhere. It scans all items in progress: a device is
 * rarely taken out of use, and an index for that would be written with each claim.
 */
function selectHeldItems(db: Db, deviceId: Id): Promise<HeldItems[]> {
  return db.rows(sql`
    select queue_id as "queueId", array_agg(id order by id) as "itemIds"
    from work_items where status = 'IN_PROGRESS' and device_id = ${deviceId} group by queue_id order by queue_id`);
}
