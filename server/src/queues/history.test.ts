import type { Schemas } from '@millrace/api';
import { beforeAll, describe, expect, test } from 'vitest';
import { openPool, transaction } from '../engine/db.ts';
import type { Job } from '../engine/job-loop.ts';
import type { Log } from '../engine/operation.ts';
import { compactCounters } from '../journal/counters.ts';
import { startApp, type App } from '../testing/app.ts';
import { createQueue, type QueueFixture } from '../testing/fixtures.ts';
import { finish, held } from '../testing/work.ts';
import { createLookAtOldest, rollUpHistory } from './history.ts';
import { keyless } from '../testing/keyless.ts';

let app: App;
let run: (job: Job) => Promise<unknown>;
const nothing = () => undefined;
const log: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing };

beforeAll(async () => {
  app = await startApp();
  const pool = openPool(app.connection, 1);
  run = (job) =>
    transaction(pool, async (db, clock) => job.run({ db, now: await clock, wake: nothing, log, ...keyless }));
  return () => pool.end();
});

type Query = NonNullable<Parameters<App['admin']['getQueueHistory']>[0]>['query'];

async function historyOf({ owner, path }: QueueFixture, query: Query = {}): Promise<Schemas['QueueHistory']> {
  const { status, body, error } = await owner.call.getQueueHistory({ path, query });
  expect(status, JSON.stringify(error)).toBe(200);
  return body;
}

const ago = (hours: number) => new Date(Date.now() - hours * 3_600_000);
const totals = ({ list }: Schemas['QueueHistory']) => ({
  arrived: list.reduce((total, { arrived }) => total + arrived, 0),
  complete: list.reduce((total, { complete }) => total + complete, 0),
  failed: list.reduce((total, { failed }) => total + failed, 0),
});

/** A queue with a past: three items came, one was completed, one failed, one waits. */
async function createLived(): Promise<QueueFixture> {
  const queue = await createQueue(app);
  await queue.add(1, 2, 3);
  const [done, failed] = await queue.claim(2);
  await finish(queue, { ...held(done), status: 'COMPLETE' });
  await finish(queue, {
    ...held(failed),
    status: 'FAILED',
    failureKind: 'BUSINESS',
    error: 'above the limit',
  });
  return queue;
}

/** A queue with an item that has waited for so many hours. */
async function createWaiting(hours: number): Promise<QueueFixture> {
  const queue = await createQueue(app);
  await queue.add(1);
  await app.sql('update work_items set created_on = now() - make_interval(hours => $2) where queue_id = $1', [
    queue.id,
    hours,
  ]);
  return queue;
}

/** Moves the counters of a queue into the past, as if the server had run since. */
async function age({ id }: QueueFixture, hours: number): Promise<void> {
  await app.sql(
    `update queue_tallies set minute = minute - make_interval(hours => $2)
    where queue_id = $1 and minute > '-infinity'`,
    [id, hours],
  );
  await app.sql(
    `insert into queue_tallies (queue_id, minute, new, in_progress, complete, failed, deferred, finished_complete,
       finished_failed, handling_ms) select $1, '-infinity', 0, 0, 0, 0, 0, 0, 0, 0 from generate_series(1, 60)`,
    [id],
  );
  await run(compactCounters);
}

/** Items that are finished after so many hours each. */
async function finishAfter(queue: QueueFixture, ...hours: readonly number[]): Promise<void> {
  await queue.add(...hours);
  for (const [index, item] of (await queue.claim(hours.length)).entries()) {
    await app.sql('update work_items set started_on = now() - make_interval(mins => $2) where id = $1', [
      item.id,
      60 * Number(hours[index]),
    ]);
    await finish(queue, { ...held(item), status: 'COMPLETE' });
  }
}

type Percentiles = Pick<Schemas['QueueHistory'], 'p50HandlingSeconds' | 'p95HandlingSeconds'>;

/** The percentiles in hours, as they are told to within a twentieth. */
function hoursOf({ p50HandlingSeconds = NaN, p95HandlingSeconds = NaN }: Percentiles) {
  const [p50, p95] = [p50HandlingSeconds, p95HandlingSeconds].map((seconds) => Math.round(seconds / 3600));
  return { p50, p95 };
}

