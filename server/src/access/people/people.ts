import type { Id, Schemas } from '@millrace/api';
import { raw, sql, type Db } from '../../engine/db.ts';
import { Refusal, refuseStale, shownProblems } from '../../engine/errors.ts';
import {
  authorOf,
  type Author,
  type Context,
  type PlainOperation,
  type StepsOperation,
} from '../../engine/operation.ts';
import { changedMembers, recordEvents, recordOfAccess } from '../../journal/journal.ts';
import { tokenRevoked } from '../auth/rules.ts';
import { endSessionsOf } from '../auth/session-store.ts';
import { otherOwners, seenBy } from '../members/membership.ts';
import { canLogIn, lockPeople, refuseLast, type Offices } from '../users/administrators.ts';
import { hashPassword, makePassword } from '../users/passwords.ts';
import { idsOf } from '../users/rules.ts';
import { queuesBeyond, queuesInReachOf, readUser, rolesToGrant } from '../users/users.ts';

export const getUser: PlainOperation<'getUser'> = async (context, { path }) => {
  await findPerson(context, path.id);
  return userNow(context, path.id);
};

export const updateUser: PlainOperation<'updateUser'> = async (context, { path, body }) => {
  const { db } = context;
  const person = await lockPerson(context, path.id);
  refuseStale('user', person, body);
  const before = (await readUser(db, path.id)) as Schemas['User'];
  const { roles, ...about } = { ...namesOf(before), ...body };
  await updateNames(context, path.id, about);
  const roleIds = idsOf(roles);
  if (roleIds) await giveRoles(context, before, roleIds);
  await refuseLast(context.db, context.actor.tenantId, person);
  const after = await userNow(context, path.id);
  const changed = Object.keys(changedMembers(namesOf(before), namesOf(after)));
  const changes = { userId: path.id, changed, ...changedMembers(rightsOf(before), rightsOf(after)) };
  await recordOfAccess(context, { operation: 'updateUser', changes });
  return after;
};

type Names = Required<Pick<Schemas['User'], 'email' | 'firstName' | 'lastName' | 'description'>>;

function namesOf({ email, firstName, lastName, description }: Schemas['User']): Names {
  return { email, firstName, lastName, description };
}

function rightsOf({ roles }: Schemas['User']): object {
  return { roleIds: roles.map(({ id }) => id) };
}

async function giveRoles(context: Context, { id: userId, roles }: Schemas['User'], ids: Id[]): Promise<void> {
  await rolesToGrant(context, ids, idsOf(roles));
  await context.db.rows(
    sql`delete from user_roles where user_id = ${userId} and role_id <> all(${ids}::bigint[])`,
  );
  await context.db.rows(sql`
    insert into user_roles (user_id, role_id) select ${userId}, unnest(${ids}::bigint[]) on conflict do nothing`);
}

export const disableUser: PlainOperation<'disableUser'> = async (context, { path }) => {
  const person = await lockPerson(context, path.id);
  if (!person.disabled) {
    await setDisabled(context, path.id, true);
    await refuseLast(context.db, context.actor.tenantId, person);
    const endedSessions = await endSessionsOf(context, path.id);
    await recordOfAccess(context, { operation: 'disableUser', changes: { userId: path.id, endedSessions } });
  }
  return userNow(context, path.id);
};

export const enableUser: PlainOperation<'enableUser'> = async (context, { path }) => {
  const person = await lockPerson(context, path.id);
  if (person.disabled) {
    await setDisabled(context, path.id, false);
    await recordOfAccess(context, { operation: 'enableUser', changes: { userId: path.id } });
  }
  return userNow(context, path.id);
};

export const deleteUser: PlainOperation<'deleteUser'> = async (context, { path }) => {
  const person = await lockPerson(context, path.id);
  refuseOwner(await lockQueuesOwnedAlone(context, path.id));
  await eraseUser(context, path.id);
  await refuseLast(context.db, context.actor.tenantId, person);
  const endedSessions = await endSessionsOf(context, path.id);
  const { username } = person;
  await recordOfAccess(context, {
    operation: 'deleteUser',
    changes: { userId: path.id, username, endedSessions },
  });
};

