import { isDeepStrictEqual } from 'node:util';
import type { Id, Schemas } from '@millrace/api';
import { Refusal } from '../errors.ts';
import { listQuery } from '../lists.ts';
import type { Context, PlainOperation } from '../operation.ts';
import { findDevice, scopeOf } from './find.ts';
import { noteSigns } from './presence.ts';
import { changedByHand, newDevice, refuseWhileBusy, registeredAgain } from './rules.ts';
import {
  countDevices,
  deleteDeviceRow,
  deviceFields,
  deviceId,
  insertDevice,
  lockDevice,
  lockDeviceNamed,
  selectDevices,
  updateByHand,
  updateRegistration,
} from './sql.ts';

export const registerDevice: PlainOperation<'registerDevice'> = async (context, { body }) => {
  const { db, actor, now } = context;
  const author = { tenantId: actor.tenantId, actorId: actor.id, now };
  const id = (await insertDevice(db, newDevice(body), author)) ?? (await registerAgain(context, body));
  return findDevice(context, id);
};

async function registerAgain(context: Context, sent: Schemas['DeviceRegistration']): Promise<Id> {
  const { db, actor, now } = context;
  const known = await lockDeviceNamed(db, actor.tenantId, sent.hostName);
  if (!known) throw new Refusal('UNAVAILABLE', 'The device was just deleted. Try again.', { retryAfter: 1 });
  if (known.userId !== actor.id) throw hostNameTaken(sent.hostName, known.id);
  const { labels, bots, slots, agentVersion } = known;
  const settings = registeredAgain(known, sent);
  if (!isDeepStrictEqual(settings, { labels, bots, slots, agentVersion })) {
    await updateRegistration(db, known.id, settings, { actorId: actor.id, now });
  }
  await noteSigns(context, [{ deviceId: known.id, userId: actor.id }]);
  return known.id;
}

function hostNameTaken(hostName: string, id: Id): Refusal {
  return new Refusal(
    'NAME_TAKEN',
    `Another user registered the host ${hostName}, as device ${id}. Register with a key of that user, or ask a pool admin ` +
      'to delete the device first.',
  );
}

export const heartbeatDevice: PlainOperation<'heartbeatDevice'> = async (context, { path }) => {
  const [seen] = await noteSigns(context, [{ deviceId: path.id, userId: context.actor.id }]);
  if (!seen)
    throw new Refusal('NOT_FOUND', `You have no device ${path.id}. Register it at POST /v4/wlm/devices.`);
  const { state, stateReason } = seen;
  return stateReason === undefined ? { state } : { state, stateReason };
};

export const getDevice: PlainOperation<'getDevice'> = async (context, { path }) =>
  findDevice(context, path.id);

export const updateDevice: PlainOperation<'updateDevice'> = async (context, { path, body }) => {
  const { db, actor, now } = context;
  await lockDevice(db, path.id);
  const device = await findDevice(context, path.id);
  const { nickname, labels } = changedByHand(device, body);
  await updateByHand(db, device.id, { nickname, labels }, { actorId: actor.id, now });
  return findDevice(context, device.id);
};

export const deleteDevice: PlainOperation<'deleteDevice'> = async (context, { path }) => {
  const { db } = context;
  await lockDevice(db, path.id);
  const device = await findDevice(context, path.id);
  refuseWhileBusy(device);
  await deleteDeviceRow(db, device.id);
};

export const listDevices: PlainOperation<'listDevices'> = async ({ db, actor }, { body }) => {
  const query = listQuery(body, deviceFields, deviceId);
  const scope = scopeOf(actor);
  const counts = await countDevices(db, scope, query.where);
  return { page: { offset: query.offset, ...counts }, list: await selectDevices(db, scope, query) };
};
