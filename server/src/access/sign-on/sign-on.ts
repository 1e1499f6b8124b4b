import { createHash, randomBytes, randomUUID } from 'node:crypto';
import type { Id, Schemas } from '@millrace/api';
import { sql, type Db } from '../../engine/db.ts';
import { Refusal } from '../../engine/errors.ts';
import { createFairLimiter, createLimiter } from '../../engine/limiter.ts';
import type { Functions, PublicContext, SteppedContext } from '../../engine/operation.ts';
import type { BegunSignOn, Person, Provider } from '../../engine/provider.ts';
import { refuseExcess } from '../../engine/quotas.ts';
import { millrace, recordTenantEvents } from '../../journal/journal.ts';
import { giveToken } from '../auth/authentication.ts';
import { hashOf, networkOf, recordFailure } from '../auth/failures.ts';
import { endSessionsOf } from '../auth/session-store.ts';
import { selectPerson } from '../people/people.ts';
import { lockPeople, refuseLast } from '../users/administrators.ts';
import { invalid } from '../users/rules.ts';
import { insertUser, usersOf } from '../users/users.ts';
import { SignOnRefusal } from './refusals.ts';
import type { ProviderSettings } from './settings.ts';

// As for log-ins: a flood from one address takes nothing from another. Most of the time is spent waiting for the provider.
const limit = createFairLimiter({ atOnce: 20, waiting: 100, waitingInAll: 1000, refusal: busy });

// However many wait for a provider, they use few connections at a time.
const limitSteps = createLimiter({ atOnce: 4, waiting: 1000, refusal: busy });
const inTurn =
  ({ transact }: SteppedContext): SteppedContext['transact'] =>
  (work) =>
    limitSteps(() => transact(work));

export const beginSignOn: Functions['beginSignOn'] = async (context, { body }) => {
  const { client, providers, log } = context;
  const transact = inTurn(context);
  const { next, port } = body;
  if (next !== undefined && !isConsolePath(next))
    throw invalid([{ field: 'next', message: 'must be a path of the console, such as /console/queues' }]);
  const provider = find(providers, body.provider);
  const network = networkOf(client.address);
  const signOn = { secret: randomBytes(32).toString('base64url'), redirectUri: provider.redirectUri(port) };
  return limit(network)(async () => {
    const url = await provider.begin(signOn).catch((error: unknown) => {
      if (error instanceof SignOnRefusal)
        log.warn({ provider: provider.name, reason: error.reason }, 'a sign-on could not begin');
      throw error;
    });
    await transact((step) => insertSignOn(step, { ...signOn, provider: provider.name, next, network }));
    return { url, secret: signOn.secret };
  });
};

export const finishSignOn: Functions['finishSignOn'] = async (context, { body }) => {
  const { client, providers } = context;
  const transact = inTurn(context);
  return limit(networkOf(client.address))(async () => {
    const begun = await transact((step) => takeSignOn(step, body.secret));
    if (!begun) throw notBegun();
    const provider = find(providers, begun.provider);
    try {
      const person = await provider.prove({ ...begun, secret: body.secret }, body);
      const more = await wayOut(provider);
      const others = providers.map(({ name }) => name).filter((name) => name !== provider.name);
      const session = await transact((step) => enter(step, provider, person, others));
      if (session instanceof Refusal) throw session;
      return { ...session, ...(begun.next !== undefined && { next: begun.next }), ...more };
    } catch (error) {
      if (error instanceof Refusal) await transact((step) => recordRefusal(step, provider, error));
      throw error;
    }
  });
};

function find(providers: readonly Provider[], name: string): Provider {
  const provider = providers.find((one) => one.name === name);
  if (provider) return provider;
  throw new Refusal(
    'NOT_FOUND',
    `Nobody signs on here by ${JSON.stringify(name.slice(0, 40))}. GET /v2/authentication/methods lists how people log in.`,
  );
}

function busy(): Refusal {
  return new Refusal(
    'UNAVAILABLE',
    'Too many sign-ons from this address are waiting already. Try again shortly.',
    {
      retryAfter: 1,
    },
  );
}

