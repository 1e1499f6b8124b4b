import type { Id, Schemas } from '@millrace/api';
import { raw, sql, type Db, type Sql } from '../../engine/db.ts';
import { Refusal, registerConstraints } from '../../engine/errors.ts';
import { listQuery, pageOf } from '../../engine/lists/lists.ts';
import type { Field } from '../../engine/lists/values.ts';
import {
  authorOf,
  type Actor,
  type Author,
  type Context,
  type PlainOperation,
} from '../../engine/operation.ts';
import { refuseExcess, refuseLookalike, type Kind } from '../../engine/quotas.ts';
import { deviceWakeUp } from '../../engine/wake-ups.ts';
import { changedMembers, recordOfAccess } from '../../journal/journal.ts';
import {
  changedPool,
  movedDevices,
  newPool,
  poolCapabilitiesOf,
  refuseBound,
  refuseUnknown,
  type Known,
  type NamedAutomation,
  type PoolCapability,
  type PoolMembership,
  type PoolSettings,
} from './rules.ts';

export const createPool: PlainOperation<'createPool'> = async (context, { body }) => {
  const { db, actor } = context;
  const settings = newPool(body, actor.id);
  await refuseUnknownIds(context, settings);
  const id = await insertPool(db, actor.tenantId, settings, authorOf(context));
  await refuseExcess(db, poolsOfTenant(actor.tenantId));
  await refuseNamesake(context, settings.name);
  await saveLists(context, id, settings);
  wakeDevices(context, settings.deviceIds);
  await recordOfAccess(context, { operation: 'createPool', changes: { poolId: id, ...settings } });
  return readPool(context, id);
};

export const updatePool: PlainOperation<'updatePool'> = async (context, { path, body }) => {
  const { db } = context;
  await lockPool(db, path.id);
  const pool = await findPool(context, path.id, 'edit');
  const settings = changedPool(pool, body);
  await refuseUnknownIds(context, settings);
  await updatePoolSettings(db, path.id, settings, authorOf(context));
  if (settings.name !== pool.name) await refuseNamesake(context, settings.name);
  await saveLists(context, path.id, settings);
  wakeDevices(context, movedDevices(pool, settings));
  await recordOfAccess(context, {
    operation: 'updatePool',
    changes: { poolId: path.id, ...changedMembers(pool, settings) },
  });
  // A caller who gave the pool away may not see it any more.
  return readPool(context, path.id);
};

const poolsOfTenant = (tenantId: Id): Kind => ({
  things: 'pools in this tenant',
  rows: sql`pools where tenant_id = ${tenantId}`,
  quota: 10_000,
  wayOut: 'Delete those that nobody needs first.',
});

function refuseNamesake({ db, actor }: Context, name: string): Promise<void> {
  return refuseLookalike(db, poolsOfTenant(actor.tenantId).rows, raw('name'), name);
}

async function refuseUnknownIds({ db, actor }: Context, settings: PoolSettings): Promise<void> {
  const managesAll = actor.permissions.has('manageDevices');
  refuseUnknown(settings, await selectKnown(db, actor, managesAll, settings));
}

async function saveLists({ db }: Context, id: Id, settings: PoolSettings): Promise<void> {
  for (const list of ['deviceIds', 'ownerIds', 'consumerRoleIds'] as const) {
    await saveList(db, id, list, settings[list]);
  }
}

/** Wakes waiting devices: other queues are open to them now. */
function wakeDevices({ wake }: Context, ids: readonly Id[]): void {
  for (const id of ids) wake(deviceWakeUp(id), 1);
}

export const deletePool: PlainOperation<'deletePool'> = async (context, { path }) => {
  const { db } = context;
  await lockPool(db, path.id);
  const { name } = await findPool(context, path.id, 'edit');
  await refuseWhileBound(db, path.id);
  await recordOfAccess(context, { operation: 'deletePool', changes: { poolId: path.id, name } });
  await deletePoolRow(db, path.id);
};

