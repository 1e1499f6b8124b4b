import type { Schemas } from '@millrace/api';
import pg from 'pg';
import { beforeAll, expect, test } from 'vitest';
import * as functions from './operations.ts';
import { createDatabase, startApp, type App, type TestUser } from './testing/app.ts';
import { createDevice, createLine } from './testing/dispatch.ts';
import { atEnd } from './testing/endings.ts';
import { createQueue, eventually } from './testing/fixtures.ts';
import { held, letLeaseExpire, pathOf, read } from './testing/work.ts';

let app: App;
/** Registers devices, and belongs to no queue. */
let agent: TestUser;

beforeAll(async () => {
  app = await startApp();
  await app.admin.createRole({ body: { name: 'Agents', permissions: ['useQueues', 'runDevice'] } });
  agent = await app.user('agent', ['Agents']);
});

/** Items of a queue that were sent to a device of the agent, and one that still waits. */
async function sentItems(count = 1) {
  const runner = await createDevice(agent, { slots: count });
  const { lines, pool } = await createLine(app, [runner]);
  const [{ queue, automation }] = lines as [(typeof lines)[0]];
  const added = await queue.add(...Array.from({ length: count + 1 }, (_, index) => index));
  const items = await runner.ask({ count });
  /** Takes the device out of all pools. */
  const leave = async () => {
    const { version } = (await app.admin.getPool({ path: { id: Number(pool.id) } })).body;
    const body = { version, deviceIds: [] };
    expect((await app.admin.updatePool({ path: { id: Number(pool.id) }, body })).status).toBe(200);
  };
  return { runner, queue, automation, items, waiting: added.at(-1), leave };
}

const updateOf = (item: Schemas['WorkItem'] | undefined, more: Partial<Schemas['UpdateWorkItemRequest']>) => {
  return { ...held(item), queueId: Number(item?.queueId), ...more };
};

test('finishWorkItems keeps what a device reports that was quarantined in doubt and has left its pool', async () => {
  const { runner, queue, items, leave } = await sentItems();
  const [item] = items;
  const leases = [{ ...held(item), pointOfNoReturn: true } as const];
  await agent.call.heartbeatWorkItems({ path: queue.path, body: { leases } });
  await app.admin.quarantineDevice({ path: runner.path, body: { reason: 'it books twice' } });
  await leave();
  const results = [{ ...held(item), status: 'COMPLETE', output: { booking: 'B-77' } } as const];
  const { status, body } = await agent.call.finishWorkItems({ path: queue.path, body: { results } });
  expect(status).toBe(200);
  expect(body.list).toMatchObject([{ id: item?.id, error: { code: 'LATE_REPORT' } }]);
  expect((await read(queue, item)).doubt?.lateReports).toMatchObject([
    { actorId: agent.id, changes: { status: 'COMPLETE', output: { booking: 'B-77' } } },
  ]);
});

test('finishWorkItems keeps what a device reports whose item somebody else has got', async () => {
  const { queue, items, leave } = await sentItems();
  const [item] = items;
  await letLeaseExpire(app, item);
  await leave();
  await eventually(
    () => read(queue, item),
    ({ status }) => status === 'NEW',
  );
  await queue.claim(2);
  const results = [{ ...held(item), status: 'COMPLETE' } as const];
  const { body } = await agent.call.finishWorkItems({ path: queue.path, body: { results } });
  expect(body.list).toMatchObject([{ error: { code: 'LATE_REPORT' } }]);
  const { body: events } = await queue.owner.call.listWorkItemEvents({ path: pathOf(queue, item) });
  expect(events.list.at(-1)).toMatchObject({ operation: 'lateReport', actorId: agent.id });
});

test('finishWorkItems finds no queue for a device where one of the items was not sent to it', async () => {
  const { queue, items, waiting } = await sentItems();
  const results = [held(items[0]), held(waiting)].map((one) => ({ ...one, status: 'COMPLETE' }) as const);
  const { status, error } = await agent.call.finishWorkItems({ path: queue.path, body: { results } });
  expect([status, error.code]).toEqual([404, 'NOT_FOUND']);
  expect(error.message).toContain('no device of yours was sent the item');
  expect(await read(queue, items[0])).toMatchObject({ status: 'IN_PROGRESS' });
});

test('heartbeatWorkItems decides of each call alone what devices of its caller were sent', async () => {
  const { queue, items, waiting } = await sentItems(3);
  const beat = (item: Schemas['WorkItem'] | undefined) =>
    agent.call.heartbeatWorkItems({ path: queue.path, body: { leases: [held(item)] } });
  const answers = await Promise.all([...items, waiting, waiting].map(beat));
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 404, 404]);
});