function notBegun(): Refusal {
  return new Refusal(
    'UNAUTHENTICATED',
    'This sign-on was not begun here, has been used, or took longer than ten minutes. Begin anew at the log-in page.',
  );
}

async function wayOut(provider: Provider): Promise<Pick<Schemas['Session'], 'logOutUrl'>> {
  const logOutUrl = await provider.logOutUrl();
  return logOutUrl === undefined ? {} : { logOutUrl };
}

const minutes = 10;
const mostOfNetwork = 1000;

interface NewSignOn extends BegunSignOn {
  readonly provider: string;
  readonly next: string | undefined;
  readonly network: string;
}

async function insertSignOn({ db, now }: PublicContext, signOn: NewSignOn): Promise<void> {
  const { secret, provider, redirectUri, next, network } = signOn;
  const [open] = await db.rows<{ count: number }>(sql`
    select count(*)::int as count from sign_ons where network = ${network} and expires_on > ${now}`);
  if (open && open.count >= mostOfNetwork)
    throw new Refusal(
      'TOO_MANY_REQUESTS',
      `${mostOfNetwork} sign-ons were begun from this address and not finished. Try again in some minutes.`,
      { retryAfter: 60 },
    );
  await db.rows(sql`
    insert into sign_ons (secret_hash, provider, redirect_uri, next, network, expires_on)
    values (${digest(secret)}, ${provider}, ${redirectUri}, ${next}, ${network},
      ${now}::timestamptz + ${minutes} * interval '1 minute')`);
}

interface TakenSignOn {
  readonly provider: string;
  readonly redirectUri: string;
  readonly next?: string;
}

/** The sign-on that began with a secret, deleted so that the secret works once. */
function takeSignOn({ db, now }: PublicContext, secret: string): Promise<TakenSignOn | undefined> {
  return db.row<TakenSignOn>(sql`
    delete from sign_ons where secret_hash = ${digest(secret)} and expires_on > ${now}
    returning provider, redirect_uri as "redirectUri", next`);
}

function digest(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

/** Records a refusal once a minute for each reason, provider and address, with their number. */
async function recordRefusal(
  step: PublicContext,
  { name, tenant }: Provider,
  refusal: Refusal,
): Promise<void> {
  const reason = refusal instanceof SignOnRefusal ? refusal.reason : refusal.message;
  const subject = hashOf(
    sql`'sign-on ' || ${name}::text || ' ' || ${networkOf(step.client.address)}::text || ' ' || ${reason}::text`,
  );
  await recordFailure(step, subject, {
    operation: 'finishSignOn',
    tenantId: await tenantIdOf(step.db, tenant),
    reason,
    changes: { provider: name, ...step.client },
  });
}

async function tenantIdOf(db: Db, name: string): Promise<Id | undefined> {
  return (await selectTenant(db, name))?.id;
}

/** Whether an address leads to a page of the console, and nowhere else. */
export function isConsolePath(next: string): boolean {
  if (!next.startsWith('/console/') || /[\\\p{Cc}]/u.test(next)) return false;
  const here = 'https://here.invalid';
  const { origin, pathname } = new URL(next, here);
  return origin === here && pathname.startsWith('/console/') && !pathname.includes('//');
}

/**
 * Lets in somebody whom a provider has proved: the user is created or brought up to date, and has a new session.
 * @param others the names of the other providers of the installation
 * @returns a refusal instead where its step has to stay
 * @throws Refusal
 */
async function enter(
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

function selectTenant(db: Db, name: string): Promise<{ id: Id; disabled: boolean } | undefined> {
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
  /** Providers that know the person as well, perhaps: the roles that they gave stay. */
  readonly others: readonly string[];
}

/**
 * A person whom a provider does not let in any more loses the roles that it gave, with all that API keys have by them, and the sessions that are
 * open. One who came by another provider has tried the wrong one, and loses nothing.
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

function forbidden({ title }: Pick<ProviderSettings, 'title'>, reason: string): SignOnRefusal {
  return new SignOnRefusal(
    'FORBIDDEN',
    `${title} knows you, but you are not among those who may use Millrace. Ask who runs it here.`,
    reason,
  );
}
