import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApp, type App, type TestUser } from '../testing/app.ts';
import { createQueue, type QueueFixture } from '../testing/fixtures.ts';
import { openStream } from '../testing/stream.ts';

let apps: [App, App];
let admin: TestUser;
let queue: QueueFixture;
const open: pg.Client[] = [];

beforeAll(async () => {
  const first = await startApp();
  apps = [first, await startApp({}, first.connection)];
  admin = await first.user('watcher', ['AAE_Admin']);
  queue = await createQueue(first);
});

afterAll(async () => {
  await Promise.all(open.map((client) => client.end()));
});

const notice = JSON.stringify({ server: 'by hand', wakeUps: [['events', 100]] });

/** A writer that commits late, as a slow server or a person at a prompt may. */
async function createWriter() {
  const client = new pg.Client(apps[0].connection);
  open.push(client);
  await client.connect();
  let isWriting = false;
  let written: number[] = [];
  return {
    write: async (itemId: number) => {
      if (!isWriting) await client.query('begin');
      isWriting = true;
      written.push(itemId);
      await client.query(
        `insert into events (tenant_id, queue_id, item_id, operation, actor_id, at)
         select tenant_id, id, $2, 'updateWorkItem', 0, now() from queues where id = $1`,
        [queue.id, itemId],
      );
    },
    /** Ends the transaction; returns the items of the events that are now visible to all: none after a rollback. */
    end: async (how: 'commit' | 'rollback') => {
      // Like any server, so that streams need not wait until they look by themselves.
      if (how === 'commit') await client.query('select pg_notify($1, $2)', ['millrace_work', notice]);
      if (isWriting) await client.query(how);
      isWriting = false;
      const lasting = how === 'commit' ? written : [];
      written = [];
      return lasting;
    },
  };
}

const list = async (after: string) =>
  (await apps[0].admin.listEvents({ query: { after, queueId: queue.id } })).body;
const here = async () => (await apps[0].admin.listEvents({ query: { last: 0 } })).body.cursor;
const itemsOf = ({ list: events }: { list: { itemId?: unknown }[] }) => events.map(({ itemId }) => itemId);

describe('the feed of events', () => {
  it('listEvents waits for a writer that began earlier and commits later, and then passes over nothing', async () => {
    const [early, late] = [await createWriter(), await createWriter()];
    const before = await here();
    await early.write(1);
    await late.write(2);
    await early.write(3);
    await late.end('commit');
    const waiting = await list(before);
    expect(waiting).toMatchObject({ list: [], isMore: false });
    await early.end('commit');
    expect(itemsOf(await list(waiting.cursor))).toEqual([1, 3, 2]);
    expect(itemsOf(await list(before))).toEqual([1, 3, 2]);
  });

  it('listEvents waits no longer for a writer that gave up', async () => {
    const [early, late] = [await createWriter(), await createWriter()];
    const before = await here();
    await early.write(1);
    await late.write(2);
    await late.end('commit');
    expect(itemsOf(await list(before))).toEqual([]);
    await early.end('rollback');
    expect(itemsOf(await list(before))).toEqual([2]);
  });

  it('streamEvents sends what had to wait for an older transaction, though no wake-up comes at its end', async () => {
    const [early, late] = [await createWriter(), await createWriter()];
    const stream = await openStream(
      { url: apps[0].url, token: admin.token },
      { queueId: queue.id, after: await here() },
    );
    await early.write(1);
    await late.write(2);
    await late.end('commit');
    await queue.add(1);
    await early.end('rollback');
    expect((await stream.next())?.itemId).toBe(2);
    stream.leave();
  });

  it('streamEvents tells of what happens at another server', async () => {
    const stream = await openStream(
      { url: apps[1].url, token: admin.token },
      { queueId: queue.id, after: await here() },
    );
    const [item] = await queue.add(1);
    expect((await stream.next())?.itemId).toBe(item?.id);
    stream.leave();
  });

  it('listEvents tells everything again, in order, after a restore into a database that counts anew', async () => {
    const app = await startApp();
    await createQueue(app);
    const all = async () => (await app.admin.listEvents({ query: {} })).body.list.map(({ id }) => id);
    const before = await all();
    await app.sql('update events set tx = (tx::text::bigint + 1000000)::text::xid8');
    expect(await all()).toEqual([]);
    await startApp({}, app.connection);
    const withLogIn = [...before, expect.any(Number)];
    expect(await all()).toEqual(withLogIn);
    await createQueue(app);
    expect((await all()).slice(0, before.length)).toEqual(before);
  });

  const writers = 4;
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ writer: fc.nat(writers - 1), does: fc.constant('write' as const) }) },
    {
      weight: 1,
      arbitrary: fc.record({ writer: fc.nat(writers - 1), does: fc.constantFrom('commit', 'rollback') }),
    },
  );

  it('streamEvents sends each event exactly once, in one order, to readers that come and go between two servers', async () => {
    const schedule = fc.array(step, { minLength: 10, maxLength: 40 });
    const eventsOfVisits = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 10 });
    await fc.assert(
      fc.asyncProperty(schedule, eventsOfVisits, async (steps, visits) => {
        const after = await here();
        const reading = readInVisits(after, visits);
        const committed = await runWriters(steps);
        const seen = await reading;
        expect(seen.toSorted((a, b) => a - b)).toEqual(committed.toSorted((a, b) => a - b));
        expect(itemsOf(await list(after)).slice(0, -1)).toEqual(seen);
      }),
      { numRuns: 12 },
    );
  });
});

type Step = { writer: number; does: 'write' | 'commit' | 'rollback' };
const lastItem = 1_000_000;

/** Runs the steps one by one; in the end all commit, and one more event closes the feed. Returns the committed items. */
async function runWriters(steps: readonly Step[]): Promise<number[]> {
  const writers = await Promise.all([0, 1, 2, 3].map(createWriter));
  const committed: number[] = [];
  for (const [index, { writer, does }] of steps.entries()) {
    const chosen = writers[writer];
    if (does === 'write') await chosen?.write(index + 1);
    else committed.push(...((await chosen?.end(does)) ?? []));
  }
  for (const each of writers) committed.push(...(await each.end('commit')));
  await writers[0]?.write(lastItem);
  await writers[0]?.end('commit');
  return committed;
}

/** Reads up to the last event in visits of some events each, alternating between the servers. */
async function readInVisits(after: string, visits: readonly number[]): Promise<number[]> {
  const seen: number[] = [];
  let from = after;
  for (let visit = 0; ; visit += 1) {
    const { url } = apps[visit % 2 === 0 ? 0 : 1];
    const stream = await openStream({ url, token: admin.token }, { queueId: queue.id }, from);
    for (let left = visits[visit % visits.length] ?? 1; left > 0; left -= 1) {
      const itemId = Number((await stream.next())?.itemId);
      if (itemId === lastItem) return seen;
      seen.push(itemId);
    }
    from = stream.lastId();
    stream.leave();
  }
}
