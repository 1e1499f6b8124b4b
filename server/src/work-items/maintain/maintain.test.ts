import { expect, test } from 'vitest';
import { openPool, transaction } from '../../engine/db.ts';
import type { Log } from '../../engine/operation.ts';
import { startApp } from '../../testing/app.ts';
import { createQueue } from '../../testing/fixtures.ts';
import { turnOver, turnPlans } from '../../testing/plans.ts';
import { expireItems } from './maintain.ts';
import { portion } from '../item/sql.ts';
import { keyless } from '../../testing/keyless.ts';

const app = await startApp();
const nothing = () => undefined;
const log: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing };

test('expireItems takes the oldest items first, comes again at once where a portion was full, and otherwise later', async () => {
  const queue = await createQueue(app);
  const items = await queue.add(...Array.from({ length: portion + 1 }, (_, index) => index));
  // The application's own jobs must not be faster.
  await app.stop();
  const pool = openPool(app.connection, 1);
  await pool.query(`update work_items set expires_on = now() - interval '1 minute'`);
  const run = () =>
    transaction(pool, async (db, clock) => {
      const now = await clock;
      await turnPlans(db);
      return expireItems.run({ db, now, wake: () => undefined, log, ...keyless });
    });
  await turnOver((text) => pool.query(text), 'work_items');
  expect(await run()).toBe(0);
  const { rows: left } = await pool.query<{ id: number }>(`select id from work_items where status = 'NEW'`);
  expect(left).toEqual([{ id: items.at(-1)?.id }]);
  expect(await run()).toBeGreaterThan(0);
  const { rows } = await pool.query('select distinct status from work_items');
  expect(rows).toEqual([{ status: 'FAILED' }]);
  await pool.end();
});
