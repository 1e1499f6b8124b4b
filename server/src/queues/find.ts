import type { Id } from '@millrace/api';
import { Refusal } from '../errors.ts';
import { capabilitiesOf, type Capability } from '../members/rules.ts';
import { standingsIn } from '../members/standings.ts';
import type { Context } from '../operation.ts';
import { decideOther, type QueueDefinition } from './rules.ts';
import { selectQueueDefinition } from './sql.ts';

/**
 * A queue besides that of the operation, kept as it is until the transaction ends.
 * @throws Refusal when the caller does not belong to it, may not do there what is needed, or it is archived
 */
export async function findOtherQueue(context: Context, id: Id, needed: Capability): Promise<QueueDefinition> {
  const [standings, queue] = await Promise.all([
    standingsIn(context, id),
    selectQueueDefinition(context.db, id, 'kept'),
  ]);
  const found = decideOther(queue, id, { needed, capabilities: capabilitiesOf(standings) });
  if (found instanceof Refusal) throw found;
  return found;
}
