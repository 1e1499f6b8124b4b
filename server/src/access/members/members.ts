import type { Id, Schemas } from '@millrace/api';
import { raw, sql, type Db } from '../../engine/db.ts';
import { Refusal } from '../../engine/errors.ts';
import { listQuery, pageOf } from '../../engine/lists/lists.ts';
import type { Field } from '../../engine/lists/values.ts';
import type { Context, QueueContext, QueueOperation } from '../../engine/operation.ts';
import { recordOfQueueAccess } from '../../journal/journal.ts';
import { otherOwners } from './membership.ts';

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
  await recordOfQueueAccess(context, queue.id, { operation: 'addQueueConsumer', changes: consumer });
  return consumer;
};

export const addOrUpdateQueueMember: QueueOperation<'addOrUpdateQueueMember'> = async (context, input) => {
  const { db, queue } = context;
  const { userId } = input.path;
  const member = await readMember(context, userId);
  // Holds until the end: the lock on the queue keeps out other changes of its members.
  const role = decideRole(member.role, input.body.role, await findsOtherOwner(db, queue.id, userId));
  if (role instanceof Refusal) throw role;
  await saveMember(db, queue.id, userId, role);
  await recordOfQueueAccess(context, queue.id, {
    operation: 'addOrUpdateQueueMember',
    changes: { userId, role },
  });
  return { userId, role };
};

export const addQueueParticipant: QueueOperation<'addQueueParticipant'> = async (context, { body }) => {
  const { db, queue } = context;
  const { userId } = body;
  if (userId === undefined) throw missing('userId', 'the id of the user who may see the queue and add items');
  const { role } = await readMember(context, userId);
  if (role) return { userId, role };
  await saveMember(db, queue.id, userId, 'PARTICIPANT');
  await recordOfQueueAccess(context, queue.id, {
    operation: 'addQueueParticipant',
    changes: { userId, role: 'PARTICIPANT' },
  });
  return { userId, role: 'PARTICIPANT' };
};

const consumerFields: Record<string, Field> = {
  roleId: { column: raw('r.id'), type: 'id' },
  roleName: { column: raw('r.name'), type: 'text' },
};

export const listQueueConsumers: QueueOperation<'listQueueConsumers'> = async ({ db, queue }, { body }) => {
  const { where, orderBy, limit, offset } = listQuery(body, consumerFields, raw('r.id'));
  const rows = sql`queue_consumers c join roles r on r.id = c.role_id where c.queue_id = ${queue.id}`;
  const list = await db.rows<Schemas['QueueConsumer']>(sql`
    select r.id as "roleId", r.name as "roleName" from ${rows} and ${where}
    order by ${orderBy} limit ${limit} offset ${offset}`);
  return { page: await pageOf(db, { where, offset }, rows), list };
};

export const removeQueueConsumer: QueueOperation<'removeQueueConsumer'> = async (context, { path }) => {
  const { db, queue, actor } = context;
  const consumer = await selectConsumer(db, actor.tenantId, path.roleId);
  if (!consumer || !(await deleteConsumer(db, queue.id, path.roleId)))
    throw new Refusal('NOT_FOUND', `The role ${path.roleId} is no consumer of queue ${queue.id}.`);
  await recordOfQueueAccess(context, queue.id, { operation: 'removeQueueConsumer', changes: consumer });
};

const memberFields: Record<string, Field> = {
  userId: { column: raw('m.user_id'), type: 'id' },
  username: { column: raw('u.username'), type: 'text' },
  role: { column: raw('m.role'), type: 'text' },
};

export const listQueueMembers: QueueOperation<'listQueueMembers'> = async ({ db, queue }, { body }) => {
  const { where, orderBy, limit, offset } = listQuery(body, memberFields, raw('m.user_id'));
  const rows = sql`queue_members m join users u on u.id = m.user_id where m.queue_id = ${queue.id}`;
  const list = await db.rows<Schemas['QueueMember']>(sql`
    select m.user_id as "userId", u.username, m.role from ${rows} and ${where}
    order by ${orderBy} limit ${limit} offset ${offset}`);
  return { page: await pageOf(db, { where, offset }, rows), list };
};

export const removeQueueMember: QueueOperation<'removeQueueMember'> = async (context, { path }) => {
  const { db, queue } = context;
  const { userId } = path;
  const { role } = await readMember(context, userId);
  if (!role) throw new Refusal('NOT_FOUND', `The user ${userId} does not belong to queue ${queue.id}.`);
  // Holds until the end: the lock on the queue keeps out other changes of its members.
  const refusal = decideRemoval(role, await findsOtherOwner(db, queue.id, userId));
  if (refusal) throw refusal;
  await db.rows(sql`delete from queue_members where queue_id = ${queue.id} and user_id = ${userId}`);
  await recordOfQueueAccess(context, queue.id, { operation: 'removeQueueMember', changes: { userId, role } });
};

