import { describe, expect, it } from 'vitest';
import { startApp } from '../testing/app.ts';
import { registerDevice } from '../testing/devices.ts';
import { createQueue } from '../testing/fixtures.ts';

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
