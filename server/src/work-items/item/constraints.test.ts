import { expect, test } from 'vitest';
import { toRefusal } from '../../engine/errors.ts';
import { startApp } from '../../testing/app.ts';
import { createQueue } from '../../testing/fixtures.ts';

const app = await startApp();

/** States that no rule causes: should one ever try, the database refuses. */
test.each([
  ['is in progress without a lease', "status = 'IN_PROGRESS'", 'work_items_lease'],
  ['has a lease while it waits', 'lease_expires_on = now()', 'work_items_lease'],
  ['has failed without saying how', "status = 'FAILED', result = 'FAILURE'", 'work_items_outcome'],
  ['is complete without a result', "status = 'COMPLETE'", 'work_items_outcome'],
  [
    'is in doubt without evidence',
    "status = 'FAILED', result = 'FAILURE', failure_kind = 'IN_DOUBT'",
    'work_items_point_of_no_return',
  ],
  ['waits past the point of no return', 'point_of_no_return_on = now()', 'work_items_point_of_no_return'],
  [
    'is cancelled while nobody works on it',
    'cancel_requested_on = now(), cancel_requested_by = 1',
    'work_items_cancellation',
  ],
  [
    'is cancelled by nobody',
    "status = 'IN_PROGRESS', lease_expires_on = now(), cancel_requested_on = now()",
    'work_items_cancellation',
  ],
])('the database keeps no item that %s', async (_, change, constraint) => {
  const queue = await createQueue(app);
  const [item] = await queue.add(1);
  const failure = await app.sql(`update work_items set ${change} where id = $1`, [item?.id]).then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(failure).toMatchObject({ constraint });
  expect(toRefusal(failure).code).toBe('STATUS_CONFLICT');
});
