import type { Id, Schemas } from '@millrace/api';
import { membershipsIn, withMemberships } from '../access/members/membership.ts';
import { capabilitiesOf } from '../access/members/rules.ts';
import { sql, type Db } from '../engine/db.ts';
import { Refusal } from '../engine/errors.ts';
import type { Capability, Context, QueueDefinition } from '../engine/operation.ts';
import { queueColumns, selectQueueDefinition, type StoredQueue } from './sql.ts';

/** The queue as stored now. @throws Refusal NOT_FOUND when it is gone. */
export async function readQueue({ db }: Pick<Context, 'db'>, id: Id): Promise<StoredQueue> {
  const queue = await selectQueue(db, id);
  if (!queue) throw new Refusal('NOT_FOUND', `There is no queue ${id} any more.`);
  return queue;
}

/** The queue as it is answered: as stored now, with what the caller is and may do in it. */
export async function answerQueue(context: Pick<Context, 'db' | 'actor'>, id: Id): Promise<Schemas['Queue']> {
  const [queue] = await withMemberships(context, [await readQueue(context, id)]);
  return queue as Schemas['Queue'];
}

/** A queue as it is now, for a job, which holds no queue. */
export function readDefinition(
  where: Pick<Context, 'db' | 'vault'>,
  id: Id,
): Promise<QueueDefinition | undefined> {
  return selectQueueDefinition(where, id, 'none');
}

/**
 * A queue besides that of the operation, kept as it is until the transaction ends.
 * @throws Refusal when the caller does not belong to it, may not do there what is needed, or it is archived, unless that does not matter
 */
export async function findOtherQueue(
  context: Context,
  id: Id,
  needed: Capability,
  { archived = false }: { readonly archived?: boolean } = {},
): Promise<QueueDefinition> {
  const [memberships, queue] = await Promise.all([
    membershipsIn(context, id),
    selectQueueDefinition(context, id, 'kept'),
  ]);
  const found = decideOther(queue, id, { needed, capabilities: capabilitiesOf(memberships) });
  if (found instanceof Refusal) throw found;
  if (archived || !found.archived) return found;
  throw new Refusal('STATUS_CONFLICT', `Queue ${id} is archived and takes no items. Restore it first.`);
}

/**
 * A queue as grants to devices need it, kept from being deleted until the transaction ends. Waits for nobody: undefined also while a
 * change keeps out all who write its items, which may take long.
 */
export function holdQueueAtOnce(
  where: Pick<Context, 'db' | 'vault'>,
  id: Id,
): Promise<QueueDefinition | undefined> {
  return selectQueueDefinition(where, id, 'keptAtOnce');
}

function selectQueue(db: Db, id: Id): Promise<StoredQueue | undefined> {
  return db.row(sql`select ${queueColumns} from queues q where q.id = ${id}`);
}

/** A queue that a request names besides its own, if the caller may use it so. */
function decideOther(
  queue: QueueDefinition | undefined,
  id: Id,
  { needed, capabilities }: { readonly needed: Capability; readonly capabilities: ReadonlySet<Capability> },
): QueueDefinition | Refusal {
  if (!queue || capabilities.size === 0)
    return new Refusal('NOT_FOUND', `There is no queue ${id}, or you do not belong to it.`);
  if (!capabilities.has(needed))
    return new Refusal(
      'FORBIDDEN',
      `You may not ${needed} items in queue ${id}. Ask an owner of that queue.`,
    );
  return queue;
}
