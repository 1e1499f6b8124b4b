import { expect, test } from 'vitest';
import { openPool, transaction } from '../db.ts';
import type { Log } from '../operation.ts';
import { startApp } from '../testing/app.ts';
import { createQueue } from '../testing/fixtures.ts';
import { expireItems } from './job.ts';
import { portion } from './sql.ts';

const app = await startApp();
const nothing = () => undefined;
const log: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing };

test('expireItems comes again at once where a portion was full, and otherwise later', async () => {
  const queue = await createQueue(app);
  await queue.add(...Array.from({ length: portion + 1 }, (_, index) => index));
  // The application's own jobs must not be faster.
  await app.stop();
  const pool = openPool(app.connection, 1);
  await pool.query(`update work_items set expires_on = now() - interval '1 minute'`);
  const run = () =>
    transaction(pool, async (db, clock) => expireItems.run({ db, now: await clock, woken: new Map(), log }));
  expect(await run()).toBe(0);
  expect(await run()).toBeGreaterThan(0);
  const { rows } = await pool.query('select distinct status from work_items');
  expect(rows).toEqual([{ status: 'FAILED' }]);
  await pool.end();
});
