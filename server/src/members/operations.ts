import type { Id } from '@millrace/api';
import { Refusal } from '../errors.ts';
import { insertEvents } from '../events/sql.ts';
import type { QueueContext, QueueOperation } from '../operation.ts';
import { decideRole } from './rules.ts';
import { hasOtherOwner, saveConsumer, saveMember, selectConsumer, selectMember } from './sql.ts';

export const addQueueConsumer: QueueOperation<'addQueueConsumer'> = async (context, { body }) => {
  const { db, queue, actor } = context;
  const { roleId } = body;
  if (roleId === undefined) throw missing('roleId', 'the id of the role that may process items');
  const consumer = await selectConsumer(db, actor.tenantId, roleId);
  if (!consumer)
    throw new Refusal(
      'NOT_FOUND',
      `There is no role ${roleId}. POST /v2/usermanagement/roles/list lists all.`,
    );
  await saveConsumer(db, queue.id, roleId);
  await record(context, 'addQueueConsumer', consumer);
  return consumer;
};

export const addOrUpdateQueueMember: QueueOperation<'addOrUpdateQueueMember'> = async (context, input) => {
  const { db, queue } = context;
  const { userId } = input.path;
  const member = await readMember(context, userId);
  // True until the end: the queue is held against other changes of its members.
  const role = decideRole(member.role, input.body.role, await hasOtherOwner(db, queue.id, userId));
  if (role instanceof Refusal) throw role;
  await saveMember(db, queue.id, userId, role);
  await record(context, 'addOrUpdateQueueMember', { userId, role });
  return { userId, role };
};

export const addQueueParticipant: QueueOperation<'addQueueParticipant'> = async (context, { body }) => {
  const { db, queue } = context;
  const { userId } = body;
  if (userId === undefined) throw missing('userId', 'the id of the user who may see the queue and add items');
  const { role } = await readMember(context, userId);
  if (role) return { userId, role };
  await saveMember(db, queue.id, userId, 'PARTICIPANT');
  await record(context, 'addQueueParticipant', { userId, role: 'PARTICIPANT' });
  return { userId, role: 'PARTICIPANT' };
};

/** Who belongs to a queue decides what they may do in it: the record says who changed that. */
function record({ db, queue, actor, now }: QueueContext, operation: string, changes: object): Promise<void> {
  return insertEvents(db, queue.id, [{ operation, actorId: actor.id, changes }], now);
}

async function readMember({ db, queue, actor }: QueueContext, userId: Id) {
  const member = await selectMember(db, actor.tenantId, queue.id, userId);
  if (!member)
    throw new Refusal(
      'NOT_FOUND',
      `There is no user ${userId}. POST /v2/usermanagement/users/list lists all.`,
    );
  return member;
}

function missing(field: string, what: string): Refusal {
  const message = `is missing: ${what}`;
  return new Refusal('INVALID_REQUEST', `${field} ${message}.`, { details: [{ field, message }] });
}
