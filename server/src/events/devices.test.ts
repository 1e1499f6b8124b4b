import { expect, test } from 'vitest';
import { startApp, type Caller } from '../testing/app.ts';
import { createDevicePeople, createPool, registerDevice } from '../testing/devices.ts';
import { openStream } from '../testing/stream.ts';

const app = await startApp();
const { runner, owner, consumer, roleId, poolAdmin, stranger, foreigner } = await createDevicePeople(app);
const reason = 'patched tonight';

/** Drains a device in a pool with an owner and a consumer role, after a position in the feed. */
async function drainOne() {
  const { cursor: after } = (await app.admin.listEvents({ query: { last: 0 } })).body;
  const device = await registerDevice(runner);
  const pool = await createPool(app, [device], { ownerIds: [owner.id], consumerRoleIds: [roleId] });
  await app.admin.drainDevice({ path: { id: device.id }, body: { reason } });
  const seenBy = async ({ listEvents }: Caller, query = {}) =>
    (await listEvents({ query: { after, ...query } })).body.list.map(({ operation }) => operation);
  return { after, device, pool, seenBy };
}

const all = ['registerDevice', 'createPool', 'drainDevice'];

test('listEvents shows the events of a pool and of its devices to people who may see them, and to nobody else', async () => {
  const { device, pool, seenBy } = await drainOne();
  for (const { call } of [owner, consumer, poolAdmin]) expect(await seenBy(call)).toEqual(all);
  expect(await seenBy(runner.call)).toEqual(['registerDevice', 'drainDevice']);
  for (const { call } of [stranger, foreigner]) expect(await seenBy(call)).toEqual([]);
  expect(await seenBy(owner.call, { deviceId: device.id })).toEqual(['registerDevice', 'drainDevice']);
  const { version, name } = pool;
  await app.admin.updatePool({ path: { id: pool.id }, body: { version, name, ownerIds: [] } });
  expect(await seenBy(owner.call)).toEqual([]);
});

test('streamEvents tells the owner of a pool at once what happens to its devices', async () => {
  const { after, device } = await drainOne();
  const stream = await openStream({ url: app.url, token: owner.token }, { after });
  await stream.until(({ operation }) => operation === 'drainDevice');
  await app.admin.resumeDevice({ path: { id: device.id } });
  expect(await stream.next()).toMatchObject({ operation: 'resumeDevice', deviceId: device.id });
  stream.leave();
});