describe('getQueueHistory', () => {
  test('getQueueHistory counts what came in and was finished, and how many there were in the end', async () => {
    const queue = await createLived();
    const history = await historyOf(queue, { step: 3600 });
    expect(totals(history)).toEqual({ arrived: 3, complete: 1, failed: 1 });
    expect(history.step).toBe(3600);
    expect(history.list[0]?.counts).toEqual({ NEW: 0, IN_PROGRESS: 0, COMPLETE: 0, FAILED: 0, DEFERRED: 0 });
    expect(history.list.at(-1)).toMatchObject({
      counts: { NEW: 1, IN_PROGRESS: 0, COMPLETE: 1, FAILED: 1, DEFERRED: 0 },
    });
    expect(history.list.some(({ averageHandlingSeconds }) => averageHandlingSeconds !== undefined)).toBe(
      true,
    );
    const starts = history.list.map(({ from }) => Date.parse(from));
    expect(
      starts.every((start, index) => index === 0 || start - Number(starts[index - 1]) === 3_600_000),
    ).toBe(true);
  });

  test('getQueueHistory says the same of minutes that were compacted, and of those that were rolled up', async () => {
    const queue = await createLived();
    const expected = { arrived: 3, complete: 1, failed: 1 };
    await age(queue, 1);
    const recent = await historyOf(queue, { from: ago(2).toISOString() });
    expect([recent.step, totals(recent)]).toEqual([60, expected]);
    await app.sql(`update queue_history set at = at - interval '3 days' where queue_id = $1`, [queue.id]);
    await run(rollUpHistory);
    const lengths = () =>
      app.sql('select distinct seconds from queue_history where queue_id = $1', [queue.id]);
    expect(await lengths()).toEqual([{ seconds: 3600 }]);
    const older = await historyOf(queue, { from: ago(96).toISOString(), step: 60 });
    expect([older.step, totals(older)]).toEqual([3600, expected]);
    await app.sql(`update queue_history set at = at - interval '100 days' where queue_id = $1`, [queue.id]);
    await run(rollUpHistory);
    expect(await lengths()).toEqual([{ seconds: 86_400 }]);
    const oldest = await historyOf(queue, { from: ago(24 * 120).toISOString() });
    expect([oldest.step, totals(oldest)]).toEqual([86_400, expected]);
    expect(oldest.list.at(-1)?.counts).toMatchObject({ NEW: 1, COMPLETE: 1, FAILED: 1 });
  });

  test('getQueueHistory tells which time half of the items took, and which 95 in a hundred, of each span and of all', async () => {
    const queue = await createQueue(app);
    await finishAfter(queue, 2, 2, 8);
    await age(queue, 3);
    await finishAfter(queue, 8, 8);
    const history = await historyOf(queue, { from: ago(9).toISOString(), step: 3600 });
    expect(history.percentileError).toBe(0.05);
    const told = history.list.filter(({ p50HandlingSeconds }) => p50HandlingSeconds !== undefined);
    expect(told.map(hoursOf)).toEqual([
      { p50: 2, p95: 8 },
      { p50: 8, p95: 8 },
    ]);
    expect(hoursOf(history)).toEqual({ p50: 8, p95: 8 });
    const first = await historyOf(queue, { from: ago(9).toISOString(), to: ago(2).toISOString() });
    expect(hoursOf(first)).toEqual({ p50: 2, p95: 8 });
  });

  test('getQueueHistory tells the same percentiles of minutes that were compacted, came late, and were rolled up', async () => {
    const queue = await createQueue(app);
    await finishAfter(queue, 2, 2, 2);
    await age(queue, 70);
    await finishAfter(queue, 8, 8, 8, 8);
    await age(queue, 70);
    const expected = { p50: 8, p95: 8 };
    const of = async (hours: number) => hoursOf(await historyOf(queue, { from: ago(hours).toISOString() }));
    expect(await of(80)).toEqual(expected);
    await run(rollUpHistory);
    expect(await of(80)).toEqual(expected);
    await app.sql(`update queue_history set at = at - interval '100 days' where queue_id = $1`, [queue.id]);
    await run(rollUpHistory);
    expect(await of(24 * 120)).toEqual(expected);
    const kept =
      'select sum(value::int)::int as items from queue_history, json_each_text(handling_times) where queue_id = $1';
    expect(await app.sql(kept, [queue.id])).toEqual([{ items: 7 }]);
  });

  test('getQueueHistory tells no percentiles where nothing was finished, nor of what was before they were counted', async () => {
    const queue = await createLived();
    await app.sql('update queue_tallies set handling_times = null where queue_id = $1', [queue.id]);
    const { list, ...whole } = await historyOf(queue);
    expect(list.some(({ averageHandlingSeconds }) => averageHandlingSeconds !== undefined)).toBe(true);
    for (const one of [whole, ...list]) expect(one).not.toHaveProperty('p95HandlingSeconds');
  });

  test('getQueueHistory tells for how long the oldest item had waited, though it is done since, and when that is old', async () => {
    const queue = await createWaiting(2);
    // In this minute somebody may have looked before the item was made older.
    await age(queue, 1);
    await run(createLookAtOldest());
    const [item] = await queue.claim(1);
    await finish(queue, { ...held(item), status: 'COMPLETE' });
    const longest = async (hours: number) => {
      const { list } = await historyOf(queue, { from: ago(hours).toISOString() });
      return Math.round(
        Math.max(...list.map(({ oldestWaitingSeconds = -1 }) => oldestWaitingSeconds)) / 3600,
      );
    };
    expect(await longest(9)).toBe(2);
    await age(queue, 3);
    expect(await longest(9)).toBe(2);
    for (const days of [3, 100]) {
      await app.sql(`update queue_history set at = at - make_interval(days => $2) where queue_id = $1`, [
        queue.id,
        days,
      ]);
      await run(rollUpHistory);
      expect(await longest(24 * 120)).toBe(2);
    }
  });

  test('getQueueHistory tells how long the oldest item waits now, and nothing where none waits', async () => {
    const queue = await createWaiting(5);
    const seen = async (query?: Query) =>
      (await historyOf(queue, query)).list.at(-1)?.oldestWaitingSeconds ?? -1;
    expect(Math.round((await seen()) / 3600)).toBe(5);
    expect(await seen({ to: ago(1).toISOString() })).toBe(-1);
    const { list } = await historyOf(await createQueue(app));
    for (const span of list) expect(span).not.toHaveProperty('oldestWaitingSeconds');
  });

  test('getQueueHistory ends where it is asked to, with the counts of that time', async () => {
    const queue = await createLived();
    await age(queue, 2);
    await queue.add(4, 5);
    const { list } = await historyOf(queue, { from: ago(6).toISOString(), to: ago(1).toISOString() });
    expect(list.at(-1)?.counts).toMatchObject({ NEW: 1, COMPLETE: 1 });
    expect(list.every(({ from }) => Date.parse(from) < ago(1).getTime())).toBe(true);
  });

  test('getQueueHistory refuses a stretch that ends before it begins, and one of too many spans', async () => {
    const { owner, path } = await createQueue(app);
    const ask = async (query: NonNullable<Query>) =>
      (await owner.call.getQueueHistory({ path, query })).error.message;
    expect(await ask({ from: ago(1).toISOString(), to: ago(2).toISOString() })).toContain(
      'from must be before',
    );
    expect(await ask({ from: ago(47).toISOString(), step: 60 })).toContain('more than 1500 spans');
  });

  test('deleteQueue forgets the history', async () => {
    const queue = await createQueue(app);
    const [item] = await queue.add(1);
    const path = { ...queue.path, workItemId: Number(item?.id) };
    await queue.owner.call.deleteWorkItem({ path });
    await age(queue, 1);
    const left = () => app.sql('select from queue_history where queue_id = $1', [queue.id]);
    expect(await left()).not.toEqual([]);
    expect((await queue.owner.call.deleteQueue({ path: queue.path })).status).toBeLessThan(300);
    expect(await left()).toEqual([]);
  });
});
