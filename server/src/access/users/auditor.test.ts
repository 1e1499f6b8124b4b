import { operations, type Operation, type OperationId } from '@millrace/api';
import { describe, expect, it } from 'vitest';
import { startApp, type Caller } from '../../testing/app.ts';
import { createPool } from '../../testing/devices.ts';
import { createDevice } from '../../testing/dispatch.ts';
import { createQueue } from '../../testing/fixtures.ts';
import { inputOf } from '../../testing/inputs.ts';

const app = await startApp();
const queue = await createQueue(app);
await queue.add(1);
const runner = await createDevice(await app.user('device runner', ['AAE_Bot Runner']));
const pool = await createPool(app, [runner.device]);
const auditor = await app.user('auditor', ['AAE_Auditor']);
const queueAdmin = await app.user('queue admin', ['AAE_Queue Admin']);

type AnyCall = (input: object) => Promise<{ status: number; error: { code: string; message: string } }>;
const closed = Object.entries<Operation>(operations).filter(
  ([, { effect, permission }]) =>
    !['read', 'download', 'stream', 'none'].includes(effect) && permission !== 'public',
) as [OperationId, Operation][];
const changing = closed.flatMap(([name, { permission }]) => (permission === 'oneself' ? [] : [name]));
const own = closed.flatMap(([name, { permission }]) => (permission === 'oneself' ? [name] : []));

/** The newest event of an operation, as a caller sees it. */
async function newest(caller: Caller, operation: string) {
  return (await caller.listEvents({ query: { operation, last: 1 } })).body.list[0];
}

describe('an auditor', () => {
  it('sees every queue with its items, models, automations, devices, pools, users and roles, without belonging to any', async () => {
    const { call } = auditor;
    const total = async (list: Promise<{ body: { page: { total: number } } }>) =>
      (await list).body.page.total;
    const lists = [
      'listQueues',
      'listWorkItemModels',
      'listDevices',
      'listPools',
      'listUsers',
      'listRoles',
    ] as const;
    for (const list of lists) expect(await total(call[list]()), list).toBe(await total(app.admin[list]()));
    expect(await total(call.listWorkItems({ path: queue.path, body: {} }))).toBe(1);
    expect(await total(call.listQueueMembers({ path: queue.path }))).toBe(1);
    expect((await call.getQueueStats({ path: queue.path })).status).toBe(200);
    expect((await call.explainQueue({ path: queue.path })).status).toBe(200);
    expect((await call.listDoubts()).body.total).toBe(0);
    expect((await call.listFailureClusters()).body.total).toBe(0);
    const queries = { query: { last: 1000 } };
    const { list } = (await app.admin.listEvents(queries)).body;
    expect((await call.listEvents(queries)).body.list).toEqual(list);
  });

  it.each(changing)('may not call %s', async (operationId) => {
    const [, thing] = /(Pool|Device)$/.exec(operationId) ?? [];
    const id = thing === 'Pool' ? pool.id : thing === 'Device' ? runner.device.id : queue.path.id;
    const call = auditor.call[operationId] as AnyCall;
    const { status, error } = await call(inputOf(operationId, { known: { id, userId: queueAdmin.id } }));
    expect([status, error.code], error.message).toEqual([403, 'FORBIDDEN']);
  });

  it('may do for oneself what everybody may: choose another password, end a session, and keep how one looks at things', () => {
    expect(own.toSorted()).toEqual([
      'changePassword',
      'createView',
      'deleteView',
      'endSession',
      'updatePreferences',
      'updateView',
    ]);
  });
});

describe('listEvents', () => {
  it('listEvents shows what became of rights to those who see users, and from where only to those who see all events', async () => {
    const { id } = await app.user('changed');
    await app.admin.disableUser({ path: { id } });
    await queue.owner.call.addQueueParticipant({ path: queue.path, body: { userId: auditor.id } });
    const origin = { address: '127.0.0.1', userAgent: 'node' };
    for (const operation of ['disableUser', 'addQueueParticipant']) {
      for (const { call } of [auditor, { call: app.admin }])
        expect((await newest(call, operation))?.changes).toMatchObject(origin);
      const seen = (await newest(queueAdmin.call, operation))?.changes;
      expect(seen).toMatchObject({ userId: operation === 'disableUser' ? id : auditor.id });
      for (const member of Object.keys(origin)) expect(seen).not.toHaveProperty(member);
    }
    await queue.owner.call.removeQueueMember({ path: { ...queue.path, userId: auditor.id } });
    expect(await newest(queueAdmin.call, 'logIn')).toBeUndefined();
    expect((await newest(auditor.call, 'logIn'))?.changes).toMatchObject(origin);
  });
});
