import type { Id, Schemas } from '@millrace/api';
import { expect } from 'vitest';
import type { App, Caller, TestUser } from './app.ts';
import { addTenant } from './tenant.ts';

let made = 0;

/** Users in every relation to devices and pools: they register devices, own or consume pools, or may do neither. */
export async function createDevicePeople(app: App) {
  const { body: role } = await app.admin.createRole({
    body: { name: 'Consumers', permissions: ['useQueues'] },
  });
  return {
    runner: await app.user('device runner', ['AAE_Bot Runner']),
    owner: await app.user('pool owner'),
    consumer: await app.user('consumer', ['Consumers']),
    /** The role by which the consumer may consume pools. */
    roleId: Number(role.id),
    poolAdmin: await app.user('pool admin', ['AAE_Pool Admin']),
    stranger: await app.user('stranger'),
    /** The administrator of another tenant. */
    foreigner: await addTenant(app, 'second'),
  };
}

/** Registers a device for a runner, with a unique host name. */
export async function registerDevice(
  { call }: Pick<TestUser, 'call'>,
  more: Partial<Schemas['DeviceRegistration']> = {},
): Promise<Schemas['Device']> {
  made += 1;
  const { status, body, error } = await call.registerDevice({ body: { hostName: `host-${made}`, ...more } });
  expect(status, JSON.stringify(error)).toBe(200);
  return body;
}

/** Creates a pool with these devices, as the administrator unless another user is given. */
export async function createPool(
  { admin }: { admin: Caller },
  devices: readonly Pick<Schemas['Device'], 'id'>[],
  more: Partial<Schemas['NewPool']> = {},
): Promise<Schemas['Pool']> {
  made += 1;
  const deviceIds = devices.map(({ id }) => id);
  const { status, body, error } = await admin.createPool({
    body: { name: `Pool ${made}`, deviceIds, ...more },
  });
  expect(status, JSON.stringify(error)).toBe(200);
  return body;
}

/** Creates an automation that sends the items of the queue to the pool, as the administrator. */
export async function createAutomation(
  { admin }: Pick<App, 'admin'>,
  queue: { readonly id: Id },
  pool: Pick<Schemas['Pool'], 'id'>,
  more: Partial<Schemas['NewAutomation']> = {},
): Promise<Schemas['Automation']> {
  made += 1;
  const { status, body, error } = await admin.createAutomation({
    body: { name: `Automation ${made}`, queueId: queue.id, poolId: pool.id, botName: 'bot', ...more },
  });
  expect(status, JSON.stringify(error)).toBe(200);
  return body;
}

/** The events of a device, oldest first. */
export function eventsOfDevice({ sql }: Pick<App, 'sql'>, { id }: Pick<Schemas['Device'], 'id'>) {
  return sql(
    `select operation, actor_id::int as actor, reason, changes from events
     where queue_id = 0 and item_id = 0 and device_id = $1 order by id`,
    [id],
  );
}
