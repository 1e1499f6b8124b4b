import { createHash, randomBytes } from 'node:crypto';
import type { Id, Schemas } from '@millrace/api';
import { raw, sql, type Db } from '../../engine/db.ts';
import { storedName } from '../../engine/checks.ts';
import { Refusal } from '../../engine/errors.ts';
import { listQuery, pageOf, type ListQuery } from '../../engine/lists/lists.ts';
import type { Field } from '../../engine/lists/values.ts';
import type { Actor, Context, PlainOperation } from '../../engine/operation.ts';
import { refuseExcess, type Kind } from '../../engine/quotas.ts';
import { recordOfAccess } from '../../journal/journal.ts';
import { lockPeople, refuseLast, selectRemaining } from './administrators.ts';
import { seesAllQueues, type Permission } from './permissions.ts';
import { checkName, invalid, readPermissions, refuseBeyond } from './rules.ts';
import { queuesInReachOf } from './users.ts';

export const createApiKey: PlainOperation<'createApiKey'> = async (context, { body }) => {
  const { actor, now } = context;
  const { userId = actor.id } = body ?? {};
  const name = storedName(body?.name ?? '');
  checkName('name', name);
  const expiresOn = readExpiry('expiresOn', body?.expiresOn, now);
  const permissions = body?.permissions ? readKeyPermissions(body.permissions) : undefined;
  const queueIds = body?.queueIds ?? undefined;
  await refuseUnknownQueues(context, queueIds ?? []);
  const wanted = { permissions, queueIds };
  const scope = userId === actor.id ? wanted : await scopeFor(context, userId, wanted);
  const made = await addKey(context, { userId, name, expiresOn, ...scope });
  const changes = { apiKeyId: made.id, userId, name, ...scope };
  await recordOfAccess(context, { operation: 'createApiKey', changes });
  return made;
};

const day = 24 * 3_600_000;

export const rotateApiKey: PlainOperation<'rotateApiKey'> = async (context, { path, body }) => {
  const { db, actor, now } = context;
  const old = await lockApiKey(db, keysOf(actor), path.id);
  if (!old || (old.expiresOn && old.expiresOn <= now)) throw unknownKey(path.id);
  const { userId, name, permissions, queueIds } = old;
  const wanted = { permissions, queueIds };
  const scope = userId === actor.id ? wanted : await scopeFor(context, userId, wanted);
  const overlap = readExpiry('overlapUntil', body?.overlapUntil, now) ?? new Date(now.getTime() + day);
  const lifetime =
    old.expiresOn && new Date(now.getTime() + old.expiresOn.getTime() - old.createdOn.getTime());
  const expiresOn = readExpiry('expiresOn', body?.expiresOn, now) ?? lifetime;
  const oldExpiresOn = old.expiresOn && old.expiresOn < overlap ? old.expiresOn : overlap;
  const made = await addKey(context, { userId, name, expiresOn, ...scope, replaces: old.id });
  await setExpiry(db, old.id, oldExpiresOn);
  const changes = { apiKeyId: made.id, replaces: old.id, overlapUntil: oldExpiresOn, userId, name };
  await recordOfAccess(context, { operation: 'rotateApiKey', changes });
  return made;
};

/** Makes a key; this is the only answer that contains it. */
async function addKey(context: Context, key: KeyDescription): Promise<Schemas['ApiKey']> {
  const { db, actor, now } = context;
  const apiKey = makeApiKey();
  const row = { ...key, hash: hashApiKey(apiKey), prefix: apiKey.slice(0, 6), createdBy: actor.id };
  const made = await insertApiKey(db, now, row);
  await refuseExcess(db, keysOfUser(key.userId));
  return { ...made, apiKey };
}

const keysOfUser = (userId: Id): Kind => ({
  things: `API keys for user ${userId}`,
  rows: sql`api_keys where user_id = ${userId}`,
  quota: 100,
  wayOut: 'Revoke those that no program uses any more: DELETE /v2/usermanagement/apikeys/{id}.',
});

/** A new API key: 40 characters, 160 random bits. */
function makeApiKey(): string {
  return randomBytes(20).toString('hex');
}

/** The stored form of an API key, which is random enough that a fast hash hides it. */
export function hashApiKey(apiKey: string): Buffer {
  return createHash('sha256').update(apiKey).digest();
}

/** The end of an API key. @throws Refusal INVALID_REQUEST when it is not in the future. */
export function readExpiry(field: string, text: string | null | undefined, now: Date): Date | undefined {
  if (text === null || text === undefined) return undefined;
  const expiresOn = new Date(text);
  if (expiresOn > now) return expiresOn;
  throw invalid([{ field, message: 'must be a time in the future' }]);
}

/**
 * The scope of a key for somebody else, whose maker keeps a copy: no more than its user may do now, in queues that the maker owns or
 * manages, so that it opens nothing that the user is given later.
 */
