import pg from 'pg';
import { expect, test } from 'vitest';
import { createReadLimiters, type Limiter } from './limiter.ts';
import { startApp, type App } from '../testing/app.ts';
import { createQueue } from '../testing/fixtures.ts';
import { addTenant } from '../testing/tenant.ts';
import { finish, held, pathOf } from '../testing/work.ts';

/** Keeps readers of the output of bots waiting until the returned function is called. */
async function holdLogs(app: App): Promise<() => Promise<void>> {
  const client = new pg.Client(app.connection);
  await client.connect();
  await client.query('begin; lock table work_item_logs in access exclusive mode');
  return () => client.end();
}

/** Reads that never end, as these callers; returns the callers whose reads have begun. */
async function begunBy(connections: number, callers: readonly (readonly [userId: number, tenant: string])[]) {
  const reads = createReadLimiters(connections);
  const begun: number[] = [];
  for (const [userId, tenantUuid] of callers)
    void reads.of({ userId, tenantUuid })(() => new Promise(() => void begun.push(userId)));
  await new Promise((resolve) => setImmediate(resolve));
  return begun;
}

test('reads share half of the connections, and neither a user nor a tenant gets all of that', async () => {
  const [one, two, three] = [1, 2, 3].map((userId) => [userId, 'a'] as const) as [
    [1, 'a'],
    [2, 'a'],
    [3, 'a'],
  ];
  const guests = [4, 5].map((userId) => [userId, 'b'] as const);
  expect(await begunBy(10, [one, one, one, one])).toEqual([1, 1]);
  expect(await begunBy(10, [one, one, two, two, three])).toEqual([1, 1, 2, 2]);
  expect(await begunBy(10, [one, one, two, two, three, ...guests])).toEqual([1, 1, 2, 2, 4]);
  expect(await begunBy(2, [one, two])).toEqual([1]);
});

/** Work that never ends; answers how much of it has begun when each limiter was asked for more than it lets through. */
async function begunTogether(limiters: readonly Limiter[]): Promise<number> {
  let begun = 0;
  const work = () => new Promise(() => void (begun += 1));
  for (const limiter of limiters) for (let piece = 0; piece < 50; piece += 1) void limiter(work);
  await new Promise((resolve) => setImmediate(resolve));
  return begun;
}

test('what takes minutes has a fifth of the connections, and at least one, beside those of reads', async () => {
  const begun = [4, 5, 10, 20].map((connections) => begunTogether([createReadLimiters(connections).ofLong]));
  expect(await Promise.all(begun)).toEqual([1, 1, 2, 4]);
});

test('reads, long work and strangers together leave a connection to claims and reports', async () => {
  for (let connections = 5; connections <= 40; connections += 1) {
    const { of, ofLong, ofStreams, ofStrangers } = createReadLimiters(connections);
    const readers = [1, 2, 3].map((userId) => of({ userId, tenantUuid: String(userId) }));
    const begun = await begunTogether([...readers, ofLong, ofStreams, ofStrangers('192.0.2.1')]);
    expect(begun, `of ${connections}`).toBeLessThan(connections);
  }
});

test('reads of somebody who waits for a hundred answers already are refused, and those of others are not', async () => {
  const reads = createReadLimiters(2);
  const ends: (() => void)[] = [];
  const read = (userId: number) =>
    reads.of({ userId, tenantUuid: 'a' })(() => new Promise<void>((resolve) => ends.push(resolve)));
  const waiting = Array.from({ length: 101 }, () => read(1));
  await expect(read(1)).rejects.toMatchObject({ code: 'UNAVAILABLE', retryAfter: 2 });
  const other = read(2);
  for (const _ of [...waiting, other]) {
    ends.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  await Promise.all([...waiting, other]);
});

test('claimWorkItems, heartbeatWorkItems and finishWorkItems, and reads of another tenant, go on while many reads hang', async () => {
  const app = await startApp({ databaseConnections: 4 });
  const queue = await createQueue(app);
  const guest = await addTenant(app, 'guests');
  const [item] = await queue.add(1, 2);
  const release = await holdLogs(app);
  const hanging = Array.from({ length: 20 }, () =>
    queue.owner.call.getWorkItem({ path: pathOf(queue, item) }),
  );
  const claimed = await queue.claim(1);
  const { body } = await queue.consumer.call.heartbeatWorkItems({
    path: queue.path,
    body: { leases: claimed.map(held) },
  });
  expect(body.list).toMatchObject([{ id: item?.id, leaseExpiresOn: expect.any(String) as string }]);
  expect(await finish(queue, { ...held(claimed[0]), status: 'COMPLETE' })).toMatchObject([
    { status: 'COMPLETE' },
  ]);
  expect((await guest.call.listQueues()).status).toBe(200);
  await release();
  await Promise.all(hanging);
});

test('getWorkItem that takes the database too long is refused, and says what to do', async () => {
  const app = await startApp({ maxReadSeconds: 1 });
  const queue = await createQueue(app);
  const [item] = await queue.add(1);
  const release = await holdLogs(app);
  const { status, error, headers } = await queue.owner.call.getWorkItem({ path: pathOf(queue, item) });
  await release();
  expect([status, error.code, headers.get('retry-after')]).toEqual([503, 'UNAVAILABLE', '5']);
  expect(error.message).toContain('narrow');
  expect((await queue.owner.call.getWorkItem({ path: pathOf(queue, item) })).status).toBe(200);
});