/** Hashes between two transactions: other changes of users would wait for it. */
export const resetUserPassword: StepsOperation<'resetUserPassword'> = async ({ transact }, { path }) => {
  await transact(async (context) => {
    if (path.id === context.actor.id) throw ownPassword();
    refuseUnchangeable(context, await findPerson(context, path.id));
  });
  const temporaryPassword = makePassword();
  const hash = await hashPassword(temporaryPassword);
  await transact((context) => settleReset(context, path.id, hash));
  return { temporaryPassword };
};

async function settleReset(context: Context, userId: Id, hash: string): Promise<void> {
  const { db, actor } = context;
  await lockPerson(context, userId);
  await setTemporaryPassword(db, userId, hash, authorOf(context));
  const endedSessions = await endSessionsOf(context, userId);
  await recordOfAccess(context, { operation: 'resetUserPassword', changes: { userId, endedSessions } });
  // The new password opens the user's queues too: the owners of queues in which the caller has no say learn of it.
  const event = { operation: 'resetUserPassword', actorId: actor.id, changes: { userId, ...context.client } };
  for (const queueId of await queuesBeyond(context, queuesInReachOf(userId)))
    await recordEvents(context, queueId, [event]);
}

/** An intruder at an open session must not get the password with it. */
function ownPassword(): Refusal {
  return new Refusal(
    'FORBIDDEN',
    'This is yourself. Change your password with the present one: PUT /v2/usermanagement/me/password.',
  );
}

/** A user, with the members that changes need. */
interface Person extends Offices {
  readonly id: Id;
  readonly username: string;
  readonly version: number;
  readonly disabled: boolean;
  readonly isDeleted: boolean;
  readonly permissions: string[];
}

async function findPerson({ db, actor }: Context, id: Id): Promise<Person> {
  const person = await selectPerson(db, actor.tenantId, id);
  if (person) return person;
  throw new Refusal('NOT_FOUND', `There is no user ${id}. POST /v2/usermanagement/users/list lists all.`);
}

/** A user whom the caller may change, locked. Changes of users come one after the other, so that an administrator remains. */
export async function lockPerson(context: Context, id: Id): Promise<Person> {
  const { db, actor } = context;
  await lockPeople(db);
  await refuseDisabled(context);
  // Locked, so that the user does not become a member of a queue, or begin a session, while being deleted or disabled.
  await db.rows(sql`select from users where id = ${id} and tenant_id = ${actor.tenantId} for no key update`);
  const person = await findPerson(context, id);
  refuseUnchangeable(context, person);
  return person;
}

function refuseUnchangeable({ actor }: Context, { isDeleted, permissions, username }: Person): void {
  if (isDeleted) throw new Refusal('NOT_FOUND', `The user ${username} was deleted.`);
  refuseAbove(actor.permissions, permissions, username);
}

/** A caller who was disabled while waiting for others may change nothing any more. @throws Refusal UNAUTHENTICATED */
async function refuseDisabled({ db, actor }: Context): Promise<void> {
  const row = await db.row(sql`select from users where id = ${actor.id} and not disabled`);
  if (!row) throw tokenRevoked();
}

async function userNow({ db }: Context, id: Id): Promise<Schemas['User']> {
  return (await readUser(db, id)) as Schemas['User'];
}

/** A user of the tenant, possibly a deleted one. */
export function selectPerson(db: Db, tenantId: Id, id: Id): Promise<Person | undefined> {
  return db.row<Person>(sql`
    select u.id, u.username, u.version, u.disabled, u.deleted_on is not null as "isDeleted", p.permissions,
      ${canLogIn} and exists (select from user_roles ur join roles r on r.id = ur.role_id
        where ur.user_id = u.id and r.name = 'AAE_Admin') as "isAdministrator",
      ${canLogIn} and 'manageInstallation' = any(p.permissions) as "isOperator"
    from users u, lateral (select array(select distinct unnest(r.permissions) from user_roles ur
      join roles r on r.id = ur.role_id where ur.user_id = u.id) as permissions) p
    where u.tenant_id = ${tenantId} and u.id = ${id}`);
}

