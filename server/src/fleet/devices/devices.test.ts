import type { Schemas } from '@millrace/api';
import { beforeAll, describe, expect, it } from 'vitest';
import { startApp, type TestUser } from '../../testing/app.ts';
import { createDevicePeople, createPool, eventsOfDevice, registerDevice } from '../../testing/devices.ts';
import { complete, createDevice, createLine } from '../../testing/dispatch.ts';
import { eventually } from '../../testing/fixtures.ts';

const app = await startApp();
const { runner, owner, consumer, roleId, poolAdmin, stranger, foreigner } = await createDevicePeople(app);

/** A device in a pool with an owner and a consumer role. */
async function pooledDevice(more: Partial<Schemas['DeviceRegistration']> = {}) {
  const device = await registerDevice(runner, more);
  await createPool(app, [device], { ownerIds: [owner.id], consumerRoleIds: [roleId] });
  return { device, path: { id: Number(device.id) } };
}

describe('getDevice', () => {
  it('getDevice answers a device in its pools to its user, to those who own or consume one, and to pool admins', async () => {
    const { device, path } = await pooledDevice();
    const pool = await createPool(app, [device]);
    for (const { call } of [runner, owner, consumer, poolAdmin]) {
      const { status, body } = await call.getDevice({ path });
      expect(status).toBe(200);
      expect(body).toMatchObject({ id: device.id, hostName: device.hostName });
      expect(body.poolIds).toEqual([Number(pool.id) - 1, pool.id]);
    }
  });

  it('getDevice knows no device for others, and none that does not exist', async () => {
    const { path } = await pooledDevice();
    const missing = await stranger.call.getDevice({ path: { id: 987_654_321 } });
    for (const { call } of [stranger, foreigner]) {
      const { status, error } = await call.getDevice({ path });
      expect([status, error.code]).toEqual([404, 'NOT_FOUND']);
      expect(error.message.replace(String(path.id), '987654321')).toBe(missing.error.message);
    }
  });
});

describe('listDevices', () => {
  let lister: TestUser;
  let devices: Schemas['Device'][];

  beforeAll(async () => {
    lister = await app.user('lister', ['AAE_Bot Runner']);
    devices = [
      await registerDevice(lister, { hostName: 'Berlin-1', labels: ['sap', 'berlin'], slots: 4 }),
      await registerDevice(lister, { hostName: 'Berlin-2', labels: ['berlin'], bots: ['post'] }),
      await registerDevice(lister, { hostName: 'Rome-1', nickname: 'Nero', agentVersion: '2.0' }),
    ];
  });

  it.each([
    [{ operator: 'eq', field: 'hostName', value: 'Rome-1' }, [2]],
    [{ operator: 'substring', field: 'hostName', value: 'BERLIN' }, [0, 1]],
    [{ operator: 'eq', field: 'nickname', value: 'Nero' }, [2]],
    [{ operator: 'eq', field: 'labels', value: 'berlin' }, [0, 1]],
    [{ operator: 'eq', field: 'labels', value: 'ber' }, []],
    [{ operator: 'substring', field: 'labels', value: 'AP' }, [0]],
    [{ operator: 'ne', field: 'labels', value: 'sap' }, [1, 2]],
    [{ operator: 'eq', field: 'labels', value: null }, [2]],
    [{ operator: 'ne', field: 'bots', value: null }, [1]],
    [{ operator: 'eq', field: 'status', value: 'connected' }, [0, 1, 2]],
    [{ operator: 'ne', field: 'state', value: 'ACTIVE' }, []],
    [{ operator: 'gt', field: 'slots', value: '1' }, [0]],
    [{ operator: 'eq', field: 'agentVersion', value: '2.0' }, [2]],
    [{ operator: 'gt', field: 'lastSeenOn', value: '2020-01-01' }, [0, 1, 2]],
  ])('listDevices filters by %j', async (filter, expected) => {
    const { status, body } = await lister.call.listDevices({ body: { filter } });
    expect(status).toBe(200);
    expect(body.list.map(({ id }) => id)).toEqual(expected.map((index) => devices[index]?.id));
    expect(body.page).toEqual({ offset: 0, total: 3, totalFilter: expected.length });
  });

  it('listDevices sorts, pages, and lists by user', async () => {
    const filter = { operator: 'eq', field: 'userId', value: lister.id };
    const body = { filter, sort: [{ field: 'hostName', direction: 'desc' }], page: { offset: 1, length: 1 } };
    const answer = await app.admin.listDevices({ body });
    expect(answer.body.list.map(({ hostName }) => hostName)).toEqual(['Berlin-2']);
    expect(answer.body.page.totalFilter).toBe(3);
  });

  it('listDevices refuses comparisons that make no sense', async () => {
    const filter = { operator: 'lt', field: 'labels', value: 'a' };
    const { status, error } = await lister.call.listDevices({ body: { filter } });
    expect(status).toBe(400);
    expect(error.message).toContain('labels, which knows eq, ne, substring');
  });

  it('listDevices shows to each what they may see', async () => {
    const { device } = await pooledDevice();
    const seenBy = async ({ call }: TestUser) => (await call.listDevices()).body.list.map(({ id }) => id);
    for (const user of [owner, consumer, poolAdmin, runner]) expect(await seenBy(user)).toContain(device.id);
    expect(await seenBy(stranger)).toEqual([]);
    expect(await seenBy(foreigner)).toEqual([]);
    expect(await seenBy(owner)).not.toContain(devices[0]?.id);
  });
});

