import type { Id, Schemas } from '@millrace/api';
import { namesOf, textProblems } from '../../engine/checks.ts';
import { raw, sql, type Db, type Sql } from '../../engine/db.ts';
import { Refusal, refuseStale } from '../../engine/errors.ts';
import { listQuery, pageOf, type ListQuery } from '../../engine/lists/lists.ts';
import type { Field } from '../../engine/lists/values.ts';
import { authorOf, type Author, type Context, type PlainOperation } from '../../engine/operation.ts';
import { deviceWakeUp } from '../../engine/wake-ups.ts';
import { changedMembers } from '../../journal/journal.ts';
import { invalid, type Registration } from './agent.ts';
import { findDevice, isSeenBy, selectDevices } from './find.ts';
import { recordOfDevices } from './presence.ts';

type Device = Schemas['Device'];

export const getDevice: PlainOperation<'getDevice'> = async (context, { path }) =>
  findDevice(context, path.id);

export const listDevices: PlainOperation<'listDevices'> = async ({ db, actor }, { body }) => {
  const query = listQuery(body, deviceFields, deviceTieBreak);
  const page = await pageOf(db, query, sql`devices d where ${isSeenBy(actor)}`);
  return { page, list: await listOf({ db, actor }, query) };
};

export const updateDevice: PlainOperation<'updateDevice'> = async (context, { path, body }) => {
  const { db } = context;
  await lockDevice(db, path.id);
  const device = await findDevice(context, path.id);
  const wanted = changedByHand(device, body);
  await updateByHand(db, device.id, wanted, authorOf(context));
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

/** Records the change, and wakes the device if it waits for work. */
function record(
  context: Context,
  id: Id,
  operation: string,
  details: { reason?: string | undefined; changes: object },
): Promise<void> {
  context.wake(deviceWakeUp(id), 1);
  const { id: actorId, tenantId } = context.actor;
  return recordOfDevices(context, [{ tenantId, operation, actorId, deviceId: id, ...details }]);
}

/** Takes a device out of use, or into it again; returns its new state. @throws Refusal NOT_FOUND, or FORBIDDEN */
export async function changeState(
  context: Context,
  id: Id,
  change: StateChange,
  reason: string | undefined,
): Promise<Device['state']> {
  const { db } = context;
  await lockDevice(db, id);
  const device = await findManagedDevice(context, id);
  const state = decideState(device, change);
  const hold = { state, reason: state === 'ACTIVE' ? undefined : reason };
  await updateState(db, id, hold, authorOf(context));
  await record(context, id, `${change}Device`, { reason, changes: { state } });
  return state;
}

/** The fields by which devices can be filtered and sorted. */
const deviceFields: Record<string, Field> = {
  id: { column: raw('d.id'), type: 'id' },
  hostName: { column: raw('d.host_name'), type: 'text' },
  nickname: { column: raw('d.nickname'), type: 'text' },
  userId: { column: raw('d.user_id'), type: 'id' },
  status: {
    column: raw(`case when d.is_connected then 'CONNECTED' else 'DISCONNECTED' end`),
    type: ['CONNECTED', 'DISCONNECTED'],
  },
  labels: { column: raw('d.labels'), type: 'texts' },
  bots: { column: raw('d.bots'), type: 'texts' },
  state: { column: raw('d.state'), type: ['ACTIVE', 'DRAINING', 'QUARANTINED'] },
  slots: { column: raw('d.slots'), type: 'integer' },
  agentVersion: { column: raw('d.agent_version'), type: 'text' },
  lastSeenOn: { column: raw('d.last_seen_on'), type: 'time' },
  createdOn: { column: raw('d.created_on'), type: 'time' },
  updatedOn: { column: raw('d.updated_on'), type: 'time' },
};

const deviceTieBreak: Sql = raw('d.id');

/** Locks a device against other changes, and against signs of life. */
async function lockDevice(db: Db, id: Id): Promise<void> {
  await db.rows(sql`select from devices where id = ${id} for no key update`);
}

async function updateByHand(
  db: Db,
  id: Id,
  { nickname, labels }: Pick<Registration, 'nickname' | 'labels'>,
  { actorId, now }: Author,
): Promise<void> {
  await db.rows(sql`
    update devices set nickname = ${nickname}, labels = ${labels}, version = version + 1, updated_by = ${actorId},
      updated_on = ${now}
    where id = ${id}`);
}

async function deleteDeviceRow(db: Db, id: Id): Promise<void> {
  await db.rows(sql`delete from devices where id = ${id}`);
}

/** The state of a device and its reason. */
interface DeviceHold {
  readonly state: Schemas['Device']['state'];
  readonly reason: string | undefined;
}

async function updateState(
  db: Db,
  id: Id,
  { state, reason }: DeviceHold,
  { actorId, now }: Author,
): Promise<void> {
  await db.rows(sql`
    update devices set state = ${state}, state_reason = ${reason}, state_by = ${actorId}, state_on = ${now},
      version = version + 1, updated_by = ${actorId}, updated_on = ${now}
    where id = ${id}`);
}

function listOf(
  { db, actor }: Pick<Context, 'db' | 'actor'>,
  { where, orderBy, limit, offset }: ListQuery,
): Promise<Schemas['Device'][]> {
  const rest = sql`${isSeenBy(actor)} and ${where} order by ${orderBy} limit ${limit} offset ${offset}`;
  return selectDevices(db, actor, rest);
}

/** A device that the caller may take out of use. @throws Refusal NOT_FOUND, or FORBIDDEN when it may be seen. */
async function findManagedDevice(context: Pick<Context, 'db' | 'actor'>, id: Id): Promise<Schemas['Device']> {
  const device = await findDevice(context, id);
  if (device.capabilities?.includes('hold')) return device;
  throw new Refusal(
    'FORBIDDEN',
    `Device ${id} can be drained, quarantined and resumed by owners of its pools and by pool admins. Ask one of them.`,
  );
}

type ByHand = Pick<Registration, 'nickname' | 'labels'>;

/** The members set by people, after a change. @throws Refusal VERSION_CONFLICT, INVALID_REQUEST */
export function changedByHand(device: Schemas['Device'], sent: Schemas['DeviceUpdate']): ByHand {
  refuseStale('device', device, sent);
  const { nickname, labels } = { ...device, ...sent };
  const details = textProblems('labels', labels);
  if (details.length > 0) throw invalid(details);
  return { nickname, labels: namesOf(labels) };
}

type State = Schemas['Device']['state'];

/** A person's change of the state of a device. */
type StateChange = 'drain' | 'quarantine' | 'resume';

const stateAfter: Record<StateChange, Partial<Record<State, State>>> = {
  // Draining would remove the reason for which a device was quarantined.
  drain: { ACTIVE: 'DRAINING', DRAINING: 'DRAINING' },
  quarantine: { ACTIVE: 'QUARANTINED', DRAINING: 'QUARANTINED', QUARANTINED: 'QUARANTINED' },
  resume: { ACTIVE: 'ACTIVE', DRAINING: 'ACTIVE', QUARANTINED: 'ACTIVE' },
};

/** The state of a device after a change. @throws Refusal STATUS_CONFLICT */
export function decideState(
  { id, state }: Pick<Schemas['Device'], 'id' | 'state'>,
  change: StateChange,
): State {
  const after = stateAfter[change][state];
  if (after) return after;
  throw new Refusal(
    'STATUS_CONFLICT',
    `Device ${id} is ${state} and cannot be ${change}ed. Resume it first.`,
  );
}

/** @throws Refusal IN_USE while the device runs items */
export function refuseWhileBusy({ id, busySlots }: Schemas['Device']): void {
  if (busySlots === 0) return;
  const items = busySlots === 1 ? '1 item' : `${busySlots} items`;
  throw new Refusal(
    'IN_USE',
    `Device ${id} runs ${items}. Drain it and wait for them, or quarantine it, which takes them back.`,
  );
}
