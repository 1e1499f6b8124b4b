import type { Schemas } from '@millrace/api';
import { beforeAll, describe, expect, test } from 'vitest';
import { openPool, transaction } from '../engine/db.ts';
import type { Job } from '../engine/job-loop.ts';
import type { Log } from '../engine/operation.ts';
import { compactCounters } from '../journal/counters.ts';
import { startApp, type App } from '../testing/app.ts';
import { createQueue, type QueueFixture } from '../testing/fixtures.ts';
import { finish, held } from '../testing/work.ts';
import { rollUpHistory } from './history.ts';
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

/** A queue with a life: three items came, one was done, one failed, one waits. */
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

/** Moves all that the counters know of a queue into the past, as if the server had run since. */
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