async function updateNames({ db, actor, now }: Context, id: Id, names: Names): Promise<void> {
  const { email, firstName, lastName, description } = names;
  await db.rows(sql`
    update users set email = ${email}, first_name = ${firstName}, last_name = ${lastName}, description = ${description},
      version = version + 1, updated_by = ${actor.id}, updated_on = ${now} where id = ${id}`);
}

async function setDisabled({ db, actor, now }: Context, id: Id, disabled: boolean): Promise<void> {
  await db.rows(sql`
    update users set disabled = ${disabled}, version = version + 1, updated_by = ${actor.id}, updated_on = ${now}
    where id = ${id}`);
}

/** Stores a password that is good only for choosing another. */
export async function setTemporaryPassword(
  db: Db,
  id: Id,
  hash: string,
  { actorId, now }: Author,
): Promise<void> {
  await db.rows(sql`
    update users set password_hash = ${hash}, must_change_password = true, version = version + 1,
      updated_by = ${actorId}, updated_on = ${now} where id = ${id}`);
}

/**
 * The queues whose only owner is this user, without archived ones, which need none. All queues of the user are locked first, by a statement
 * of its own: the next one sees the owners that have left meanwhile.
 */
async function lockQueuesOwnedAlone({ db, actor }: Context, userId: Id) {
  const owned = sql`select m.queue_id from queue_members m where m.user_id = ${userId} and m.role = 'OWNER'`;
  await db.rows(sql`select from queues where id in (${owned}) order by id for no key update`);
  return db.rows<OwnedQueue>(sql`
    select q.id, q.name, (${seenBy(actor)}) as "isSeen" from queues q
    where q.id in (${owned}) and q.archived_on is null and not exists (${otherOwners(raw('q.id'), userId)})
    order by "isSeen" desc, q.id limit ${shownProblems}`);
}

/** Removes all of a user but the name and the tenant, so that recorded actions still have their author. */
async function eraseUser({ db, actor, now }: Context, id: Id): Promise<void> {
  await db.rows(sql`
    update users set deleted_on = ${now}, disabled = true, password_hash = null, must_change_password = false, email = '',
      description = '', version = version + 1, updated_by = ${actor.id}, updated_on = ${now} where id = ${id}`);
  await db.rows(sql`delete from user_roles where user_id = ${id}`);
  await db.rows(sql`delete from api_keys where user_id = ${id}`);
  await db.rows(sql`delete from queue_members where user_id = ${id}`);
  await db.rows(sql`delete from user_preferences where user_id = ${id}`);
  // Shared views are of use to others.
  await db.rows(sql`delete from views where user_id = ${id} and not shared`);
}

/** A caller cannot change users with more permissions: a manager of users could take the place of an administrator. */
function refuseAbove(permitted: ReadonlySet<string>, permissions: readonly string[], username: string): void {
  const beyond = permissions.filter((permission) => !permitted.has(permission));
  if (beyond.length === 0) return;
  throw new Refusal(
    'FORBIDDEN',
    `The user ${username} may do more than you: ${beyond.join(', ')}. Ask somebody who may do all of it.`,
  );
}

/** A queue that a user owns. */
interface OwnedQueue {
  readonly id: number | bigint;
  readonly name: string;
  /** Whether the caller may know of it. */
  readonly isSeen: boolean;
}

/** Refuses to delete a user who is the only owner of queues. @throws Refusal IN_USE that names the queues which the caller sees */
function refuseOwner(queues: readonly OwnedQueue[]): void {
  if (queues.length === 0) return;
  const seen = queues.filter(({ isSeen }) => isSeen);
  const details = seen.map(({ id, name }) => ({
    queueId: id,
    message: `is the last owner of the queue ${name}`,
  }));
  const names = seen.slice(0, 5).map(({ name }) => name);
  const others = queues.length - names.length;
  const more = others > 0 ? ` and ${others} more` : '';
  const unseen = others === 1 ? 'a queue that you do not see' : `${others} queues that you do not see`;
  throw new Refusal(
    'IN_USE',
    `This user is the last owner of ${names.length > 0 ? names.join(', ') + more : unseen}. Make somebody else OWNER there first, who is not disabled, or disable the user.`,
    { details },
  );
}
