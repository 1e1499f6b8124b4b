import type { Schemas } from '@millrace/api';
import { Idle, type BatchOperation } from '../../engine/operation.ts';
import { holderWakeUp } from '../../engine/wake-ups.ts';
import type { Item } from '../item/rules.ts';
import { readItems } from '../item/sql.ts';
import { cancellationOf, isHeld, lost, type Beat } from './rules.ts';

export const watchWorkItems: BatchOperation<'watchWorkItems'> = async ({ db, queue }, calls) => {
  const ids = calls.flatMap(({ input }) => input.body.leases.map(({ id }) => id));
  const items = new Map((await readItems(db, queue.id, ids)).map((item) => [item.id, item]));
  return calls.map(({ actor, input }) => {
    const list = input.body.leases.flatMap(
      (lease) => interruptionOf(items.get(lease.id), { ...lease, actorId: actor.id }) ?? [],
    );
    return list.length > 0 ? { list } : new Idle({ list }, [holderWakeUp(actor.id)]);
  });
};

/** News that the holder needs at once: it has lost the item, or has to stop; undefined while the work simply goes on. */
function interruptionOf(
  item: Item | undefined,
  { id, version, actorId }: Pick<Beat, 'id' | 'version' | 'actorId'>,
): Schemas['LeaseOutcome'] | undefined {
  if (!item || !isHeld(item, { version, actorId })) return { id, error: lost(id).toJSON() };
  const cancel = cancellationOf(item);
  return cancel && { id, cancel };
}
