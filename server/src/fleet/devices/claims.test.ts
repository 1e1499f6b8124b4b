import { describe, expect, it } from 'vitest';
import { startApp } from '../../testing/app.ts';
import { registerDevice } from '../../testing/devices.ts';
import { createQueue } from '../../testing/fixtures.ts';
import { beat, held, read } from '../../testing/work.ts';

const app = await startApp();

describe('claimWorkItems for a device', () => {
  it('claimWorkItems refuses a device that the caller did not register, and harms no call beside it', async () => {
    const queue = await createQueue(app);
    const [item] = await queue.add(1);
    const other = await registerDevice({ call: app.admin });
    const claim = (deviceId?: unknown) =>
      queue.consumer.call.claimWorkItems({ path: queue.path, body: { deviceId } as never });
    const [foreign, missing, sound] = await Promise.all([claim(other.id), claim(987_654_321), claim()]);
    for (const { status, error } of [foreign, missing]) {
      expect([status, error.code, error.details?.[0]?.field]).toEqual([400, 'INVALID_REQUEST', 'deviceId']);
    }
    expect(sound.body.list.map(({ id }) => id)).toEqual([item?.id]);
  });

  it('claimWorkItems refuses a device that is drained or quarantined, and says why', async () => {
    const queue = await createQueue(app);
    await queue.add(1);
    const deviceId = await queue.device();
    const reason = 'The host is patched tonight';
    await app.admin.drainDevice({ path: { id: deviceId }, body: { reason } });
    const claim = () => queue.consumer.call.claimWorkItems({ path: queue.path, body: { deviceId } });
    const { status, error } = await claim();
    expect([status, error.code]).toEqual([409, 'STATUS_CONFLICT']);
    expect(error.message).toContain(`is DRAINING and takes no work: ${reason}`);
    await app.admin.resumeDevice({ path: { id: deviceId } });
    expect((await claim()).body.list).toHaveLength(1);
  });
});

describe('quarantineDevice', () => {
  it('quarantineDevice takes back what was claimed for the device without an automation, from every queue', async () => {
    const queues = [await createQueue(app), await createQueue(app)] as const;
    const deviceId = await queues[0].device();
    for (const queue of queues) await queue.add(1, 2);
    const claimed = [];
    for (const queue of queues) claimed.push(...(await queue.claim(1, { deviceId })));
    const [other] = await queues[0].claim(1, { deviceId: await queues[0].device() });
    const { status } = await app.admin.quarantineDevice({
      path: { id: deviceId },
      body: { reason: 'It books twice' },
    });
    expect(status).toBe(200);
    for (const [index, queue] of queues.entries()) {
      const item = await read(queue, claimed[index]);
      expect(item).toMatchObject({
        status: 'NEW',
        retryCount: 0,
        attempts: [{ deviceId, outcome: 'TAKEN_BACK' }],
      });
      expect(await beat(queue, held(claimed[index]))).toMatchObject([{ error: { code: 'LEASE_LOST' } }]);
    }
    expect((await read(queues[0], other)).status).toBe('IN_PROGRESS');
  });

  it('quarantineDevice leaves nothing with a device for which items are claimed at the same time', async () => {
    for (let round = 0; round < 10; round += 1) {
      const queue = await createQueue(app);
      await queue.add(1, 2, 3);
      const deviceId = await queue.device();
      const claims = [1, 2, 3].map(() => queue.claim(1, { deviceId }));
      const path = { id: deviceId };
      await Promise.all([...claims, app.admin.quarantineDevice({ path, body: { reason: 'suspect' } })]);
      const { body } = await queue.owner.call.listWorkItems({ path: queue.path });
      expect(body.list.map(({ status }) => status)).toEqual(['NEW', 'NEW', 'NEW']);
    }
  });
});

describe('deleteDevice', () => {
  it('deleteDevice is refused while items are claimed for the device, which getDevice and listDevices count', async () => {
    const queue = await createQueue(app);
    await queue.add(1, 2, 3);
    const deviceId = await queue.device();
    const path = { id: deviceId };
    await queue.claim(2, { deviceId });
    await queue.claim(1, { deviceId: await queue.device() });
    const filter = { operator: 'eq', field: 'id', value: deviceId };
    const listed = await app.admin.listDevices({ body: { filter } });
    expect([(await app.admin.getDevice({ path })).body, ...listed.body.list]).toMatchObject([
      { busySlots: 2 },
      { busySlots: 2 },
    ]);
    const { status, error } = await app.admin.deleteDevice({ path });
    expect([status, error.code]).toEqual([409, 'IN_USE']);
    expect(error.message).toContain('2 items');
    await app.admin.quarantineDevice({ path, body: { reason: 'sold' } });
    expect((await app.admin.deleteDevice({ path })).status).toBe(204);
  });
});
