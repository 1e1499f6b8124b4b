import { randomUUID } from 'node:crypto';
import type { Id, Schemas } from '@millrace/api';
import { sql, type Db } from '../../engine/db.ts';
import type { Refusal } from '../../engine/errors.ts';
import type { PublicContext } from '../../engine/operation.ts';
import type { Person, Provider } from '../../engine/provider.ts';
import { refuseExcess } from '../../engine/quotas.ts';
import { millrace, recordTenantEvents } from '../../journal/journal.ts';
import { giveToken } from '../auth/authentication.ts';
import { endSessionsOf } from '../auth/session-store.ts';
import { selectPerson } from '../people/people.ts';
import { lockPeople, refuseLast } from '../users/administrators.ts';
import { insertUser, usersOf } from '../users/users.ts';
import { forbidden, SignOnRefusal } from './refusals.ts';

/**
 * Lets in somebody whom a provider has proved: the user is created or brought up to date, and has a new session.
 * @param others the names of the other providers of the installation
 * @returns a refusal instead where its step has to stay
 * @throws Refusal
 */
export async function enter(
  step: PublicContext,
  provider: Provider,
  person: Person,
  others: readonly string[],
): Promise<Schemas['Session'] | Refusal> {
  const { db, now, client } = step;
  const tenant = await selectTenant(db, provider.tenant);
  if (!tenant || tenant.disabled)
    throw forbidden(provider, `The tenant ${provider.tenant} does not exist, or is disabled.`);
  await lockPeople(db);
  const roleIds = await rolesOf(step, tenant.id, person);
  const known = await lockIdentity(db, tenant.id, person);
  if (roleIds.length === 0) {
    if (known) await leave(step, tenant.id, known, { provider: provider.name, others });
    return forbidden(provider, person.barred ?? `${person.username} is in no group that gives a role.`);
  }
  const userId = known ? known.id : await createUser(step, tenant.id, provider, person);
  if (known) refuseOut(known);
  const changed = known ? await updateNames(step, known, person) : undefined;
  const follower = { provider: provider.name, userId };
  const roles = await followGroups(step, tenant.id, { ...follower, roleIds });
  const session = await giveToken(step, { userId, sessionId: randomUUID(), loggedInOn: now });
  const changes = { ...follower, ...(known ? { changed } : { isNew: true }), ...roles, ...client };
  await recordTenantEvents(step, tenant.id, [{ operation: 'finishSignOn', actorId: userId, changes }]);
  return session;
}

export function selectTenant(db: Db, name: string): Promise<{ id: Id; disabled: boolean } | undefined> {
  return db.row(sql`select id, disabled from tenants where name = ${name}`);
}

/** The ids of the roles for a person. No provider makes operators of the installation, whatever roles it names. */
async function rolesOf({ db, log }: PublicContext, tenantId: Id, { roles }: Person): Promise<Id[]> {
  const found = await db.rows<{ id: Id; name: string }>(sql`
    select id, name from roles where tenant_id = ${tenantId} and name = any(${roles}::text[])
      and not 'manageInstallation' = any(permissions) order by id`);
  const missing = roles.filter((name) => !found.some((role) => role.name === name));
  if (missing.length > 0)
    log.warn(
      { roles: missing },
      'a provider of sign-ons gives roles that do not exist, or that no provider can give',
    );
  return found.map(({ id }) => id);
}

/** A user as a sign-on finds them. */
interface Known {
  readonly id: Id;
  /** The provider by which the user was created. */
  readonly provider: string;
  readonly username: string;
  readonly disabled: boolean;
  readonly isDeleted: boolean;
  readonly email: string;
  readonly firstName: string;
  readonly lastName: string;
}

/** The user created for a person at the provider, locked until the transaction ends. */
function lockIdentity(db: Db, tenantId: Id, { issuer, subject }: Person): Promise<Known | undefined> {
  return db.row<Known>(sql`
    select u.id, i.provider, u.username, u.disabled, u.deleted_on is not null as "isDeleted", u.email, u.first_name as "firstName",
      u.last_name as "lastName"
    from user_identities i join users u on u.id = i.user_id
    where i.tenant_id = ${tenantId} and i.issuer = ${issuer} and i.subject = ${subject} for no key update of u`);
}

function refuseOut({ username, disabled, isDeleted }: Known): void {
  if (!disabled) return;
  throw new SignOnRefusal(
    'FORBIDDEN',
    'Your user is disabled here. Ask an administrator.',
    `The user ${username} ${isDeleted ? 'was deleted' : 'is disabled'}.`,
  );
}

