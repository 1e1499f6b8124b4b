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

/** The queue for an answer: as stored now, with the caller's memberships and capabilities. */
export async function answerQueue(context: Pick<Context, 'db' | 'actor'>, id: Id): Promise<Schemas['Queue']> {
  const [queue] = await withMemberships(context, [await readQueue(context, id)]);
  return queue as Schemas['Queue'];
}

/** The present state of a queue, for a job, which locks no queue. */
export function readDefinition(
  where: Pick<Context, 'db' | 'vault'>,
  id: Id,
): Promise<QueueDefinition | undefined> {
  return selectQueueDefinition(where, id, 'none');
}

/**
 * A queue other than that of the operation, locked until the transaction ends.
 * @throws Refusal when the caller does not belong to it or lacks the needed capability, or when it is archived, unless that does not matter
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
 * A queue for grants to devices, kept from being deleted until the transaction ends. Waits for no lock: also undefined while a change locks
 * out all writers of its items, which may take long.
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

/** A queue named in a request besides its own, or the refusal. */
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
