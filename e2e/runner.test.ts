import { BusinessError, Defer, run, RunnerFault, type RunnerEvent } from '@millrace/runner';
import { beforeAll, expect, test } from 'vitest';
import { startApp, type App } from '../server/src/testing/app.ts';
import { createBotUser, createGate, createWork, numbered, startBot, type BotUser } from './work.ts';

interface Numbered {
  n: number;
}

let app: App;
let bot: BotUser;
let base: { url: string; username: string; apiKey: string };
let modelId: number;
const nothing = () => undefined;

beforeAll(async () => {
  app = await startApp();
  bot = await createBotUser(app, 'device-1');
  base = { url: app.url, username: bot.username, apiKey: bot.apiKey };
  const attributes = [{ name: 'n', type: 'NUMBER' as const }];
  modelId = Number((await app.admin.createWorkItemModel({ body: { name: 'Plain', attributes } })).body.id);
});

test('a bot completes the items of a queue, and what it returns is their output', async () => {
  const work = await createWork(app, 'Doubles', numbered(5));
  const runner = startBot<Numbered>({ ...base, queue: work.name, slots: 2 }, ({ json }) => ({
    double: json.n * 2,
  }));
  await expect.poll(work.statuses).toEqual({ COMPLETE: 5 });
  expect(await runner.drained()).toMatchObject({ completed: 5, refused: 0, lost: 0, unreported: 0 });
  const items = await work.items();
  expect(items.map(({ output }) => output)).toEqual([2, 4, 6, 8, 10].map((double) => ({ double })));
  expect(items.every(({ result }) => result === 'SUCCESS')).toBe(true);
});

test('items that come while the bot waits are done as well', async () => {
  const work = await createWork(app, 'Later', numbered(1));
  const runner = startBot({ ...base, queue: work.queueId }, () => undefined);
  await expect.poll(work.statuses).toEqual({ COMPLETE: 1 });
  await app.admin.createWorkItems({ path: { id: work.queueId }, body: { workItems: [{ json: { n: 2 } }] } });
  await expect.poll(work.statuses).toEqual({ COMPLETE: 2 });
  expect(await runner.drained()).toMatchObject({ completed: 2 });
});

test('a BusinessError fails the item for good, with its message', async () => {
  const work = await createWork(app, 'Business', numbered(1), 3);
  const runner = startBot({ ...base, queue: work.name }, () => {
    throw new BusinessError('Amount above the limit');
  });
  await expect.poll(work.statuses).toEqual({ FAILED: 1 });
  expect(await runner.drained()).toMatchObject({ failedBusiness: 1, failedSystem: 0 });
  const expected = {
    result: 'FAILURE',
    failureKind: 'BUSINESS',
    error: 'Amount above the limit',
    retryCount: 0,
  };
  expect((await work.items())[0]).toMatchObject(expected);
});

test('any other error is tried again as often as the queue allows', async () => {
  const work = await createWork(app, 'Technical', numbered(2), 1);
  const runner = startBot<Numbered>({ ...base, queue: work.name }, ({ json, retryCount }) => {
    if (json.n === 1 || retryCount === 0) throw new Error('the printer is on fire');
    return { tries: Number(retryCount) + 1 };
  });
  await expect.poll(work.statuses).toEqual({ FAILED: 1, COMPLETE: 1 });
  expect(await runner.drained()).toMatchObject({ failedSystem: 3, completed: 1 });
  const [gaveUp, recovered] = await work.items();
  expect(gaveUp).toMatchObject({ failureKind: 'SYSTEM', error: 'the printer is on fire', retryCount: 1 });
  expect(recovered).toMatchObject({ output: { tries: 2 }, retryCount: 1 });
});

test('Defer puts an item aside', async () => {
  const work = await createWork(app, 'Aside', numbered(1));
  const until = new Date(Date.now() + 3_600_000);
  const runner = startBot({ ...base, queue: work.name }, () => {
    throw new Defer(until, 'the bank is closed');
  });
  await expect.poll(work.statuses).toEqual({ DEFERRED: 1 });
  expect(await runner.drained()).toMatchObject({ deferred: 1 });
  const expected = { deferredUntil: until.toISOString(), comment: 'the bank is closed' };
  expect((await work.items())[0]).toMatchObject(expected);
});

test('people see progress while the item is in work', async () => {
  const work = await createWork(app, 'Progress', numbered(1));
  const runner = startBot({ ...base, queue: work.name }, async (_, { progress }) => {
    await progress(50, 'scored');
    return { seen: (await work.items())[0]?.progress };
  });
  await expect.poll(work.statuses).toEqual({ COMPLETE: 1 });
  expect((await work.items())[0]?.output).toEqual({ seen: { percent: 50, text: 'scored' } });
  await runner.drained();
});

test('heartbeats keep an item for longer than its lease', async () => {
  const work = await createWork(app, 'Long', numbered(1));
  const runner = startBot({ ...base, queue: work.name, leaseSeconds: 1 }, async () => {
    const first = (await work.items())[0]?.leaseExpiresOn;
    await expect.poll(async () => (await work.items())[0]?.leaseExpiresOn).not.toBe(first);
    await expect.poll(() => Date.now()).toBeGreaterThan(Date.parse(String(first)));
  });
  await expect.poll(work.statuses).toEqual({ COMPLETE: 1 });
  expect(await runner.drained()).toMatchObject({ completed: 1, lost: 0 });
});

