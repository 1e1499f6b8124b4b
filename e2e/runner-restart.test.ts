import { expect, test } from 'vitest';
import { startApp } from '../server/src/testing/app.ts';
import { count, createBotUser, createGate, createWork, numbered, startBot, type Work } from './work.ts';

/** The number of times that each item was finished, by reports of any runner. */
async function finishes(work: Work): Promise<Record<string, number>> {
  const items = await work.items();
  const timelines = await Promise.all(items.map(({ id }) => work.events(id)));
  const times = timelines.map(
    (events) => events.filter(({ operation }) => operation === 'finishWorkItems').length,
  );
  return count(times.map(String));
}

test('a server that stops and comes back gets every report, once', async () => {
  const before = await startApp();
  const bot = await createBotUser(before, 'device-1');
  const work = await createWork(before, 'Restarted', numbered(8));
  const gate = createGate();
  const options = { url: before.url, username: bot.username, apiKey: bot.apiKey, queue: work.name, slots: 3 };
  const runner = startBot<{ n: number }>(options, async ({ json }) => {
    await gate.opened;
    return { n: json.n };
  });
  await expect.poll(work.statuses).toEqual({ IN_PROGRESS: 3, NEW: 5 });
  await before.stop();
  gate.open();
  await expect.poll(() => runner.seen('retrying').length).toBeGreaterThan(1);
  const after = await startApp({ port: Number(new URL(before.url).port) }, before.connection);
  expect(after.url).toBe(before.url);
  await expect.poll(work.statuses).toEqual({ COMPLETE: 8 });
  expect(await runner.drained()).toMatchObject({ completed: 8, refused: 0, lost: 0, unreported: 0 });
  expect(await finishes(work)).toEqual({ '1': 8 });
});

test('a report whose answer is lost on the way is sent again and counts once', async () => {
  const app = await startApp();
  const bot = await createBotUser(app, 'device-1');
  const work = await createWork(app, 'Cut', numbered(3), 5);
  let isCut = false;
  const cutOnce: typeof fetch = async (input, init) => {
    const response = await fetch(input, init);
    if (isCut || typeof input !== 'string' || !input.endsWith('/finish')) return response;
    isCut = true;
    throw new TypeError('fetch failed', { cause: new Error('the cable was pulled') });
  };
  const options = {
    url: app.url,
    username: bot.username,
    apiKey: bot.apiKey,
    queue: work.name,
    fetch: cutOnce,
  };
  const runner = startBot<{ n: number }>(options, ({ json, retryCount }) => {
    if (json.n < 3 && retryCount === 0) throw new Error('try again');
  });
  await expect.poll(work.statuses).toEqual({ COMPLETE: 3 });
  expect(await runner.drained()).toMatchObject({ completed: 3, failedSystem: 2, refused: 0 });
  expect(runner.seen('retrying')).toMatchObject([
    { message: expect.stringContaining('the cable was pulled') },
  ]);
  expect((await work.items()).map(({ retryCount }) => retryCount)).toEqual([1, 1, 0]);
  expect(await finishes(work)).toEqual({ '1': 1, '2': 2 });
});

test('a runner that starts before the server waits for it', async () => {
  const before = await startApp();
  const bot = await createBotUser(before, 'device-1');
  const work = await createWork(before, 'Early', numbered(1));
  await before.stop();
  const options = { url: before.url, username: bot.username, apiKey: bot.apiKey, queue: work.name };
  const runner = startBot(options, () => undefined);
  await expect.poll(() => runner.seen('retrying')).not.toEqual([]);
  await startApp({ port: Number(new URL(before.url).port) }, before.connection);
  await expect.poll(() => runner.seen('reported')).toHaveLength(1);
  expect(await runner.drained()).toMatchObject({ completed: 1 });
});