test('updateWorkItem takes progress and report of the device that was sent the item', async () => {
  const { queue, items } = await sentItems();
  const [item] = items;
  const path = pathOf(queue, item);
  const noted = await agent.call.updateWorkItem({
    path,
    body: updateOf(item, { progress: { percent: 40 } }),
  });
  expect(noted.body).toMatchObject({ status: 'IN_PROGRESS', progress: { percent: 40 }, version: 2 });
  const body = updateOf(noted.body, { status: 'COMPLETE', output: { booking: 'B-78' } });
  expect((await agent.call.updateWorkItem({ path, body })).body).toMatchObject({
    status: 'COMPLETE',
    output: { booking: 'B-78' },
  });
});

test('updateWorkItem keeps the report of a device that has lost the item, and changes nothing else for it', async () => {
  const { queue, items } = await sentItems();
  const [item] = items;
  await letLeaseExpire(app, item);
  const returned = await eventually(
    () => read(queue, item),
    ({ status }) => status === 'NEW',
  );
  const path = pathOf(queue, item);
  const late = await agent.call.updateWorkItem({ path, body: updateOf(item, { status: 'FAILED' }) });
  expect([late.status, late.error.code]).toEqual([409, 'LATE_REPORT']);
  const edit = await agent.call.updateWorkItem({ path, body: updateOf(returned, { priority: 9 }) });
  expect([edit.status, edit.error.code]).toEqual([409, 'STATUS_CONFLICT']);
  const { body } = await queue.owner.call.listWorkItemEvents({ path });
  expect(body.list.at(-1)).toMatchObject({ operation: 'lateReport', changes: { status: 'FAILED' } });
  expect(await read(queue, item)).toMatchObject({ status: 'NEW', version: returned.version, priority: 4 });
});

test('updateWorkItem finds no queue for a device that was not sent the item', async () => {
  const { queue, waiting } = await sentItems();
  const path = pathOf(queue, waiting);
  const { status } = await agent.call.updateWorkItem({
    path,
    body: updateOf(waiting, { status: 'COMPLETE' }),
  });
  expect(status).toBe(404);
  expect(await read(queue, waiting)).toMatchObject({ status: 'NEW', version: 0 });
});

test('getWorkItem shows a device the items that it was sent, and no others', async () => {
  const { queue, items, waiting } = await sentItems();
  const [item] = items;
  const { status, body } = await agent.call.getWorkItem({ path: pathOf(queue, item) });
  expect(status).toBe(200);
  expect(body).toMatchObject({ id: item?.id, json: item?.json });
  expect((await agent.call.getWorkItem({ path: pathOf(queue, waiting) })).status).toBe(404);
  const stranger = await app.user('another agent', ['Agents']);
  expect((await stranger.call.getWorkItem({ path: pathOf(queue, item) })).status).toBe(404);
});

/** An application that notes the number of calls in each batch of creates, without refused ones. */
async function startNoting(batches: number[]) {
  const createWorkItems: typeof functions.createWorkItems = (context, calls) => {
    batches.push(calls.length);
    return functions.createWorkItems(context, calls);
  };
  const database = await createDatabase();
  const other = new pg.Client(database);
  await other.connect();
  atEnd(() => other.end());
  return { noting: await startApp({}, database, { ...functions, createWorkItems }), other };
}

test('createWorkItems decides of each caller in a batch alone, whoever came first', async () => {
  const batches: number[] = [];
  const { noting, other } = await startNoting(batches);
  const queue = await createQueue(noting);
  const [participant, stranger] = [await noting.user('participant'), await noting.user('stranger')];
  await queue.owner.call.addQueueParticipant({ path: queue.path, body: { userId: participant.id } });
  const body = { workItems: [{ json: { customer: 'x' } }] };
  const create = async ({ call }: TestUser) => {
    const { status, body: created, error } = await call.createWorkItems({ path: queue.path, body });
    return status === 200 ? created.list[0]?.createdBy : error.code;
  };
  const waiting = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
  // Whether calls meet in one batch depends on the machine: repeat until they do.
  while (!batches.includes(2)) {
    await other.query('begin');
    await other.query('select from queues where id = $1 for update', [queue.id]);
    const first = create(queue.owner);
    await eventually(
      () => noting.sql(waiting),
      ({ length }) => length > 0,
    );
    const answers = [queue.owner, stranger, participant, queue.consumer].map(create);
    // Meanwhile these calls reach the server and wait for the first.
    for (let count = 0; count < 5; count += 1) await stranger.call.listQueues();
    await other.query('rollback');
    expect(await Promise.all(answers)).toEqual([queue.owner.id, 'NOT_FOUND', participant.id, 'FORBIDDEN']);
    expect(await first).toBe(queue.owner.id);
  }
});
