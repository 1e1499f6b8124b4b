import { afterEach, expect, test, vi } from 'vitest';
import { openPool, sql, transaction } from '../../engine/db.ts';
import type { Log } from '../../engine/operation.ts';
import { startApp } from '../../testing/app.ts';
import { createQueue } from '../../testing/fixtures.ts';
import { reclaimExpiredLeases } from './leases.ts';
import { keyless } from '../../testing/keyless.ts';

const app = await startApp();
const queue = await createQueue(app);
const nothing = () => undefined;
const log: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing };

afterEach(() => void vi.restoreAllMocks());

const insertRunning = `
  insert into work_items (queue_id, status, sort_key, priority, claimed_by, started_on, lease_expires_on, lease_seconds, created_by, created_on,
    updated_by, updated_on, model_version)
  select $1, 'IN_PROGRESS', '', 0, 1, now(), now() + interval '1 hour', 3600, 1, now(), 1, now(), 0 from generate_series(1, $2) returning id`;

test('reclaimExpiredLeases looks seldom at very many items in progress, and takes those whose lease ends before it looks again, unless it was extended', async () => {
  // The application's own jobs must not be faster.
  await app.stop();
  const pool = openPool(app.connection, 1);
  let now = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => now);
  const { rows } = await pool.query<{ id: number }>(insertRunning, [queue.id, 60_000]);
  const [first, second, third, extended] = rows;
  const shorten = (id: number | undefined, seconds: number) =>
    pool.query(`update work_items set lease_expires_on = now() + $2 * interval '1 s' where id = $1`, [
      id,
      seconds,
    ]);
  const isTaken = async () => {
    const { rows: taken } = await pool.query<{ id: number }>(
      `select id from work_items where status = 'NEW' order by id`,
    );
    return taken.map(({ id }) => id);
  };
  const job = reclaimExpiredLeases();
  const walked = sql`select pg_stat_get_xact_tuples_returned('work_items_running'::regclass)::int as count`;
  /** Runs the job; returns the number of index entries that it walked over. */
  const run = (aheadSeconds = 0) =>
    transaction(pool, async (db, clock) => {
      const time = new Date((await clock).getTime() + 1000 * aheadSeconds);
      const before = await db.row<{ count: number }>(walked);
      await job.run({ db, now: time, wake: nothing, log, ...keyless });
      const after = await db.row<{ count: number }>(walked);
      return (after?.count ?? 0) - (before?.count ?? 0);
    });
  await shorten(first?.id, -1);
  await shorten(second?.id, 3);
  await shorten(extended?.id, 3);
  expect(await run()).toBeGreaterThanOrEqual(60_000);
  expect(await isTaken()).toEqual([first?.id]);
  await shorten(extended?.id, 60);
  now = 500;
  expect(await run(3.5)).toBeLessThan(10);
  expect(await isTaken()).toEqual([first?.id, second?.id]);
  // A lease shortened after the look waits for the next one, six tenths of a second later.
  await shorten(third?.id, -1);
  await run();
  expect(await isTaken()).toEqual([first?.id, second?.id]);
  now = 600;
  await run();
  expect(await isTaken()).toEqual([first?.id, second?.id, third?.id]);
  await pool.end();
});