async function readMember({ db, queue, actor }: QueueContext, userId: Id) {
  const member = await selectMember(db, actor.tenantId, queue.id, userId);
  if (!member) throw unknownUser(userId);
  return member;
}

function unknownUser(userId: Id): Refusal {
  return new Refusal(
    'NOT_FOUND',
    `There is no user ${userId}. POST /v2/usermanagement/users/list lists all.`,
  );
}

function missing(field: string, what: string): Refusal {
  const message = `is missing: ${what}`;
  return new Refusal('INVALID_REQUEST', `${field} ${message}.`, { details: [{ field, message }] });
}

/** Makes the caller the owner of a queue. */
export function makeOwner({ db, actor }: Context, queueId: Id): Promise<void> {
  return saveMember(db, queueId, actor.id, 'OWNER');
}

/**
 * Gives a user a role in a queue, in place of any other. The user is locked until the transaction ends, so that a user who is deleted at
 * the same moment does not stay an owner. @throws Refusal NOT_FOUND when the user is gone
 */
async function saveMember(db: Db, queueId: Id, userId: Id, role: MemberRole): Promise<void> {
  const row = await db.row(sql`
    insert into queue_members (queue_id, user_id, role)
    select ${queueId}, u.id, ${role} from (select id from users where id = ${userId} and deleted_on is null for share) u
    on conflict (queue_id, user_id) do update set role = excluded.role returning user_id`);
  if (!row) throw unknownUser(userId);
}

/** The role of a user of the tenant in a queue: no row for a user that does not exist, no role for one outside. */
function selectMember(db: Db, tenantId: Id, queueId: Id, userId: Id) {
  return db.row<{ userId: Id; role?: MemberRole }>(sql`
    select u.id as "userId", m.role
    from users u left join queue_members m on m.user_id = u.id and m.queue_id = ${queueId}
    where u.tenant_id = ${tenantId} and u.id = ${userId} and u.deleted_on is null`);
}

async function findsOtherOwner(db: Db, queueId: Id, userId: Id): Promise<boolean> {
  const rows = await db.rows(sql`${otherOwners(sql`${queueId}`, userId)} limit 1`);
  return rows.length > 0;
}

/** A role of the tenant as a consumer. */
function selectConsumer(db: Db, tenantId: Id, roleId: Id): Promise<Schemas['QueueConsumer'] | undefined> {
  return db.row(sql`
    select r.id as "roleId", r.name as "roleName" from roles r where r.tenant_id = ${tenantId} and r.id = ${roleId}`);
}

async function saveConsumer(db: Db, queueId: Id, roleId: Id): Promise<void> {
  await db.rows(sql`
    insert into queue_consumers (queue_id, role_id) values (${queueId}, ${roleId}) on conflict do nothing`);
}

/** Whether the role was a consumer. */
async function deleteConsumer(db: Db, queueId: Id, roleId: Id): Promise<boolean> {
  const row = await db.row(sql`
    delete from queue_consumers where queue_id = ${queueId} and role_id = ${roleId} returning role_id`);
  return row !== undefined;
}

/** The role of a user in a queue. */
type MemberRole = 'OWNER' | 'MEMBER' | 'PARTICIPANT';

/** The refusal to take a user off a queue that would have no owner then. */
function decideRemoval(role: MemberRole, hasOtherOwner: boolean): Refusal | undefined {
  if (role !== 'OWNER' || hasOtherOwner) return undefined;
  return new Refusal(
    'STATUS_CONFLICT',
    'This user is the last owner of the queue who is not disabled, and stays it. Make another user OWNER first.',
  );
}

/**
 * The role of a user after a request. Without a wanted role, a user keeps the present one, or else becomes MEMBER.
 * @param hasOtherOwner whether somebody else, who is not disabled, owns the queue
 */
export function decideRole(
  current: MemberRole | undefined,
  wanted: MemberRole | undefined,
  hasOtherOwner: boolean,
): MemberRole | Refusal {
  const role = wanted ?? current ?? 'MEMBER';
  if (current !== 'OWNER' || role === 'OWNER' || hasOtherOwner) return role;
  return new Refusal(
    'STATUS_CONFLICT',
    'This user is the last owner of the queue who is not disabled, and cannot be made anything else. Make another user OWNER first.',
  );
}
