import { beforeAll, describe, expect, it } from 'vitest';
import { startApp, type App, type TestUser } from '../../testing/app.ts';
import { registerDevice } from '../../testing/devices.ts';
import { addTenant } from '../../testing/tenant.ts';

let app: App;
let runner: TestUser;
let otherRunner: TestUser;
let foreigner: TestUser;

beforeAll(async () => {
  app = await startApp();
  runner = await app.user('runner', ['AAE_Bot Runner']);
  otherRunner = await app.user('other runner', ['AAE_Bot Runner']);
  foreigner = await addTenant(app, 'second');
});

describe('registerDevice', () => {
  it('registerDevice answers every member of a new device, which is connected and takes work', async () => {
    const { status, body } = await runner.call.registerDevice({
      body: {
        hostName: 'runner-01.example.com',
        nickname: 'Läufer 1',
        labels: ['sap', 'germany', 'sap'],
        bots: ['Post invoice', 'Check vendor'],
        slots: 4,
        agentVersion: '0.1.0',
      },
    });
    expect(status).toBe(200);
    expect(body).toEqual({
      id: expect.any(Number),
      hostName: 'runner-01.example.com',
      nickname: 'Läufer 1',
      labels: ['germany', 'sap'],
      bots: ['Check vendor', 'Post invoice'],
      slots: 4,
      busySlots: 0,
      agentVersion: '0.1.0',
      status: 'CONNECTED',
      state: 'ACTIVE',
      poolIds: [],
      lastSeenOn: body.createdOn,
      userId: runner.id,
      createdBy: runner.id,
      createdOn: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*\.\d{3}Z$/),
      updatedBy: runner.id,
      updatedOn: body.createdOn,
      version: 0,
      capabilities: ['view'],
    });
  });

  it('registerDevice by the same user finds the device, takes what is new and keeps what is not said', async () => {
    const first = await registerDevice(runner, { hostName: 'again', labels: ['a'], bots: ['b'], slots: 3 });
    const named = { path: { id: Number(first.id) }, body: { version: 0, nickname: 'by hand' } };
    expect((await app.admin.updateDevice(named)).status).toBe(200);
    const { body } = await runner.call.registerDevice({
      body: { hostName: 'AGAIN', nickname: 'by the agent', bots: ['c'], agentVersion: '2' },
    });
    expect(body).toMatchObject({ id: first.id, hostName: 'again', nickname: 'by hand', version: 2 });
    expect(body).toMatchObject({ labels: ['a'], bots: ['c'], slots: 3, agentVersion: '2' });
  });

  it('registerDevice that says nothing new leaves the version as it is', async () => {
    const first = await registerDevice(runner, { hostName: 'same', labels: ['x'] });
    const again = await registerDevice(runner, { hostName: 'same', labels: ['x'] });
    expect(again).toEqual({ ...first, lastSeenOn: expect.any(String) });
  });

  it('registerDevice refuses a host that another user of the tenant has, and says what to do', async () => {
    const { id } = await registerDevice(runner, { hostName: 'mine' });
    const { status, error } = await otherRunner.call.registerDevice({ body: { hostName: 'Mine' } });
    expect([status, error.code]).toEqual([409, 'NAME_TAKEN']);
    expect(error.message).toContain(`device ${id}`);
    expect((await foreigner.call.registerDevice({ body: { hostName: 'mine' } })).status).toBe(200);
  });

  it('registerDevice makes one device of many registrations at once', async () => {
    const calls = Array.from({ length: 8 }, (_, index) =>
      runner.call.registerDevice({ body: { hostName: 'race', slots: index + 1 } }),
    );
    const answers = await Promise.all(calls);
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 200));
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
  });

  it('registerDevice gives a host to one of two users who register it at once', async () => {
    for (let round = 0; round < 5; round += 1) {
      const body = { hostName: `raced ${round}` };
      const answers = await Promise.all([
        runner.call.registerDevice({ body }),
        otherRunner.call.registerDevice({ body }),
      ]);
      expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409]);
    }
  });

  it.each([
    [{}, 'hostName is required'],
    [{ hostName: ' x' }, 'hostName must not begin or end with white space'],
    [{ hostName: 'x\u0007' }, 'control or invisible characters'],
    [{ hostName: 'x', labels: ['a', ''] }, 'labels.1 must not be empty'],
    [{ hostName: 'x', labels: ['a '] }, 'labels must not begin or end'],
    [{ hostName: 'x', bots: ['\n'] }, 'bots must not begin or end'],
    [{ hostName: 'x', slots: 0 }, 'slots must be at least 1'],
    [{ hostName: 'x', slots: 1001 }, 'slots must be at most 1000'],
    [{ hostName: 'x', state: 'ACTIVE' }, 'state is not a known member'],
  ])('registerDevice refuses %j', async (body, message) => {
    const { status, error } = await runner.call.registerDevice({ body: body as never });
    expect([status, error.code]).toEqual([400, 'INVALID_REQUEST']);
    expect(error.message).toContain(message);
  });

  it('registerDevice needs the permission runDevice', async () => {
    const basic = await app.user('basic');
    const { status, error } = await basic.call.registerDevice({ body: { hostName: 'x' } });
    expect([status, error.code]).toEqual([403, 'FORBIDDEN']);
  });
});

describe('heartbeatDevice', () => {
  it('heartbeatDevice tells the agent what its device may do', async () => {
    const { id } = await registerDevice(runner);
    const { status, body } = await runner.call.heartbeatDevice({ path: { id: Number(id) } });
    expect([status, body]).toEqual([200, { state: 'ACTIVE' }]);
  });

  it('heartbeatDevice knows no device that another user registered', async () => {
    const path = { id: Number((await registerDevice(runner)).id) };
    for (const call of [otherRunner.call, app.admin, foreigner.call]) {
      const { status, error } = await call.heartbeatDevice({ path });
      expect([status, error.code]).toEqual([404, 'NOT_FOUND']);
    }
  });
});
