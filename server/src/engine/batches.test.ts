import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { startApp } from '../testing/app.ts';
import { createQueue, eventually, type QueueFixture } from '../testing/fixtures.ts';

const app = await startApp();

/** That of a call by itself, in milliseconds. */
const longestWaitForLock = 10_000;

const queues = (count: number) => Promise.all(Array.from({ length: count }, () => createQueue(app)));

/** Keeps calls on a queue waiting until the returned function is called. */
async function hold({ id }: QueueFixture): Promise<() => Promise<void>> {
  const client = new pg.Client(app.connection);
  await client.connect();
  await client.query('begin');
  await client.query('select from queues where id = $1 for update', [id]);
  let ended: Promise<void> | undefined;
  const release = () => (ended ??= client.end());
  onTestFinished(release);
  return release;
}

/** The time since which a session of the database waits for a lock, in milliseconds, when one does that began after the given time. */
const isHeld = (after = 0) =>
  eventually(
    async () => {
      const [row] = await app.sql<{ since: number }>(
        `select 1000 * extract(epoch from min(waitstart))::float as since
         from pg_locks join pg_stat_activity using (pid) where datname = current_database()`,
      );
      return row?.since ?? 0;
    },
    (since) => since > after,
  );

const create = ({ owner, path }: QueueFixture, customer: string) =>
  owner.call.createWorkItems({ path, body: { workItems: [{ json: { customer } }] } });

/** The number of transactions in which the items of these queues were created. */
async function transactionsOf(made: readonly QueueFixture[]): Promise<number> {
  const [row] = await app.sql<{ count: string }>(
    'select count(distinct xmin::text) from work_items where queue_id = any($1)',
    [made.map(({ id }) => id)],
  );
  return Number(row?.count);
}

test('createWorkItems on many queues at once shares transactions, and each call gets its own items', async () => {
  for (;;) {
    const made = await queues(8);
    const answers = await Promise.all(made.map((queue) => create(queue, `of ${queue.id}`)));
    for (const [index, { body }] of answers.entries()) {
      const id = made[index]?.id;
      expect(body.list).toMatchObject([{ queueId: id, json: { customer: `of ${id}` } }]);
    }
    if ((await transactionsOf(made)) < made.length) return;
  }
});

test('createWorkItems on many queues at once grants each call what its own caller may', async () => {
  const made = await queues(6);
  const stranger = await app.user('stranger');
  const member = await app.user('member');
  const [theirs] = made as [QueueFixture];
  const path = { ...theirs.path, userId: member.id };
  expect((await theirs.owner.call.addOrUpdateQueueMember({ path, body: {} })).status).toBe(200);
  const callers = [stranger, member, theirs.owner];
  const calls = made.flatMap((queue) => callers.map(({ id, call }) => ({ queue, id, call })));
  const statuses = await Promise.all(
    calls.map(async ({ queue, id, call }) => {
      const workItems = [{ json: { customer: String(id) } }];
      return (await call.createWorkItems({ path: queue.path, body: { workItems } })).status;
    }),
  );
  expect(statuses).toEqual([404, 200, 200, ...Array.from({ length: 5 }, () => [404, 404, 200]).flat()]);
  for (const queue of made) {
    const { body: found } = await queue.owner.call.listWorkItems({ path: queue.path });
    const customers = found.list.map(({ json }) => String(json?.['customer'])).toSorted();
    const expected = queue === theirs ? [member, theirs.owner] : [theirs.owner];
    expect(customers).toEqual(expected.map(({ id }) => String(id)).toSorted());
  }
});

test('createWorkItems on one queue does not wait for another that is held up, and what was held up is done in the end', async () => {
  const [held, free] = (await queues(2)) as [QueueFixture, QueueFixture];
  const release = await hold(held);
  const waiting = create(held, 'Jane');
  const begun = await isHeld();
  const first = await Promise.race([waiting.then(() => 'held'), create(free, 'Joe').then(() => 'free')]);
  expect(first).toBe('free');
  // Alone, it waits as long as any call does; with others it had less patience.
  expect((await isHeld(begun)) - begun).toBeLessThan(longestWaitForLock);
  const more = create(held, 'Jim');
  expect((await create(free, 'Jill')).status).toBe(200);
  await release();
  expect([(await waiting).status, (await more).status]).toEqual([200, 200]);
});
