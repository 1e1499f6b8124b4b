import type { Id, Schemas } from '@millrace/api';
import { deviceBell } from '../dispatch/bell.ts';
import { changedMembers } from '../events/rules.ts';
import { listQuery } from '../lists.ts';
import type { Context, PlainOperation } from '../operation.ts';
import { takeBackFrom } from '../work-items/take-back.ts';
import { findDevice, findManagedDevice, scopeOf } from './find.ts';
import { recordOfDevices } from './presence.ts';
import { changedByHand, decideState, refuseWhileBusy, type StateChange } from './rules.ts';
import {
  countDevices,
  deleteDeviceRow,
  deviceFields,
  deviceTieBreak,
  lockDevice,
  selectDevices,
  updateByHand,
  updateState,
} from './sql.ts';

type Device = Schemas['Device'];

export const getDevice: PlainOperation<'getDevice'> = async (context, { path }) =>
  findDevice(context, path.id);

export const listDevices: PlainOperation<'listDevices'> = async ({ db, actor }, { body }) => {
  const query = listQuery(body, deviceFields, deviceTieBreak);
  const scope = scopeOf(actor);
  const counts = await countDevices(db, scope, query.where);
  return { page: { offset: query.offset, ...counts }, list: await selectDevices(db, scope, query) };
};

export const updateDevice: PlainOperation<'updateDevice'> = async (context, { path, body }) => {
  const { db, actor, now } = context;
  await lockDevice(db, path.id);
  const device = await findDevice(context, path.id);
  const wanted = changedByHand(device, body);
  await updateByHand(db, device.id, wanted, { actorId: actor.id, now });
  await record(context, device.id, 'updateDevice', { changes: changedMembers(device, wanted) });
  return findDevice(context, device.id);
};

export const deleteDevice: PlainOperation<'deleteDevice'> = async (context, { path }) => {
  const { db } = context;
  await lockDevice(db, path.id);
  const device = await findDevice(context, path.id);
  refuseWhileBusy(device);
  await record(context, device.id, 'deleteDevice', { changes: { hostName: device.hostName } });
  await deleteDeviceRow(db, device.id);
};

export const drainDevice: PlainOperation<'drainDevice'> = async (context, { path, body }) =>
  changeState(context, path.id, 'drain', body.reason);

export const quarantineDevice: PlainOperation<'quarantineDevice'> = async (context, { path, body }) =>
  changeState(context, path.id, 'quarantine', body.reason);

export const resumeDevice: PlainOperation<'resumeDevice'> = async (context, { path, body }) =>
  changeState(context, path.id, 'resume', body?.reason);

async function changeState(
  context: Context,
  id: Id,
  change: StateChange,
  reason: string | undefined,
): Promise<Device> {
  const { db, actor, now } = context;
  await lockDevice(db, id);
  const device = await findManagedDevice(context, id);
  const state = decideState(device, change);
  const hold = { state, reason: state === 'ACTIVE' ? undefined : reason };
  await updateState(db, id, hold, { actorId: actor.id, now });
  await record(context, id, `${change}Device`, { reason, changes: { state } });
  if (state === 'QUARANTINED') {
    const why = { operation: 'quarantineDevice', actorId: actor.id, reason: `quarantined: ${reason}` };
    await takeBackFrom(context, id, why);
  }
  return findDevice(context, id);
}

/** Puts it on record, and has the device look again if it waits for work. */
function record(
  context: Context,
  id: Id,
  operation: string,
  what: { reason?: string | undefined; changes: object },
): Promise<void> {
  context.woken.set(deviceBell(id), 1);
  const { id: actorId, tenantId } = context.actor;
  return recordOfDevices(context, [{ tenantId, operation, actorId, deviceId: id, ...what }]);
}