test('a bot whose item is taken away is told, and its result is not reported', async () => {
  const work = await createWork(app, 'Taken', numbered(1));
  const path = { id: work.queueId };
  const runner = startBot(
    { ...base, queue: work.name, leaseSeconds: 1 },
    async ({ id, version }, { signal }) => {
      // The same user is done with the item elsewhere, which ends the lease.
      await bot.user.call.finishWorkItems({
        path,
        body: { results: [{ id, version, status: 'COMPLETE', output: { by: 'other' } }] },
      });
      await expect.poll(() => signal.aborted).toBe(true);
      return { by: 'runner' };
    },
  );
  await expect.poll(() => runner.seen('leaseLost')).toMatchObject([{ code: 'LEASE_LOST' }]);
  expect(await runner.drained()).toMatchObject({ lost: 1, completed: 0 });
  const [item] = await work.items();
  expect(item).toMatchObject({ status: 'COMPLETE', output: { by: 'other' } });
  expect((await work.events(item?.id)).map(({ operation }) => operation)).not.toContain('lateReport');
});

test('a bot that works faster than it reports leaves the rest to others', async () => {
  const work = await createWork(app, 'Unanswered', numbered(10));
  const path = { id: work.queueId };
  const gate = createGate();
  const slowToAnswer: typeof fetch = async (input, init) => {
    if (typeof input === 'string' && input.endsWith('/finish')) await gate.opened;
    return fetch(input, init);
  };
  const runner = startBot({ ...base, queue: work.name, slots: 2, fetch: slowToAnswer }, nothing);
  // The slot of the first report takes one more item; then two reports wait, and no slot is free.
  await expect.poll(() => runner.seen('finished')).toHaveLength(3);
  const others = await bot.user.call.claimWorkItems({ path, body: { count: 10 } });
  expect(others.body.list).toHaveLength(7);
  gate.open();
  await expect.poll(work.statuses).toEqual({ COMPLETE: 3, IN_PROGRESS: 7 });
  expect(await runner.drained()).toMatchObject({ completed: 3, refused: 0 });
});

test('draining ends what runs and leaves the rest', async () => {
  const work = await createWork(app, 'Drained', numbered(3));
  const gate = createGate();
  const runner = startBot({ ...base, queue: work.name }, () => gate.opened);
  await expect.poll(() => runner.seen('claimed')).toHaveLength(1);
  const drained = runner.drained();
  await expect.poll(() => runner.seen('draining')).toEqual([{ type: 'draining', running: 1, reports: 0 }]);
  gate.open();
  expect(await drained).toMatchObject({ completed: 1 });
  expect(await work.statuses()).toEqual({ COMPLETE: 1, NEW: 2 });
});

test('a RunnerFault stops the runner, and the item comes back untried', async () => {
  const work = await createWork(app, 'Fault', numbered(2));
  const runner = startBot({ ...base, queue: work.name, leaseSeconds: 1 }, () => {
    throw new RunnerFault('no licence on this device');
  });
  await expect(runner.done).rejects.toThrow('no licence on this device');
  await expect.poll(work.statuses).toEqual({ NEW: 2 });
});

test('an output that the server cannot keep fails the item and says why', async () => {
  const work = await createWork(app, 'Unkept', numbered(1));
  const runner = startBot({ ...base, queue: work.name, maxOutputBytes: 20 }, () => ({
    text: 'x'.repeat(100),
  }));
  await expect.poll(work.statuses).toEqual({ FAILED: 1 });
  expect((await work.items())[0]?.error).toMatch(/larger than the 20 bytes/);
  await runner.drained();
});

test('a queue that does not exist, or that the user may not see, is named', async () => {
  const stranger = await createBotUser(app, 'device-2');
  const unseen = await app.admin.createQueue({ body: { name: 'Unseen', workItemModelId: modelId } });
  expect(unseen.status).toBe(200);
  const { username, apiKey } = stranger;
  for (const queue of ['No such queue', 'Unseen']) {
    const refused = startBot({ url: app.url, username, apiKey, queue }, nothing).done;
    await expect(refused).rejects.toThrow(
      `No queue is named "${queue}", or the user of this runner may not see it`,
    );
  }
});

test('a runner with a wrong key is refused', async () => {
  const refused = startBot({ ...base, apiKey: 'wrong', queue: 'Any' }, nothing).done;
  await expect(refused).rejects.toMatchObject({ name: 'ApiError', status: 401 });
});

test('a runner whose user may see the queue but not process its items is refused', async () => {
  const work = await createWork(app, 'Closed', numbered(1));
  const basic = await app.user('basic', ['AAE_Basic']);
  await app.admin.addQueueParticipant({ path: { id: work.queueId }, body: { userId: basic.id } });
  const refused = startBot({ url: app.url, token: basic.token, queue: work.name }, nothing).done;
  await expect(refused).rejects.toMatchObject({ name: 'ApiError', status: 403 });
});

test('a watcher that throws costs no item', async () => {
  const work = await createWork(app, 'Watched', numbered(1));
  const onEvent = ({ type }: RunnerEvent) => {
    if (type === 'claimed') throw new Error('cannot draw');
  };
  await expect(run({ ...base, queue: work.name, onEvent }, nothing)).rejects.toThrow('cannot draw');
  expect(await work.statuses()).toEqual({ COMPLETE: 1 });
});
