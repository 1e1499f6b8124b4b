import type { Id } from '@millrace/api';
import type { BatchContext } from '../operation.ts';
import { saveChanges } from './changes.ts';
import { decideReturn } from './end.rules.ts';
import { selectHeldItems, type HeldItems } from './leases.sql.ts';
import type { Item } from './rules.ts';
import { lockItems } from './sql.ts';

/** Who takes items back, by which operation or job, and why; 0 is Millrace itself. */
export interface TakeBack {
  readonly operation: string;
  readonly actorId: Id;
  readonly reason: string;
}

type Where = Pick<BatchContext, 'db' | 'now' | 'woken'>;

/** Takes from a device all that it holds, whether it was sent there or claimed for it. */
export async function takeBackFrom(context: Where, deviceId: Id, why: TakeBack): Promise<void> {
  for (const held of await selectHeldItems(context.db, deviceId)) {
    await takeBackItems(context, { ...held, deviceId }, why);
  }
}

/**
 * Takes items from a device that is not to go on with them: they are NEW again and the attempt does not count; one that was
 * cancelled has failed, and one past the point of no return is in doubt. What the device does not hold any more is left alone.
 * @returns the items that were taken, as they are now.
 */
export async function takeBackItems(
  context: Where,
  { queueId, deviceId, itemIds }: HeldItems & { readonly deviceId: Id },
  { operation, actorId, reason }: TakeBack,
): Promise<Item[]> {
  const locked = await lockItems(context.db, queueId, itemIds);
  const held = locked.filter((item) => item.status === 'IN_PROGRESS' && item.deviceId === deviceId);
  const ending = { transition: 'takeBack', reason } as const;
  const changes = held.map((before) => {
    return { before, move: decideReturn(before, ending, context.now), operation, actorId };
  });
  await saveChanges(context, queueId, changes);
  return changes.map(({ move }) => move.item);
}