export const getPool: PlainOperation<'getPool'> = async (context, { path }) =>
  findPool(context, path.id, 'view');

export const listPools: PlainOperation<'listPools'> = async ({ db, actor }, { body }) => {
  const query = listQuery(body, poolFields, poolTieBreak);
  const seesAll = seesAllDevices(actor);
  const page = await pageOf(db, query, sql`pools p where ${inScope(actor, seesAll)}`);
  const { where, orderBy, limit, offset } = query;
  const rest = sql`${inScope(actor, seesAll)} and ${where} order by ${orderBy} limit ${limit} offset ${offset}`;
  return { page, list: await selectPools(db, actor, rest) };
};

/** Whether a user may see all devices and pools of the tenant. */
export function seesAllDevices({ permissions }: Pick<Actor, 'permissions'>): boolean {
  return permissions.has('viewDevices') || permissions.has('manageDevices');
}

/** The fields by which pools can be filtered and sorted. */
const poolFields: Record<string, Field> = {
  id: { column: raw('p.id'), type: 'id' },
  name: { column: raw('p.name'), type: 'text' },
  scheme: { column: raw('p.scheme'), type: ['ROUND_ROBIN', 'PRIORITY', 'FAIR'] },
  deviceCount: {
    column: raw('(select count(*) from pool_devices d where d.pool_id = p.id)'),
    type: 'integer',
  },
  createdOn: { column: raw('p.created_on'), type: 'time' },
  updatedOn: { column: raw('p.updated_on'), type: 'time' },
};

const poolTieBreak: Sql = raw('p.id');

type User = Pick<Actor, 'id' | 'tenantId'>;

/** The ids of the pools that a user owns, as SQL. */
function poolsOwnedBy(userId: Id): Sql {
  return sql`select o.pool_id from pool_owners o where o.user_id = ${userId}`;
}

/** The ids of the pools that a user owns or consumes, as SQL. */
export function poolsOfUser(userId: Id): Sql {
  return sql`
    select o.pool_id from pool_owners o where o.user_id = ${userId}
    union all
    select c.pool_id from pool_consumers c join user_roles ur on ur.role_id = c.role_id where ur.user_id = ${userId}`;
}

function inScope(user: User, seesAll: boolean): Sql {
  if (seesAll) return sql`p.tenant_id = ${user.tenantId}`;
  return sql`p.tenant_id = ${user.tenantId} and p.id in (${poolsOfUser(user.id)})`;
}

/** Pools with a user's capabilities for each of them. @param rest the SQL after `where` */
async function selectPools(db: Db, actor: Actor, rest: Sql): Promise<Schemas['Pool'][]> {
  const rows = await db.rows<Schemas['Pool'] & { memberships: PoolMembership[] }>(sql`
    select ${poolColumns}, ${membershipsOf(actor.id)} as memberships from pools p where ${rest}`);
  return rows.map(({ memberships, ...pool }) => ({
    ...pool,
    capabilities: [...poolCapabilitiesOf([...memberships, ...membershipsByPermission(actor)])],
  }));
}

/**
 * The ids for a pool that belong to the tenant. Of the devices, those that the user may give away: any, or those of the user's own pools;
 * they are locked against deletion.
 */
async function selectKnown(
  db: Db,
  user: User,
  managesAll: boolean,
  { deviceIds, ownerIds, consumerRoleIds }: Known,
): Promise<Known> {
  const row = await db.row<Known>(sql`
    select
      array(select d.id from devices d
        where d.tenant_id = ${user.tenantId} and d.id = any(${deviceIds}::bigint[])
          and (${managesAll} or exists (
            select from pool_devices pd where pd.device_id = d.id and pd.pool_id in (${poolsOwnedBy(user.id)})))
        for key share of d) as "deviceIds",
      array(select u.id from users u
        where u.tenant_id = ${user.tenantId} and u.id = any(${ownerIds}::bigint[])) as "ownerIds",
      array(select r.id from roles r
        where r.tenant_id = ${user.tenantId} and r.id = any(${consumerRoleIds}::bigint[])) as "consumerRoleIds"`);
  return row ?? { deviceIds: [], ownerIds: [], consumerRoleIds: [] };
}

