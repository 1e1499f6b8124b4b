import type { Id, Schemas } from '@millrace/api';
import { deviceBell } from '../dispatch/bell.ts';
import { Refusal } from '../errors.ts';
import { changedMembers } from '../events/rules.ts';
import type { Context, PlainOperation } from '../operation.ts';
import { findDevice } from './find.ts';
import { noteSigns, recordOfDevices } from './presence.ts';
import { markSeen } from './presence.sql.ts';
import { newDevice, registeredAgain } from './rules.ts';
import { insertDevice, lockDeviceNamed, updateRegistration } from './sql.ts';

export const registerDevice: PlainOperation<'registerDevice'> = async (context, { body }) => {
  const { db, actor, now } = context;
  const device = newDevice(body);
  const id = await insertDevice(db, device, { tenantId: actor.tenantId, actorId: actor.id, now });
  if (id === undefined) return findDevice(context, await registerAgain(context, body));
  await record(context, id, device);
  return findDevice(context, id);
};

async function registerAgain(context: Context, sent: Schemas['DeviceRegistration']): Promise<Id> {
  const { db, actor, now } = context;
  const known = await lockDeviceNamed(db, actor.tenantId, sent.hostName);
  if (!known) throw new Refusal('UNAVAILABLE', 'The device was just deleted. Try again.', { retryAfter: 1 });
  if (known.userId !== actor.id) throw hostNameTaken(sent.hostName, known.id);
  const settings = registeredAgain(known, sent);
  const changes = changedMembers(known, settings);
  if (Object.keys(changes).length > 0) {
    await updateRegistration(db, known.id, settings, { actorId: actor.id, now });
  }
  const [seen] = await markSeen(db, [{ deviceId: known.id, userId: actor.id }], now);
  await record(context, known.id, seen?.wasConnected ? changes : { ...changes, status: 'CONNECTED' });
  return known.id;
}

function record(context: Context, deviceId: Id, changes: object): Promise<void> {
  const { id: actorId, tenantId } = context.actor;
  context.woken.set(deviceBell(deviceId), 1);
  return recordOfDevices(context, [{ tenantId, operation: 'registerDevice', actorId, deviceId, changes }]);
}

function hostNameTaken(hostName: string, id: Id): Refusal {
  return new Refusal(
    'NAME_TAKEN',
    `Another user registered the host ${hostName}, as device ${id}. Register with a key of that user, or ask a pool admin ` +
      'to delete the device first.',
  );
}

export const heartbeatDevice: PlainOperation<'heartbeatDevice'> = async (context, { path }) => {
  const sign = { deviceId: path.id, userId: context.actor.id };
  const [seen] = await noteSigns(context, [sign], 'heartbeatDevice');
  if (!seen)
    throw new Refusal('NOT_FOUND', `You have no device ${path.id}. Register it at POST /v4/wlm/devices.`);
  const { state, stateReason } = seen;
  return stateReason === undefined ? { state } : { state, stateReason };
};
