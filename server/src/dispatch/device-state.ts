import type { PlainOperation } from '../engine/operation.ts';
import { changeState } from '../fleet/devices/devices.ts';
import { findDevice } from '../fleet/devices/find.ts';
import { takeBackFrom } from '../work-items/lease/take-back.ts';

export const drainDevice: PlainOperation<'drainDevice'> = async (context, { path, body }) => {
  await changeState(context, path.id, 'drain', body.reason);
  return findDevice(context, path.id);
};

export const resumeDevice: PlainOperation<'resumeDevice'> = async (context, { path, body }) => {
  await changeState(context, path.id, 'resume', body?.reason);
  return findDevice(context, path.id);
};

export const quarantineDevice: PlainOperation<'quarantineDevice'> = async (context, { path, body }) => {
  const { id } = path;
  const state = await changeState(context, id, 'quarantine', body.reason);
  if (state === 'QUARANTINED') {
    const reason = `quarantined: ${body.reason}`;
    await takeBackFrom(context, id, { operation: 'quarantineDevice', actorId: context.actor.id, reason });
  }
  return findDevice(context, id);
};