describe('updateDevice', () => {
  it('updateDevice changes nickname and labels, one version up, and puts it on record', async () => {
    const { device, path } = await pooledDevice({ labels: ['a'] });
    const { status, body } = await poolAdmin.call.updateDevice({
      path,
      body: { version: 0, nickname: 'Läufer', labels: ['b', 'a', 'b'] },
    });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      nickname: 'Läufer',
      labels: ['a', 'b'],
      version: 1,
      updatedBy: poolAdmin.id,
    });
    expect((await eventsOfDevice(app, device)).at(-1)).toEqual({
      operation: 'updateDevice',
      actor: poolAdmin.id,
      reason: null,
      changes: { nickname: 'Läufer', labels: ['a', 'b'] },
    });
  });

  it('updateDevice refuses a version that has passed, and labels that nobody could type', async () => {
    const { path } = await pooledDevice();
    const stale = await app.admin.updateDevice({ path, body: { version: 4, nickname: 'x' } });
    expect([stale.status, stale.error.code]).toEqual([409, 'VERSION_CONFLICT']);
    const { status } = await app.admin.updateDevice({ path, body: { version: 0, labels: [' a'] } });
    expect(status).toBe(400);
  });
});

describe('deleteDevice', () => {
  it('deleteDevice takes the device out of its pools, and it may register anew', async () => {
    const { device, path } = await pooledDevice();
    expect((await app.admin.deleteDevice({ path })).status).toBe(204);
    expect((await app.admin.getDevice({ path })).status).toBe(404);
    expect((await runner.call.heartbeatDevice({ path })).status).toBe(404);
    const again = await registerDevice(runner, { hostName: device.hostName });
    expect(again).toMatchObject({ poolIds: [], version: 0 });
    expect(again.id).not.toBe(device.id);
    expect((await eventsOfDevice(app, device)).at(-1)).toMatchObject({ operation: 'deleteDevice' });
  });

  it('deleteDevice is refused while the device runs items', async () => {
    const fixture = await createDevice(runner);
    const { lines } = await createLine(app, [fixture]);
    await lines[0]?.queue.add(1);
    const items = await fixture.ask();
    const { status, error } = await app.admin.deleteDevice({ path: fixture.path });
    expect([status, error.code]).toEqual([409, 'IN_USE']);
    expect(error.message).toContain('runs 1 item.');
    await complete(runner, items);
    expect((await app.admin.deleteDevice({ path: fixture.path })).status).toBe(204);
  });
});

describe('a device that falls silent', () => {
  it('is DISCONNECTED, and CONNECTED again by heartbeatDevice; both are on record', async () => {
    const { device, path } = await pooledDevice();
    await app.sql("update devices set last_seen_on = now() - interval '46 seconds' where id = $1", [
      device.id,
    ]);
    const read = async () => (await app.admin.getDevice({ path })).body;
    await eventually(read, ({ status }) => status === 'DISCONNECTED');
    expect((await runner.call.heartbeatDevice({ path })).status).toBe(200);
    expect(await read()).toMatchObject({ status: 'CONNECTED', version: 0 });
    const [, lost, back, ...more] = await eventsOfDevice(app, device);
    expect(lost).toMatchObject({ operation: 'disconnectSilentDevices', changes: { status: 'DISCONNECTED' } });
    expect(back).toMatchObject({
      operation: 'heartbeatDevice',
      actor: runner.id,
      changes: { status: 'CONNECTED' },
    });
    expect(more).toEqual([]);
  });

  it('is CONNECTED again by registerDevice', async () => {
    const { device, path } = await pooledDevice();
    await app.sql('update devices set is_connected = false where id = $1', [device.id]);
    await registerDevice(runner, { hostName: device.hostName, slots: 2 });
    expect((await app.admin.getDevice({ path })).body.status).toBe('CONNECTED');
    expect((await eventsOfDevice(app, device)).at(-1)).toMatchObject({
      operation: 'registerDevice',
      changes: { slots: 2, status: 'CONNECTED' },
    });
  });
});