registerConstraints({
  pools_name_unique: {
    code: 'NAME_TAKEN',
    message: 'A pool of this name exists already. Choose another name.',
  },
  pool_consumers_role_id_fkey: {
    code: 'IN_USE',
    message:
      'The role is a consumer of a pool, or was deleted at this moment. POST /v4/wlm/pools/list shows the pools: take the role off first.',
  },
});

/** Stores a pool without its lists; returns its id. */
async function insertPool(
  db: Db,
  tenantId: Id,
  { name, description, scheme, timeSliceSeconds }: PoolSettings,
  { actorId, now }: Author,
): Promise<Id> {
  const [row] = await db.rows<{ id: Id }>(sql`
    insert into pools (tenant_id, name, description, scheme, time_slice_seconds, created_by, created_on, updated_by,
      updated_on)
    values (${tenantId}, ${name}, ${description}, ${scheme}, ${timeSliceSeconds}, ${actorId}, ${now}, ${actorId}, ${now})
    returning id`);
  return (row as { id: Id }).id;
}

/** Changes a pool without its lists, one version up. */
async function updatePoolSettings(
  db: Db,
  id: Id,
  { name, description, scheme, timeSliceSeconds }: PoolSettings,
  { actorId, now }: Author,
): Promise<void> {
  await db.rows(sql`
    update pools set name = ${name}, description = ${description}, scheme = ${scheme},
      time_slice_seconds = ${timeSliceSeconds}, version = version + 1, updated_by = ${actorId}, updated_on = ${now}
    where id = ${id}`);
}

/** Locks a pool: its changes come one after the other, and no automation is bound to it meanwhile. */
async function lockPool(db: Db, id: Id): Promise<void> {
  await db.rows(sql`select from pools where id = ${id} for update`);
}

/** Deletes a pool to which nothing is bound, with its lists. */
async function deletePoolRow(db: Db, id: Id): Promise<void> {
  await db.rows(sql`delete from pools where id = ${id}`);
}

const tableByList = {
  deviceIds: { table: raw('pool_devices'), column: raw('device_id') },
  ownerIds: { table: raw('pool_owners'), column: raw('user_id') },
  consumerRoleIds: { table: raw('pool_consumers'), column: raw('role_id') },
} as const;

/** Replaces the ids in a list of the pool. */
async function saveList(db: Db, id: Id, list: keyof Known, ids: readonly Id[]): Promise<void> {
  const { table, column } = tableByList[list];
  await db.rows(sql`
    with gone as (delete from ${table} where pool_id = ${id} and ${column} <> all(${ids}::bigint[]))
    insert into ${table} (pool_id, ${column}) select ${id}, unnest(${ids}::bigint[]) on conflict do nothing`);
}

type Where = Pick<Context, 'db' | 'actor'>;

/** A pool; the caller must already be known to see it. @throws Refusal NOT_FOUND */
async function readPool({ db, actor }: Where, id: Id): Promise<Schemas['Pool']> {
  const [pool] = await selectPools(db, actor, sql`p.id = ${id}`);
  if (pool) return pool;
  throw noPool(id);
}

function noPool(id: Id): Refusal {
  return new Refusal('NOT_FOUND', `There is no pool ${id} for you. POST /v4/wlm/pools/list lists those.`);
}

/** The capabilities of the caller in a pool; none when the tenant has no such pool. */
export async function poolCapabilities({ db, actor }: Where, id: Id): Promise<ReadonlySet<PoolCapability>> {
  const memberships = await selectPoolMemberships(db, actor, id);
  return poolCapabilitiesOf(memberships ? [...memberships, ...membershipsByPermission(actor)] : []);
}

