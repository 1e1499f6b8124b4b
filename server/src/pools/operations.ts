import type { Id, Schemas } from '@millrace/api';
import { listQuery } from '../lists.ts';
import type { Context, PlainOperation } from '../operation.ts';
import { findPool, seesAllDevices } from './find.ts';
import { newPool, refuseUnknown, type PoolSettings } from './rules.ts';
import { countPools, insertPool, poolFields, poolId, saveList, selectKnown, selectPools } from './sql.ts';

export const createPool: PlainOperation<'createPool'> = async (context, { body }) => {
  const { db, actor, now } = context;
  const settings = newPool(body, actor.id);
  await refuseUnknownIds(context, settings);
  const id = await insertPool(db, actor.tenantId, settings, { actorId: actor.id, now });
  await saveLists(context, id, settings);
  return findPool(context, id, 'view');
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

export const getPool: PlainOperation<'getPool'> = async (context, { path }) =>
  findPool(context, path.id, 'view');

export const listPools: PlainOperation<'listPools'> = async ({ db, actor }, { body }) => {
  const query = listQuery(body, poolFields, poolId);
  const seesAll = seesAllDevices(actor);
  const counts = await countPools(db, actor, seesAll, query.where);
  const list: Schemas['Pool'][] = await selectPools(db, actor, seesAll, query);
  return { page: { offset: query.offset, ...counts }, list };
};
