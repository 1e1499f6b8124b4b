import { afterEach, expect, test, vi } from 'vitest';
import { startApp } from '../testing/app.ts';
import { createQueue, eventually } from '../testing/fixtures.ts';
import { beat, held, letLeaseExpire, read } from '../testing/work.ts';

const app = await startApp();
const hourMs = 3_600_000;

const putClock = (byMs: number) => vi.useFakeTimers({ now: Date.now() + byMs, toFake: ['Date'] });
afterEach(() => void vi.useRealTimers());

/** Seconds left of the item's lease, by the clock of the database. */
async function secondsLeft(id: unknown): Promise<number> {
  const [row] = await app.sql<{ left: number }>(
    'select extract(epoch from lease_expires_on - clock_timestamp())::float8 as left from work_items where id = $1',
    [id],
  );
  return row?.left ?? Number.NaN;
}

test('claimWorkItems and heartbeatWorkItems give leases by the clock of the database, however wrong that of the server is', async () => {
  const queue = await createQueue(app);
  await queue.add(1, 2);
  for (const byMs of [hourMs, -hourMs]) {
    putClock(byMs);
    const [item] = await queue.claim(1, { leaseSeconds: 600 });
    const granted = await secondsLeft(item?.id);
    await beat(queue, { ...held(item), leaseSeconds: 1200 });
    const extended = await secondsLeft(item?.id);
    vi.useRealTimers();
    for (const [seconds, most] of [
      [granted, 600],
      [extended, 1200],
    ] as const) {
      expect(seconds).toBeGreaterThan(0);
      expect(seconds).toBeLessThanOrEqual(most);
    }
  }
});

test('reclaimExpiredLeases takes nobody’s lease for over when the clock of the server is put forward', async () => {
  const queue = await createQueue(app);
  await queue.add(1, 2);
  const [running, silent] = await queue.claim(2, { leaseSeconds: 1200 });
  putClock(hourMs);
  await letLeaseExpire(app, silent);
  await eventually(
    () => read(queue, silent),
    ({ status }) => status === 'NEW',
  );
  expect(await read(queue, running)).toMatchObject({ status: 'IN_PROGRESS', version: 1 });
});