async function createUser(
  { db, now }: PublicContext,
  tenantId: Id,
  { name, title }: Provider,
  { username, email, firstName, lastName, ...person }: Person,
): Promise<Id> {
  if (await isTaken(db, username))
    throw new SignOnRefusal(
      'FORBIDDEN',
      `The user name ${username} is that of another user here, or of one who was deleted: ${title} cannot take it over. Ask an administrator.`,
      `The user name ${username} is that of another user.`,
    );
  const row = { tenantId, username, email, firstName, lastName, roleIds: [], createdBy: millrace };
  const userId = await insertUser(db, now, row);
  await refuseExcess(db, usersOf(tenantId));
  await db.rows(sql`
    insert into user_identities (tenant_id, issuer, subject, user_id, provider)
    values (${tenantId}, ${person.issuer}, ${person.subject}, ${userId}, ${name})`);
  return userId;
}

/** Whether somebody of any tenant has the name, or one that people cannot tell from it. */
async function isTaken(db: Db, username: string): Promise<boolean> {
  const row = await db.row(sql`
    select from users where lower(normalize(username, NFKC)) = lower(normalize(${username}::text, NFKC)) limit 1`);
  return row !== undefined;
}

/** Updates names. The user name stays, as past actions of the user are recorded under it. @returns the members that changed */
async function updateNames({ db, now }: PublicContext, known: Known, person: Person): Promise<string[]> {
  const members = ['email', 'firstName', 'lastName'] as const;
  const changed = members.filter((member) => known[member] !== person[member]);
  if (changed.length === 0) return [];
  await db.rows(sql`
    update users set email = ${person.email}, first_name = ${person.firstName}, last_name = ${person.lastName},
      version = version + 1, updated_by = ${known.id}, updated_on = ${now} where id = ${known.id}`);
  return changed;
}

/** A user, and the provider whose groups give the user's roles. */
interface Follower {
  readonly userId: Id;
  readonly provider: string;
}

interface Leaving {
  readonly provider: string;
  /** Providers that know the person as well, perhaps: what they gave stays. */
  readonly others: readonly string[];
}

/**
 * Whom a provider does not let in any more loses the roles that it gave, with all that API keys have by them, and the sessions that are open. Who
 * came by another provider has tried the wrong one, and loses nothing.
 */
async function leave(
  step: PublicContext,
  tenantId: Id,
  { id: userId, provider: first }: Known,
  { provider, others }: Leaving,
): Promise<void> {
  const roles = await followGroups(step, tenantId, { userId, provider, roleIds: [], spared: others });
  const isLeaving = Object.keys(roles).length > 0 || !others.includes(first);
  const endedSessions = isLeaving ? await endSessionsOf(step, userId) : 0;
  if (Object.keys(roles).length === 0 && endedSessions === 0) return;
  const changes = { provider, userId, ...roles, endedSessions, ...step.client };
  await recordTenantEvents(step, tenantId, [{ operation: 'finishSignOn', actorId: userId, changes }]);
}

interface Following extends Follower {
  /** The roles given by the groups now. */
  readonly roleIds: readonly Id[];
  /** Providers whose roles stay as they are. */
  readonly spared?: readonly string[];
}

/** Gives and takes the roles that follow the groups. Roles given by hand stay as they are. */
async function followGroups(
  { db }: PublicContext,
  tenantId: Id,
  { userId, provider, roleIds, spared = [] }: Following,
): Promise<object> {
  const before = await selectPerson(db, tenantId, userId);
  const taken = await db.rows<{ id: Id }>(sql`
    delete from user_roles where user_id = ${userId} and provider is not null and provider <> all(${spared}::text[])
      and role_id <> all(${roleIds}::bigint[]) returning role_id as id`);
  const given = await db.rows<{ id: Id }>(sql`
    insert into user_roles (user_id, role_id, provider) select ${userId}, unnest(${roleIds}::bigint[]), ${provider}
    on conflict do nothing returning role_id as id`);
  if (before && taken.length > 0) await refuseLast(db, tenantId, before);
  const idsOf = (rows: { id: Id }[]) => rows.map(({ id }) => id);
  return {
    ...(given.length > 0 && { rolesGiven: idsOf(given) }),
    ...(taken.length > 0 && { rolesTaken: idsOf(taken) }),
  };
}
