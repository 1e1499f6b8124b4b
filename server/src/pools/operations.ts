import type { Id, Schemas } from '@millrace/api';
import { refuseWhileBound } from '../automations/bound.ts';
import { deviceBell } from '../dispatch/bell.ts';
import { changedMembers } from '../events/rules.ts';
import { insertTenantEvents } from '../events/sql.ts';
import { listQuery } from '../lists.ts';
import type { Context, PlainOperation } from '../operation.ts';
import { findPool, readPool, seesAllDevices } from './find.ts';
import { changedPool, movedDevices, newPool, refuseUnknown, type PoolSettings } from './rules.ts';
import {
  countPools,
  deletePoolRow,
  insertPool,
  lockPool,
  poolFields,
  poolId,
  saveList,
  selectKnown,
  selectPools,
  updatePoolSettings,
} from './sql.ts';

export const createPool: PlainOperation<'createPool'> = async (context, { body }) => {
  const { db, actor, now } = context;
  const settings = newPool(body, actor.id);
  await refuseUnknownIds(context, settings);
  const id = await insertPool(db, actor.tenantId, settings, { actorId: actor.id, now });
  await saveLists(context, id, settings);
  wakeDevices(context, settings.deviceIds);
  await record(context, 'createPool', { poolId: id, ...settings });
  return readPool(context, id);
};

export const updatePool: PlainOperation<'updatePool'> = async (context, { path, body }) => {
  const { db, actor, now } = context;
  await lockPool(db, path.id);
  const pool = await findPool(context, path.id, 'edit');
  const settings = changedPool(pool, body);
  await refuseUnknownIds(context, settings);
  await updatePoolSettings(db, path.id, settings, { actorId: actor.id, now });
  await saveLists(context, path.id, settings);
  wakeDevices(context, movedDevices(pool, settings));
  await record(context, 'updatePool', { poolId: path.id, ...changedMembers(pool, settings) });
  // Whoever gave the pool away may not see it any more.
  return readPool(context, path.id);
};

async function refuseUnknownIds({ db, actor }: Context, settings: PoolSettings): Promise<void> {
  const managesAll = actor.permissions.has('manageDevices');
  refuseUnknown(settings, await selectKnown(db, actor, managesAll, settings));
}

async function saveLists({ db }: Context, id: Id, settings: PoolSettings): Promise<void> {
  for (const list of ['deviceIds', 'ownerIds', 'consumerRoleIds'] as const) {
    await saveList(db, id, list, settings[list]);
  }
}

/** Devices that wait for work look again: other queues are open to them now. */
function wakeDevices({ woken }: Context, ids: readonly Id[]): void {
  for (const id of ids) woken.set(deviceBell(id), 1);
}

function record({ db, actor, now }: Context, operation: string, changes: object): Promise<void> {
  return insertTenantEvents(db, actor.tenantId, [{ operation, actorId: actor.id, changes }], now);
}

export const deletePool: PlainOperation<'deletePool'> = async (context, { path }) => {
  const { db } = context;
  await lockPool(db, path.id);
  const { name } = await findPool(context, path.id, 'edit');
  await refuseWhileBound(db, path.id);
  await record(context, 'deletePool', { poolId: path.id, name });
  await deletePoolRow(db, path.id);
};

export const getPool: PlainOperation<'getPool'> = async (context, { path }) =>
  findPool(context, path.id, 'view');

export const listPools: PlainOperation<'listPools'> = async ({ db, actor }, { body }) => {
  const query = listQuery(body, poolFields, poolId);
  const seesAll = seesAllDevices(actor);
  const counts = await countPools(db, actor, seesAll, query.where);
  const list: Schemas['Pool'][] = await selectPools(db, actor, seesAll, query);
  return { page: { offset: query.offset, ...counts }, list };
};
