import { holderBell } from '../dispatch/bell.ts';
import { Idle, type BatchOperation } from '../operation.ts';
import { readItems } from './bulk.sql.ts';
import { interruptionOf } from './lease.rules.ts';

export const watchWorkItems: BatchOperation<'watchWorkItems'> = async ({ db, queue }, calls) => {
  const ids = calls.flatMap(({ input }) => input.body.leases.map(({ id }) => id));
  const items = new Map((await readItems(db, queue.id, ids)).map((item) => [item.id, item]));
  return calls.map(({ actor, input }) => {
    const list = input.body.leases.flatMap(
      (lease) => interruptionOf(items.get(lease.id), { ...lease, actorId: actor.id }) ?? [],
    );
    return list.length > 0 ? { list } : new Idle({ list }, [holderBell(actor.id)]);
  });
};
