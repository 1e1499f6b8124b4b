import { GiveBack, type Work as Tools } from '@millrace/runner';
import type { Schemas } from '@millrace/api';
import { beforeAll, expect, test } from 'vitest';
import { startApp, type App } from '../server/src/testing/app.ts';
import { createBotUser, createGate, createWork, numbered, startBot, type Work } from './work.ts';

let app: App;
let base: { url: string; username: string; apiKey: string };

beforeAll(async () => {
  app = await startApp();
  const { username, apiKey } = await createBotUser(app, 'device-1');
  base = { url: app.url, username, apiKey };
});

/** The only item of a queue, in full. */
async function itemOf(work: Work): Promise<Schemas['WorkItem']> {
  const [first] = await work.items();
  return (await app.admin.getWorkItem({ path: { id: work.queueId, workItemId: first?.id as number } })).body;
}

async function reasonsOf(work: Work): Promise<(string | undefined)[]> {
  return (await work.events((await itemOf(work)).id)).map(({ reason }) => reason);
}

const stopped = async ({ signal }: Tools) => {
  await expect.poll(() => signal.aborted).toBe(true);
  signal.throwIfAborted();
};

test('an item that is not done when the time to drain is over is given back at once, untried', async () => {
  const work = await createWork(app, 'Returned', numbered(1));
  // The lease is long, so that it does not bring the item back.
  const options = { ...base, queue: work.name, leaseSeconds: 3600, drainSeconds: 0 };
  const runner = startBot(options, async (_, tools) => stopped(tools));
  await expect.poll(() => runner.seen('claimed')).toHaveLength(1);
  expect(await runner.drained()).toMatchObject({ givenBack: 1, failedSystem: 0 });
  expect(await itemOf(work)).toMatchObject({ status: 'NEW', retryCount: 0 });
  expect(await reasonsOf(work)).toContain('the runner stops, and the time to drain is over');
});

test('an item that is stopped past its point of no return waits for a person, with the reason', async () => {
  const work = await createWork(app, 'Unresolved', numbered(1), 5);
  const gate = createGate();
  const options = { ...base, queue: work.name, leaseSeconds: 3600, drainSeconds: 0 };
  const runner = startBot(options, async (_, tools) => {
    await tools.pointOfNoReturn();
    gate.open();
    await stopped(tools);
  });
  await gate.opened;
  expect(await itemOf(work)).toHaveProperty('pointOfNoReturnOn');
  await runner.drained();
  expect(await itemOf(work)).toMatchObject({ status: 'FAILED', failureKind: 'IN_DOUBT' });
});

test('a handler that gives an item back leaves it untried, with the reason', async () => {
  const work = await createWork(app, 'Refused', numbered(1));
  let tries = 0;
  const runner = startBot({ ...base, queue: work.name }, () => {
    tries += 1;
    if (tries === 1) throw new GiveBack('the licence is in use');
  });
  await expect.poll(work.statuses).toEqual({ COMPLETE: 1 });
  expect(await runner.drained()).toMatchObject({ givenBack: 1, completed: 1 });
  expect(await itemOf(work)).toMatchObject({ retryCount: 0 });
  expect(await reasonsOf(work)).toContain('the licence is in use');
});

test('a handler whose item is cancelled is told who wants it, and the item is not tried again', async () => {
  const work = await createWork(app, 'Cancelled', numbered(1), 5);
  // The next heartbeat is too far away to bring the news.
  const hour = { ...base, queue: work.name, leaseSeconds: 3600 };
  const runner = startBot(hour, async (_, tools) => stopped(tools));
  await expect.poll(work.statuses).toEqual({ IN_PROGRESS: 1 });
  const path = { id: work.queueId, workItemId: (await itemOf(work)).id as number };
  expect((await app.admin.cancelWorkItem({ path, body: { reason: 'sent twice' } })).status).toBe(200);
  await expect.poll(work.statuses).toEqual({ FAILED: 1 });
  expect(runner.seen('cancelled')).toMatchObject([{ message: 'Cancelled by admin: sent twice' }]);
  expect(await itemOf(work)).toMatchObject({ failureKind: 'BUSINESS', retryCount: 0 });
  expect((await itemOf(work)).error).toContain('sent twice');
  await runner.drained();
});

test('an item that was done before its handler heard of the cancellation is complete', async () => {
  const work = await createWork(app, 'Too late', numbered(1));
  const gate = createGate();
  const runner = startBot({ ...base, queue: work.name, leaseSeconds: 3600 }, async () => {
    await gate.opened;
    return { done: true };
  });
  await expect.poll(work.statuses).toEqual({ IN_PROGRESS: 1 });
  const path = { id: work.queueId, workItemId: (await itemOf(work)).id as number };
  await app.admin.cancelWorkItem({ path, body: {} });
  gate.open();
  await expect.poll(work.statuses).toEqual({ COMPLETE: 1 });
  await runner.drained();
});

test('an item whose runner dies past the point of no return is not done twice', async () => {
  const work = await createWork(app, 'Paid once', numbered(1), 5);
  const gate = createGate();
  let isDead = false;
  const dying: typeof fetch = async (input, init) => {
    if (isDead) throw new TypeError('fetch failed', { cause: new Error('the device is dead') });
    return fetch(input, init);
  };
  const runner = startBot({ ...base, queue: work.name, leaseSeconds: 1, fetch: dying }, async (_, tools) => {
    await tools.pointOfNoReturn();
    isDead = true;
    await gate.opened;
  });
  await expect.poll(async () => (await itemOf(work)).failureKind).toBe('IN_DOUBT');
  const others = await app.admin.claimWorkItems({ path: { id: work.queueId } });
  expect(others.body.list).toEqual([]);
  runner.kill();
  gate.open();
});

test('people see the output of a running item, and of one that has ended', async () => {
  const work = await createWork(app, 'Watched', numbered(1));
  const gate = createGate();
  const runner = startBot(
    { ...base, queue: work.name, leaseSeconds: 1 },
    async (_, { log, tag, resultText }) => {
      log('logged in');
      await gate.opened;
      log('booked');
      tag('big', 'late');
      resultText('Booked as B-77');
    },
  );
  await expect.poll(async () => (await itemOf(work)).logTail).toBe('logged in\n');
  gate.open();
  await expect.poll(work.statuses).toEqual({ COMPLETE: 1 });
  expect(await itemOf(work)).toMatchObject({
    logTail: 'logged in\nbooked\n',
    tags: ['big', 'late'],
    resultText: 'Booked as B-77',
  });
  await runner.drained();
});
