import type { Id, Schemas } from '@millrace/api';
import { namesOf, storedName, textProblems } from '../../engine/checks.ts';
import { raw, sql, type Db } from '../../engine/db.ts';
import { Refusal, type ErrorDetail } from '../../engine/errors.ts';
import { authorOf, type Author, type Context, type PlainOperation } from '../../engine/operation.ts';
import { refuseExcess, refuseLookalike, type Kind } from '../../engine/quotas.ts';
import { deviceWakeUp } from '../../engine/wake-ups.ts';
import { changedMembers } from '../../journal/journal.ts';
import { findDevice } from './find.ts';
import { markSeen, noteSigns, recordOfDevices } from './presence.ts';

export const registerDevice: PlainOperation<'registerDevice'> = async (context, { body }) => {
  const { db, actor } = context;
  const device = newDevice(body);
  const id = await insertDevice(db, device, { tenantId: actor.tenantId, ...authorOf(context) });
  if (id === undefined)
    return findDevice(context, await registerAgain(context, { ...body, hostName: device.hostName }));
  const kind = devicesOfTenant(actor.tenantId);
  await refuseExcess(db, kind);
  await refuseLookalike(db, kind.rows, raw('lower(host_name)'), device.hostName.toLowerCase());
  await record(context, id, device);
  return findDevice(context, id);
};

const devicesOfTenant = (tenantId: Id): Kind => ({
  things: 'devices in this tenant',
  rows: sql`devices where tenant_id = ${tenantId}`,
  quota: 100_000,
  wayOut: 'Delete those that are gone first.',
});

async function registerAgain(context: Context, sent: Schemas['DeviceRegistration']): Promise<Id> {
  const { db, actor, now } = context;
  const known = await lockDeviceNamed(db, actor.tenantId, sent.hostName);
  if (!known) throw new Refusal('UNAVAILABLE', 'The device was just deleted. Try again.', { retryAfter: 1 });
  if (known.userId !== actor.id) throw hostNameTaken(sent.hostName, known.id);
  const settings = registeredAgain(known, sent);
  const changes = changedMembers(known, settings);
  if (Object.keys(changes).length > 0) {
    await updateRegistration(db, known.id, settings, authorOf(context));
  }
  const [seen] = await markSeen(db, [{ deviceId: known.id, userId: actor.id }], now);
  await record(context, known.id, seen?.wasConnected ? changes : { ...changes, status: 'CONNECTED' });
  return known.id;
}

function record(context: Context, deviceId: Id, changes: object): Promise<void> {
  const { id: actorId, tenantId } = context.actor;
  context.wake(deviceWakeUp(deviceId), 1);
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

/** The user who registers a device, and the time. */
interface Registrant extends Author {
  readonly tenantId: Id;
}

/** Stores a device registered by its user; returns its id, or undefined when the tenant has one of this host name. */
async function insertDevice(
  db: Db,
  { hostName, nickname, labels, bots, slots, agentVersion }: Registration,
  { tenantId, actorId, now }: Registrant,
): Promise<Id | undefined> {
  const [row] = await db.rows<{ id: Id }>(sql`
    insert into devices (tenant_id, user_id, host_name, nickname, labels, bots, slots, agent_version, last_seen_on,
      is_connected, created_by, created_on, updated_by, updated_on)
    values (${tenantId}, ${actorId}, ${hostName}, ${nickname}, ${labels}, ${bots}, ${slots}, ${agentVersion}, ${now},
      true, ${actorId}, ${now}, ${actorId}, ${now})
    on conflict (tenant_id, lower(host_name)) do nothing returning id`);
  return row?.id;
}

/** A device as its agent registered it, and its user. */
type RegisteredDevice = Registration & { readonly id: Id; readonly userId: Id };

/** The device of this host name, locked against other changes. */
function lockDeviceNamed(db: Db, tenantId: Id, hostName: string): Promise<RegisteredDevice | undefined> {
  return db.row(sql`
    select d.id, d.user_id as "userId", d.host_name as "hostName", d.nickname, d.labels, d.bots, d.slots,
      d.agent_version as "agentVersion"
    from devices d where d.tenant_id = ${tenantId} and lower(d.host_name) = lower(${hostName}::text)
    for no key update`);
}

async function updateRegistration(
  db: Db,
  id: Id,
  { labels, bots, slots, agentVersion }: Omit<Registration, 'hostName' | 'nickname'>,
  { actorId, now }: Author,
): Promise<void> {
  await db.rows(sql`
    update devices set labels = ${labels}, bots = ${bots}, slots = ${slots}, agent_version = ${agentVersion},
      version = version + 1, updated_by = ${actorId}, updated_on = ${now}
    where id = ${id}`);
}

/** A device as described by its agent. */
export type Registration = Pick<
  Schemas['Device'],
  'hostName' | 'nickname' | 'labels' | 'bots' | 'slots' | 'agentVersion'
>;

/** A newly registered device. @throws Refusal INVALID_REQUEST that names each invalid text. */
export function newDevice(sent: Schemas['DeviceRegistration']): Registration {
  const device = { nickname: '', labels: [], bots: [], slots: 1, agentVersion: '', ...sent };
  const details = [
    ...textProblems('hostName', [device.hostName]),
    ...textProblems('labels', device.labels),
    ...textProblems('bots', device.bots),
  ];
  if (details.length > 0) throw invalid(details);
  return {
    ...device,
    hostName: storedName(device.hostName),
    labels: namesOf(device.labels),
    bots: namesOf(device.bots),
  };
}

/** A known device that registers again: omitted members stay, and the nickname stays in any case. */
export function registeredAgain(
  known: Registration,
  sent: Schemas['DeviceRegistration'],
): Omit<Registration, 'hostName' | 'nickname'> {
  const { labels, bots, slots, agentVersion } = { ...known, ...sent };
  return { labels: namesOf(labels), bots: namesOf(bots), slots, agentVersion };
}

export function invalid(details: ErrorDetail[]): Refusal {
  const sentences = details.map(({ field, message }) => `${field} ${message}`).join('; ');
  return new Refusal('INVALID_REQUEST', `This is no device: ${sentences}.`, { details });
}
