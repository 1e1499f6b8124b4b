import type { Id, Schemas } from '@millrace/api';
import { nameProblems, storedName } from '../../engine/checks.ts';
import { raw, sql, type Db, type Sql } from '../../engine/db.ts';
import { Refusal, refuseStale, registerConstraints, type ErrorDetail } from '../../engine/errors.ts';
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
import { findPool, namesOfAutomations, readPool, selectBound, type NamedAutomation } from './pools.ts';

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

/** The ids of the pools that a user owns, as SQL. */
function poolsOwnedBy(userId: Id): Sql {
  return sql`select o.pool_id from pool_owners o where o.user_id = ${userId}`;
}

/**
 * The ids for a pool that belong to the tenant. Of the devices, those that the user may give away: any, or those of the user's own pools;
 * they are locked against deletion.
 */
async function selectKnown(
  db: Db,
  user: Pick<Actor, 'id' | 'tenantId'>,
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

/** @throws Refusal IN_USE that names the automations of a pool, which cannot be deleted under them */
async function refuseWhileBound(db: Db, poolId: Id): Promise<void> {
  refuseBound(poolId, await selectBound(db, { poolId }));
}

/** @throws Refusal IN_USE that names the automations bound to a pool */
export function refuseBound(poolId: Id, bound: readonly NamedAutomation[]): void {
  if (bound.length === 0) return;
  const them = bound.length === 1 ? 'it' : 'them';
  throw new Refusal('IN_USE', `Pool ${poolId} has the ${namesOfAutomations(bound)}. Delete ${them} first.`);
}

/** The settings of a pool that a person may change. */
type PoolSettings = Pick<Schemas['Pool'], (typeof settingNames)[number]>;

const settingNames = [
  'name',
  'description',
  'scheme',
  'timeSliceSeconds',
  'deviceIds',
  'ownerIds',
  'consumerRoleIds',
] as const;

/** The settings of a new pool, which belongs to its creator unless owners are named. @throws Refusal INVALID_REQUEST */
export function newPool(sent: Schemas['NewPool'], creatorId: Id): PoolSettings {
  const defaults: PoolSettings = {
    name: sent.name,
    description: '',
    scheme: 'FAIR',
    timeSliceSeconds: 300,
    deviceIds: [],
    ownerIds: [creatorId],
    consumerRoleIds: [],
  };
  return settle({ ...defaults, ...settingsIn(sent) });
}

/** The settings of a pool after a change. @throws Refusal VERSION_CONFLICT, INVALID_REQUEST */
export function changedPool(current: Schemas['Pool'], sent: Schemas['PoolUpdate']): PoolSettings {
  refuseStale('pool', current, sent);
  return settle({ ...settingsIn(current), ...settingsIn(sent) } as PoolSettings, current.name);
}

function settingsIn(sent: Partial<Schemas['Pool']>): Partial<PoolSettings> {
  return Object.fromEntries(
    settingNames.flatMap((name) => (sent[name] === undefined ? [] : [[name, sent[name]]])),
  );
}

/** The lists are sets: each id once, sorted, in the form in which they are read later. */
function settle(
  { deviceIds, ownerIds, consumerRoleIds, ...settings }: PoolSettings,
  currentName?: string,
): PoolSettings {
  const details = nameProblems(settings.name, currentName);
  if (details.length > 0) throw invalid(details);
  return {
    ...settings,
    name: settings.name === currentName ? settings.name : storedName(settings.name),
    deviceIds: sortedSet(deviceIds),
    ownerIds: sortedSet(ownerIds),
    consumerRoleIds: sortedSet(consumerRoleIds),
  };
}

function sortedSet(ids: readonly Id[]): Id[] {
  return [...new Set(ids)].toSorted((one, other) => (one < other ? -1 : 1));
}

/** The sent ids that a pool may name. */
type Known = Pick<PoolSettings, 'deviceIds' | 'ownerIds' | 'consumerRoleIds'>;

const lists = {
  deviceIds: 'device that you may put into a pool',
  ownerIds: 'user',
  consumerRoleIds: 'role',
} as const;

/** @throws Refusal INVALID_REQUEST that names each id that is unknown */
export function refuseUnknown(settings: PoolSettings, known: Known): void {
  const details = Object.entries(lists).flatMap(([list, kind]) => {
    const field = list as keyof typeof lists;
    const there = new Set(known[field]);
    const unknown = settings[field].filter((id) => !there.has(id));
    return unknown.map((id) => ({ field, message: `names no ${kind}: there is none with the id ${id}` }));
  });
  if (details.length > 0) throw invalid(details);
}

function invalid(details: ErrorDetail[]): Refusal {
  const sentences = details.map(({ field, message }) => `${field} ${message}`).join('; ');
  return new Refusal('INVALID_REQUEST', `This is no pool: ${sentences}.`, { details });
}

/** The devices that came into the pool or left it. */
export function movedDevices(
  before: Pick<PoolSettings, 'deviceIds'>,
  after: Pick<PoolSettings, 'deviceIds'>,
): Id[] {
  const [old, wanted] = [new Set(before.deviceIds), new Set(after.deviceIds)];
  const came = after.deviceIds.filter((id) => !old.has(id));
  const left = before.deviceIds.filter((id) => !wanted.has(id));
  return [...came, ...left];
}
