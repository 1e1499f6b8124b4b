import { expect, test } from 'vitest';
import { startApp } from '../testing/app.ts';
import { createDevice, createLine } from '../testing/dispatch.ts';
import { addTenant } from '../testing/tenant.ts';
import { pathOf } from '../testing/work.ts';

const app = await startApp();
const runner = await app.user('device runner', ['AAE_Bot Runner']);
const device = await createDevice(runner, { slots: 10 });
const { pool, lines } = await createLine(app, [device], { queues: 2 });
const [{ queue, automation }, { queue: other }] = lines as [(typeof lines)[0], (typeof lines)[0]];
await queue.add(1, 2, 3);
await other.add(4);
const items = await device.ask({ count: 4 });
const ofQueue = items.filter(({ queueId }) => queueId === queue.id);

const onDevice = { operator: 'eq', field: 'deviceId', value: Number(device.device.id) } as const;

test('listDeviceWork shows what runs on a device, over its queues, and what becomes of it if it is taken back', async () => {
  const [plain, cancelled, passed] = ofQueue;
  await queue.owner.call.cancelWorkItem({ path: pathOf(queue, cancelled), body: {} });
  const lease = { id: passed?.id as number, version: passed?.version as number };
  const leases = [{ ...lease, pointOfNoReturn: true as const, progress: { percent: 40 } }];
  await runner.call.heartbeatWorkItems({ path: queue.path, body: { leases } });
  const { body } = await app.admin.listDeviceWork({ body: { filter: onDevice } });
  expect(body.page.totalFilter).toBe(4);
  const ofOther = body.list.filter(({ queueId }) => queueId === other.id);
  expect([body.list.length, ofOther.length]).toEqual([4, 1]);
  const one = (id: unknown) => body.list.find(({ itemId }) => itemId === id);
  expect(one(plain?.id)).toMatchObject({
    deviceId: device.device.id,
    automationId: automation.id,
    automationName: automation.name,
    botName: 'bot',
    ifTakenBack: 'NEW',
  });
  expect(one(cancelled?.id)).toMatchObject({ ifTakenBack: 'FAILED', cancelRequestedOn: expect.any(String) });
  expect(one(passed?.id)).toMatchObject({ ifTakenBack: 'IN_DOUBT', progress: { percent: 40 } });
});

test('listDeviceWork says of items in queues that the caller may not see only which bot works, and since when', async () => {
  const poolOwner = await app.user('pool owner');
  const path = { id: Number(pool.id) };
  await app.admin.updatePool({ path, body: { version: pool.version ?? 0, ownerIds: [poolOwner.id] } });
  const { body } = await poolOwner.call.listDeviceWork();
  expect(body.list).toHaveLength(4);
  for (const item of body.list)
    expect(Object.keys(item)).not.toEqual(expect.arrayContaining(['queueId', 'itemId', 'automationName']));
  expect(body.list[0]).toMatchObject({ botName: 'bot', startedOn: expect.any(String) });
  const filter = { operator: 'eq', field: 'queueId', value: queue.id } as const;
  expect((await poolOwner.call.listDeviceWork({ body: { filter } })).body.list).toEqual([]);
});

test('listDeviceWork shows nothing of devices that the caller may not see', async () => {
  const foreigner = await addTenant(app, 'second');
  expect((await foreigner.call.listDeviceWork()).body.list).toEqual([]);
  const stranger = await app.user('stranger');
  expect((await stranger.call.listDeviceWork()).body.list).toEqual([]);
});

test('quarantineDevice does with each item what listDeviceWork said', async () => {
  const said = (await app.admin.listDeviceWork({ body: { filter: onDevice } })).body.list;
  await app.admin.quarantineDevice({ path: device.path, body: { reason: 'posts twice' } });
  for (const { queueId, itemId, ifTakenBack } of said) {
    const path = { id: Number(queueId), workItemId: Number(itemId) };
    const { body } = await app.admin.getWorkItem({ path });
    const end = body.failureKind === 'IN_DOUBT' ? 'IN_DOUBT' : body.status;
    expect(end).toBe(ifTakenBack);
  }
});
