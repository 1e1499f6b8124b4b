import type { Id } from '@millrace/api';
import type { Context } from '../operation.ts';
import { deviceBell, type BellName } from './bell.ts';
import { deleteRuns } from './sql.ts';

/** Ends what runs on devices, in the transaction in which the items leave IN_PROGRESS; wakes those whom that makes room for. */
export async function endRuns(
  { db, woken }: Pick<Context, 'db' | 'woken'>,
  queueId: Id,
  itemIds: readonly Id[],
): Promise<void> {
  if (itemIds.length === 0) return;
  const freed = await deleteRuns(db, queueId, itemIds);
  const bells = freed.map(({ deviceId, queueId: id = 0 }): BellName =>
    deviceId ? deviceBell(deviceId) : id,
  );
  for (const name of bells) woken.set(name, (woken.get(name) ?? 0) + 1);
}