function membershipsByPermission({ permissions }: Actor): PoolMembership[] {
  return [
    ...(permissions.has('viewDevices') ? ['VIEWER' as const] : []),
    ...(permissions.has('manageDevices') ? ['POOL_ADMIN' as const] : []),
  ];
}

/** The memberships of a user in the pool `p`, as SQL. */
function membershipsOf(userId: Id): Sql {
  return sql`array(
    select 'OWNER' from pool_owners o where o.pool_id = p.id and o.user_id = ${userId}
    union select 'CONSUMER' from pool_consumers c join user_roles ur on ur.role_id = c.role_id
     where c.pool_id = p.id and ur.user_id = ${userId})`;
}

/** The capabilities of the caller in each of these pools of the tenant, in the same order. */
export async function poolCapabilitiesIn(
  { db, actor }: Where,
  ids: readonly Id[],
): Promise<ReadonlySet<PoolCapability>[]> {
  const rows = await db.rows<{ memberships: PoolMembership[] }>(sql`
    select ${membershipsOf(actor.id)} as memberships
    from unnest(${ids}::bigint[]) with ordinality as p (id, place) order by p.place`);
  return rows.map(({ memberships }) =>
    poolCapabilitiesOf([...memberships, ...membershipsByPermission(actor)]),
  );
}

/** The memberships of a user in a pool; undefined when the tenant has no such pool. */
async function selectPoolMemberships(db: Db, user: User, id: Id): Promise<PoolMembership[] | undefined> {
  const row = await db.row<{ memberships: PoolMembership[] }>(sql`
    select ${membershipsOf(user.id)} as memberships from pools p where p.id = ${id} and p.tenant_id = ${user.tenantId}`);
  return row?.memberships;
}

/** A pool for which the caller has the capability. @throws Refusal NOT_FOUND, or FORBIDDEN when it may be seen. */
async function findPool(context: Where, id: Id, capability: PoolCapability): Promise<Schemas['Pool']> {
  const capabilities = await poolCapabilities(context, id);
  if (!capabilities.has('view')) throw noPool(id);
  if (capabilities.has(capability)) return readPool(context, id);
  throw new Refusal(
    'FORBIDDEN',
    `You may not ${capability} pool ${id}. Ask one of its owners, or a pool admin.`,
  );
}

/** @throws Refusal IN_USE that names the automations of a pool, which cannot be deleted under them */
async function refuseWhileBound(db: Db, poolId: Id): Promise<void> {
  refuseBound(poolId, await selectBound(db, { poolId }));
}

/** The automations of a queue, which cannot be deleted under them: the first few. */
export function automationsOf(db: Db, queueId: Id): Promise<NamedAutomation[]> {
  return selectBound(db, { queueId });
}

/** The queue or the pool that automations are bound to. */
type Binding = { readonly queueId: Id } | { readonly poolId: Id };

const namedAutomations = 10;

/** The first automations of a queue or of a pool. */
function selectBound(db: Db, binding: Binding): Promise<NamedAutomation[]> {
  const isBound =
    'queueId' in binding ? sql`a.queue_id = ${binding.queueId}` : sql`a.pool_id = ${binding.poolId}`;
  return db.rows(
    sql`select a.id, a.name from automations a where ${isBound} order by a.id limit ${namedAutomations}`,
  );
}

const poolColumns = raw(`p.id, p.name, p.description, p.scheme, p.time_slice_seconds as "timeSliceSeconds",
  array(select d.device_id from pool_devices d where d.pool_id = p.id order by d.device_id) as "deviceIds",
  array(select o.user_id from pool_owners o where o.pool_id = p.id order by o.user_id) as "ownerIds",
  array(select c.role_id from pool_consumers c where c.pool_id = p.id order by c.role_id) as "consumerRoleIds",
  (select count(*) from pool_devices d where d.pool_id = p.id) as "deviceCount",
  p.created_by as "createdBy", p.created_on as "createdOn", p.updated_by as "updatedBy", p.updated_on as "updatedOn",
  p.version`);
