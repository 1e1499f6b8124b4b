import { sql } from './db.ts';
import type { Job } from './job-loop.ts';

const delayMs = 60_000;
const atOnce = 5000;

/** Deletes the answers kept for calls with keys, a day after. */
export const forgetIdempotencyKeys: Job = {
  name: 'forgetIdempotencyKeys',
  run: async ({ db }) => {
    const rows = await db.rows(sql`
      delete from idempotency_keys where ctid = any(array(
        select ctid from idempotency_keys where created_on < now() - interval '1 day' order by created_on
        limit ${atOnce} for update skip locked)) returning 1 as one`);
    return rows.length < atOnce ? delayMs : 0;
  },
};