async function scopeFor(context: Context, userId: Id, wanted: KeyScope): Promise<KeyScope> {
  const { db, actor } = context;
  if (!actor.permissions.has('manageUsers')) {
    throw new Refusal(
      'FORBIDDEN',
      'An API key for somebody else needs the permission manageUsers. Leave out userId.',
    );
  }
  const present = await selectPermissions(db, actor.tenantId, userId);
  const scope = keyPermissionsFor(present, wanted.permissions);
  refuseBeyond(actor.permissions, present ?? [], 'An API key for this user');
  if (actor.permissions.has('manageAllQueues')) return { permissions: scope, queueIds: wanted.queueIds };
  return { permissions: scope, queueIds: await ownQueuesOf(context, userId, wanted.queueIds) };
}

/** The wanted queues, or else those of the user: the ones among them that the caller owns. @throws Refusal FORBIDDEN */
async function ownQueuesOf({ db, actor }: Context, userId: Id, wanted?: readonly Id[]): Promise<Id[]> {
  const rows = await db.rows<{ id: Id }>(sql`
    select m.queue_id as id from queue_members m where m.user_id = ${actor.id} and m.role = 'OWNER'
      and (m.queue_id = any(${wanted}::bigint[])
        or ${wanted === undefined} and m.queue_id in (select r.queue_id from (${queuesInReachOf(userId)}) r))
    order by m.queue_id`);
  const own = rows.map(({ id }) => id);
  if (own.length > 0 && own.length === new Set(wanted ?? own).size) return own;
  throw new Refusal(
    'FORBIDDEN',
    'An API key for this user is good for queues that you own alone, as it could open others that they come into. ' +
      'Name such queues in queueIds. Ask an owner of the queue, or somebody who manages all queues.',
  );
}

const keyFields: Record<string, Field> = {
  id: { column: raw('k.id'), type: 'id' },
  name: { column: raw('k.name'), type: 'text' },
  userId: { column: raw('k.user_id'), type: 'id' },
  createdBy: { column: raw('k.created_by'), type: 'id' },
  createdOn: { column: raw('k.created_on'), type: 'time' },
  expiresOn: { column: raw('k.expires_on'), type: 'time' },
  lastUsedOn: { column: raw('k.last_used_on'), type: 'time' },
};

export const listApiKeys: PlainOperation<'listApiKeys'> = async ({ db, actor }, { body }) => {
  const query = listQuery(body, keyFields, raw('k.id'));
  const reach = keysOf(actor);
  const page = await pageOf(db, query, sql`api_keys k where ${inReach(reach)}`);
  return { page, list: await selectApiKeys(db, reach, query) };
};

/** A key counts as a way to log in: the last administrator keeps one. */
export const revokeApiKey: PlainOperation<'revokeApiKey'> = async (context, { path }) => {
  const { db, actor } = context;
  await lockPeople(db);
  const before = await selectRemaining(db, actor.tenantId);
  const userId = await deleteApiKey(db, keysOf(actor), path.id);
  if (userId === undefined) throw unknownKey(path.id);
  const offices = { isAdministrator: before.hasAdministrator, isOperator: before.hasOperator };
  await refuseLast(db, actor.tenantId, offices);
  await recordOfAccess(context, { operation: 'revokeApiKey', changes: { apiKeyId: path.id, userId } });
};

function unknownKey(id: Id): Refusal {
  return new Refusal('NOT_FOUND', `There is no API key ${id}, or it has ended, or it is not yours.`);
}

function keysOf({ tenantId, id, permissions }: Actor): Reach {
  return { tenantId, userId: permissions.has('manageUsers') ? undefined : id };
}

/** The permissions of a user of the tenant; undefined when there is no such user. */
async function selectPermissions(db: Db, tenantId: Id, userId: Id): Promise<string[] | undefined> {
  const row = await db.row<{ permissions: string[] }>(sql`
    select array(select distinct unnest(r.permissions) from user_roles ur join roles r on r.id = ur.role_id
                  where ur.user_id = u.id) as permissions
    from users u where u.id = ${userId} and u.tenant_id = ${tenantId} and u.deleted_on is null`);
  return row?.permissions;
}

const keyColumns = raw(`
  k.id, k.name, k.user_id as "userId", k.prefix, k.permissions, k.queue_ids as "queueIds", k.expires_on as "expiresOn",
  k.last_used_on as "lastUsedOn", k.replaces, k.created_by as "createdBy", k.created_on as "createdOn"`);

/** The scope of an API key: all permissions and queues of its user, unless it is limited. */
interface KeyScope {
  readonly permissions?: readonly string[] | undefined;
  readonly queueIds?: readonly Id[] | undefined;
}

/** The purpose and the scope of an API key. */
interface KeyDescription extends KeyScope {
  readonly userId: Id;
  readonly name: string;
  readonly expiresOn?: Date | undefined;
  readonly replaces?: Id;
}