describe('drainDevice, quarantineDevice and resumeDevice', () => {
  it('drainDevice and resumeDevice say who did it and why, and the agent is told', async () => {
    const { device, path } = await pooledDevice();
    const reason = 'The host is patched tonight';
    const { status, body } = await owner.call.drainDevice({ path, body: { reason } });
    expect(status).toBe(200);
    expect(body).toMatchObject({ state: 'DRAINING', stateReason: reason, stateBy: owner.id, version: 1 });
    const beat = await runner.call.heartbeatDevice({ path });
    expect(beat.body).toEqual({ state: 'DRAINING', stateReason: reason });
    const resumed = await owner.call.resumeDevice({ path });
    expect(resumed.body).toMatchObject({ state: 'ACTIVE', stateBy: owner.id, version: 2 });
    expect(resumed.body).not.toHaveProperty('stateReason');
    expect((await eventsOfDevice(app, device)).slice(-2)).toEqual([
      { operation: 'drainDevice', actor: owner.id, reason, changes: { state: 'DRAINING' } },
      { operation: 'resumeDevice', actor: owner.id, reason: null, changes: { state: 'ACTIVE' } },
    ]);
  });

  it('quarantineDevice holds a device through its registration, until resumeDevice', async () => {
    const { device, path } = await pooledDevice();
    const { body } = await poolAdmin.call.quarantineDevice({ path, body: { reason: 'It books twice' } });
    expect(body).toMatchObject({ state: 'QUARANTINED', stateReason: 'It books twice' });
    expect((await registerDevice(runner, { hostName: device.hostName })).state).toBe('QUARANTINED');
    const drained = await poolAdmin.call.drainDevice({ path, body: { reason: 'x' } });
    expect([drained.status, drained.error.code]).toEqual([409, 'STATUS_CONFLICT']);
    expect((await poolAdmin.call.resumeDevice({ path, body: { reason: 'Mended' } })).body.state).toBe(
      'ACTIVE',
    );
  });

  it('drainDevice and quarantineDevice need a reason', async () => {
    const { path } = await pooledDevice();
    for (const body of [{}, { reason: '' }, { reason: ' \n' }, undefined]) {
      expect((await app.admin.drainDevice({ path, body: body as never })).status).toBe(400);
      expect((await app.admin.quarantineDevice({ path, body: body as never })).status).toBe(400);
    }
  });

  it('quarantineDevice takes back what the device runs: its agent has lost the leases, and others begin anew', async () => {
    const [suspect, sound] = [await createDevice(runner, { slots: 2 }), await createDevice(runner)];
    const { lines } = await createLine(app, [suspect, sound], { ownerIds: [owner.id] });
    const [{ queue }] = lines as [(typeof lines)[0]];
    await queue.add(1, 2);
    const [plain, passed] = (await suspect.ask()) as Required<Schemas['WorkItem']>[];
    const beat = (leases: Schemas['HeartbeatRequest']['leases']) =>
      runner.call.heartbeatWorkItems({ path: queue.path, body: { leases } });
    await beat([{ id: passed?.id ?? 0, version: 1, pointOfNoReturn: true }]);
    const body = { reason: 'It books twice' };
    const quarantined = await owner.call.quarantineDevice({ path: suspect.path, body });
    expect(quarantined.body).toMatchObject({ state: 'QUARANTINED', busySlots: 0 });
    expect(await suspect.ask()).toEqual([]);
    expect(await sound.ask()).toMatchObject([{ id: plain?.id, retryCount: 0 }]);
    const path = { ...queue.path, workItemId: Number(passed?.id) };
    const unresolved = (await app.admin.getWorkItem({ path })).body;
    expect(unresolved).toMatchObject({ status: 'FAILED', failureKind: 'IN_DOUBT' });
    expect(unresolved.error).toContain('It books twice');
    const late = await beat([plain, passed].map((item) => ({ id: item?.id ?? 0, version: 1 })));
    expect(late.body.list.map(({ error }) => error?.code)).toEqual(['LEASE_LOST', 'LEASE_LOST']);
  });

  it('quarantineDevice leaves nothing on a device that asks for work at the same time', async () => {
    for (let round = 0; round < 5; round += 1) {
      const fixture = await createDevice(runner, { slots: 3 });
      const { lines } = await createLine(app, [fixture]);
      await lines[0]?.queue.add(1, 2, 3);
      const body = { reason: 'suspect' };
      await Promise.all([fixture.ask(), app.admin.quarantineDevice({ path: fixture.path, body })]);
      const { busySlots, state } = (await app.admin.getDevice({ path: fixture.path })).body;
      expect([busySlots, state]).toEqual([0, 'QUARANTINED']);
    }
  });

  it('resumeDevice gives a device the items that came while it was held', async () => {
    const fixture = await createDevice(runner);
    const { lines } = await createLine(app, [fixture]);
    await app.admin.drainDevice({ path: fixture.path, body: { reason: 'patch' } });
    const [item] = (await lines[0]?.queue.add(1)) ?? [];
    expect(await fixture.ask({ waitSeconds: 20 })).toEqual([]);
    await app.admin.resumeDevice({ path: fixture.path });
    expect(await fixture.ask({ waitSeconds: 20 })).toMatchObject([{ id: item?.id }]);
  });
});
