import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { startApp } from '../testing/app.ts';
import { createQueue, eventually, type QueueFixture } from '../testing/fixtures.ts';

const app = await startApp();

/** That of a call by itself, in milliseconds. */
const longestWaitForLock = 10_000;

const queues = (count: number) => Promise.all(Array.from({ length: count }, () => createQueue(app)));

/** Keeps calls on a queue waiting until it is released. */
async function hold({ id }: QueueFixture) {
  const client = new pg.Client(app.connection);
  await client.connect();
  await client.query('begin');
  await client.query('select from queues where id = $1 for update', [id]);
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  let ended: Promise<void> | undefined;
  const release = () => (ended ??= client.end());
  onTestFinished(release);
  return { pid: rows[0]?.pid, release };
}

/** Watches the sessions that wait for the holder of a lock, until it is told to stop. */
function watch({ pid }: { readonly pid: number | undefined }) {
  const begun = new Set<number>();
  const over = new AbortController();
  const look = async () => {
    const rows = await app.sql<{ since: number }>(
      `select 1000 * extract(epoch from waitstart)::float as since from pg_locks
       where waitstart is not null and $1 = any(pg_blocking_pids(pid))`,
      [pid],
    );
    for (const { since } of rows) begun.add(since);
    return rows.length;
  };
  const watching = (async () => {
    while (!over.signal.aborted) await look();
  })();
  const isHeld = () => eventually(look, (waiting) => waiting > 0);
  /** The milliseconds between the first wait and the present one. */
  const end = async () => {
    await isHeld();
    over.abort();
    await watching;
    return Math.max(...begun) - Math.min(...begun);
  };
  return { isHeld, end };
}

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
  let transactions = 8;
  for (let tries = 0; tries < 20 && transactions === 8; tries += 1) {
    const made = await queues(8);
    const answers = await Promise.all(made.map((queue) => create(queue, `of ${queue.id}`)));
    for (const [index, { body }] of answers.entries()) {
      const id = made[index]?.id;
      expect(body.list).toMatchObject([{ queueId: id, json: { customer: `of ${id}` } }]);
    }
    transactions = await transactionsOf(made);
  }
  expect(transactions).toBeLessThan(8);
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
  const holder = await hold(held);
  const watched = watch(holder);
  const waiting = create(held, 'Jane');
  await watched.isHeld();
  const first = await Promise.race([waiting.then(() => 'held'), create(free, 'Joe').then(() => 'free')]);
  expect(first).toBe('free');
  // Alone, it waits as long as any call does; with others it had less patience.
  expect(await watched.end()).toBeLessThan(longestWaitForLock);
  const more = create(held, 'Jim');
  expect((await create(free, 'Jill')).status).toBe(200);
  await holder.release();
  expect([(await waiting).status, (await more).status]).toEqual([200, 200]);
});

test('createWorkItems on many queues at once with one Idempotency-Key is done on one of them', async () => {
  const [held, ...others] = (await queues(9)) as [QueueFixture, ...QueueFixture[]];
  const holder = await hold(held);
  const watched = watch(holder);
  const waiting = create(held, 'Jane');
  await watched.isHeld();
  // They gather behind that one, and share the next transaction.
  const answers = await Promise.all(
    others.map(async ({ id, owner }) => {
      const headers = {
        'x-authorization': owner.token,
        'idempotency-key': 'one-key',
        'content-type': 'application/json',
      };
      const body = JSON.stringify({ workItems: [{ json: { customer: 'Joe' } }] });
      const response = await fetch(`${app.url}/v4/wlm/queues/${id}/workitems`, {
        ...{ method: 'POST', headers, body },
      });
      return { status: response.status, ...((await response.json()) as { code?: string }) };
    }),
  );
  await watched.end();
  await holder.release();
  expect((await waiting).status).toBe(200);
  expect(answers.filter(({ status }) => status === 200).length).toBe(1);
  for (const { status, code } of answers)
    if (status !== 200) expect(['KEY_IN_USE', 'KEY_REUSED']).toContain(code);
  const [row] = await app.sql<{ count: string }>('select count(*) from work_items where queue_id = any($1)', [
    others.map(({ id }) => id),
  ]);
  expect(row?.count).toBe('1');
});