/** An API key before it is stored. */
interface NewApiKeyRow extends KeyDescription {
  readonly hash: Buffer;
  readonly prefix: string;
  readonly createdBy: Id;
}

async function insertApiKey(db: Db, now: Date, key: NewApiKeyRow): Promise<Schemas['ApiKey']> {
  const { userId, name, hash, prefix, expiresOn, permissions, queueIds, replaces, createdBy } = key;
  const [row] = await db.rows<Schemas['ApiKey']>(sql`
    insert into api_keys as k (user_id, name, hash, prefix, expires_on, permissions, queue_ids, replaces, created_by, created_on)
    values (${userId}, ${name}, ${hash}, ${prefix}, ${expiresOn}, ${permissions}::text[], ${queueIds}::bigint[], ${replaces},
      ${createdBy}, ${now})
    returning ${keyColumns}`);
  return row as Schemas['ApiKey'];
}

/** The users whose keys a caller may see: one user, or all of the tenant. */
interface Reach {
  readonly tenantId: Id;
  readonly userId: Id | undefined;
}

const inReach = ({ tenantId, userId }: Reach) =>
  userId === undefined
    ? sql`k.user_id in (select u.id from users u where u.tenant_id = ${tenantId})`
    : sql`k.user_id = ${userId}`;

function selectApiKeys(db: Db, reach: Reach, { where, orderBy, limit, offset }: ListQuery) {
  return db.rows<Schemas['ApiKey']>(sql`
    select ${keyColumns} from api_keys k where ${inReach(reach)} and ${where}
    order by ${orderBy} limit ${limit} offset ${offset}`);
}

/** An API key to be replaced, locked against being replaced twice. */
function lockApiKey(db: Db, reach: Reach, id: Id) {
  return db.row<KeyDescription & { id: Id; createdOn: Date }>(sql`
    select ${keyColumns} from api_keys k where k.id = ${id} and ${inReach(reach)} for update`);
}

async function setExpiry(db: Db, id: Id, expiresOn: Date): Promise<void> {
  await db.rows(sql`update api_keys set expires_on = ${expiresOn} where id = ${id}`);
}

/** Refuses queues that the caller does not see, as if they did not exist. @throws Refusal INVALID_REQUEST that names each */
async function refuseUnknownQueues({ db, actor }: Context, queueIds: readonly Id[]): Promise<void> {
  const rows = await db.rows<{ id: Id }>(sql`
    select q.id from queues q where q.id = any(${queueIds}::bigint[]) and q.tenant_id = ${actor.tenantId}
      and (${seesAllQueues(actor.permissions)}::boolean
        or exists (select from queue_members m where m.queue_id = q.id and m.user_id = ${actor.id})
        or exists (select from queue_consumers c join user_roles ur on ur.role_id = c.role_id
             where c.queue_id = q.id and ur.user_id = ${actor.id}))`);
  const known = new Set(rows.map(({ id }) => String(id)));
  const details = queueIds.flatMap((id, index) =>
    known.has(String(id)) ? [] : [{ index, field: `queueIds.${index}`, message: `there is no queue ${id}` }],
  );
  if (details.length > 0) throw invalid(details);
}

/** Deletes the key. @returns the id of its user; undefined when there is no such key in reach */
async function deleteApiKey(db: Db, reach: Reach, id: Id): Promise<Id | undefined> {
  const row = await db.row<{ userId: Id }>(
    sql`delete from api_keys k where k.id = ${id} and ${inReach(reach)} returning k.user_id as "userId"`,
  );
  return row?.userId;
}

/** The permissions of an API key. @throws Refusal INVALID_REQUEST, also for keys that could make others */
function readKeyPermissions(names: readonly string[]): Permission[] {
  const read = readPermissions(names);
  if (!read.includes('generateApiKey')) return read;
  throw invalid([
    {
      field: 'permissions',
      message: 'cannot have generateApiKey: a key that is good for less must make no other',
    },
  ]);
}

/**
 * The permissions of a key made for another user: of the wanted ones, those that its user has now, without the permission to make keys.
 * @param present those of the user; undefined when there is no such user
 * @throws Refusal INVALID_REQUEST for a user who could not use the key, or could do nothing with it
 */
function keyPermissionsFor(
  present: readonly string[] | undefined,
  wanted: readonly string[] | undefined,
): string[] {
  if (!present) throw invalid([{ field: 'userId', message: 'names no user' }]);
  if (!present.includes('generateApiKey'))
    throw invalid([{ field: 'userId', message: 'names a user without the permission generateApiKey' }]);
  const scope = present.filter((one) => one !== 'generateApiKey' && (wanted?.includes(one) ?? true));
  if (scope.length > 0) return scope;
  const message = 'has none that this user has: a key for somebody else is good for what they may do now';
  throw invalid([{ field: 'permissions', message }]);
}
