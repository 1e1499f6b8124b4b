import type { Schemas } from '@millrace/api';
import { beforeAll, describe, expect, it } from 'vitest';
import { startApp, type App, type Caller } from '../testing/app.ts';
import { createQueue, type QueueFixture } from '../testing/fixtures.ts';
import { openStream } from '../testing/stream.ts';

let app: App;

beforeAll(async () => {
  app = await startApp();
});

type Query = Parameters<Caller['listEvents']>[0] extends { query?: infer Q } | undefined ? Q : never;

async function list(call: Caller, query: Query = {}): Promise<Schemas['EventPage']> {
  const { status, body, error } = await call.listEvents({ query });
  expect(status, JSON.stringify(error)).toBe(200);
  return body;
}

const itemsOf = ({ list: events }: Schemas['EventPage']) => events.map(({ itemId }) => itemId);
const operations = ({ list: events }: Schemas['EventPage']) => events.map(({ operation }) => operation);
const here = async () => (await list(app.admin, { last: 0 })).cursor;

/** Records events of these times, with item ids from `first` on; each in a transaction of its own. */
async function recordAt(at: App, queue: QueueFixture, times: readonly string[], first = 1): Promise<void> {
  for (const [index, time] of times.entries())
    await at.sql(
      `insert into events (tenant_id, queue_id, item_id, operation, actor_id, at)
       select tenant_id, id, $2, 'createWorkItems', 0, $3 from queues where id = $1`,
      [queue.id, first + index, time],
    );
}

describe('listEvents backwards', () => {
  it('listEvents begins with the newest and goes on to older ones, while new ones come in', async () => {
    const queue = await createQueue(app);
    const { id: queueId } = queue;
    const ids = (await queue.add(1, 2, 3, 4, 5)).map(({ id }) => id).toReversed();
    const first = await list(app.admin, { queueId, before: 'now', limit: 2 });
    expect(itemsOf(first)).toEqual(ids.slice(0, 2));
    expect(first.isMore).toBe(true);
    const [later] = await queue.add(6);
    const second = await list(app.admin, { queueId, before: first.cursor, limit: 2 });
    expect(itemsOf(second)).toEqual(ids.slice(2, 4));
    const third = await list(app.admin, { queueId, before: second.cursor });
    expect(itemsOf(third)).toEqual([ids[4], ...third.list.slice(1).map(() => undefined)]);
    expect(operations(third).slice(1)).toEqual(['addQueueConsumer', 'createQueue']);
    expect(third).toMatchObject({ isMore: false, cursor: '0-0' });
    expect((await list(app.admin, { queueId, before: third.cursor })).list).toEqual([]);
    // A read from the end given in the first answer goes on to later events.
    expect(itemsOf(await list(app.admin, { queueId, after: String(first.newest) }))).toEqual([later?.id]);
    expect(third.list.at(-1)?.cursor).not.toBe(second.cursor);
  });

  it('listEvents goes back before any event, and finds those of an item by their queue', async () => {
    const queue = await createQueue(app);
    const [item] = await queue.add(1);
    await queue.claim(1);
    const about = { queueId: queue.id, itemId: Number(item?.id) };
    const [claim, creation] = (await list(app.admin, { ...about, before: 'now' })).list;
    expect([claim?.operation, creation?.operation]).toEqual(['claimWorkItems', 'createWorkItems']);
    expect(operations(await list(app.admin, { ...about, before: String(claim?.cursor) }))).toEqual([
      'createWorkItems',
    ]);
  });

  it('listEvents looks through a bounded part of the feed and says that there is more before it', async () => {
    const [queue, other] = [await createQueue(app), await createQueue(app)];
    const [item] = await queue.add(1);
    await app.sql(
      `insert into events (tenant_id, queue_id, item_id, operation, actor_id, at)
       select tenant_id, id, n, 'createWorkItems', 0, now() from queues, generate_series(1, 12000) n where id = $1`,
      [other.id],
    );
    const query = { queueId: queue.id, operation: 'createWorkItems' };
    const first = await list(app.admin, { ...query, before: 'now' });
    expect(first).toMatchObject({ list: [], isMore: true });
    expect(itemsOf(await list(app.admin, { ...query, before: first.cursor }))).toEqual([item?.id]);
  });

  it('listEvents shows no more of the past to who goes back than to who goes on', async () => {
    const fresh = await startApp();
    const [mine, other] = [await createQueue(fresh), await createQueue(fresh)];
    const member = await fresh.user('member of one');
    await mine.owner.call.addOrUpdateQueueMember({ path: { ...mine.path, userId: member.id }, body: {} });
    await mine.add(1);
    await other.add(2);
    const back = await list(member.call, { before: 'now' });
    const on = await list(member.call);
    expect(on.list.map(({ operation }) => operation)).toContain('createWorkItems');
    expect(back.list).toEqual(on.list.toReversed());
    expect(back.list.filter(({ queueId }) => queueId === other.id)).toEqual([]);
  });
});

describe('listEvents of a time range', () => {
  /** A server whose newest event is that of this queue: times go on from there. */
  const past = async (): Promise<[App, QueueFixture]> => {
    const there = await startApp();
    return [there, await createQueue(there)];
  };
  const day = (hour: number, minute = 0) => new Date(Date.UTC(2031, 4, 1, hour, minute)).toISOString();

  it('listEvents answers what happened from a time on and before another one, in both directions', async () => {
    const [there, queue] = await past();
    await recordAt(
      there,
      queue,
      [8, 9, 10, 11, 12].map((hour) => day(hour)),
    );
    const range = { queueId: queue.id, from: day(9), until: day(11) };
    expect(itemsOf(await list(there.admin, range))).toEqual([2, 3]);
    expect(itemsOf(await list(there.admin, { ...range, before: 'now' }))).toEqual([3, 2]);
    expect(itemsOf(await list(there.admin, { ...range, last: 1 }))).toEqual([3]);
    expect(itemsOf(await list(there.admin, { queueId: queue.id, from: day(11, 59) }))).toEqual([5]);
    expect(itemsOf(await list(there.admin, { ...range, itemId: 3 }))).toEqual([3]);
    const none = { queueId: queue.id, from: day(13) };
    expect(await list(there.admin, none)).toMatchObject({ list: [], isMore: false });
  });

  it('listEvents goes on within a time range by cursors', async () => {
    const [there, queue] = await past();
    await recordAt(
      there,
      queue,
      [8, 9, 10, 11].map((hour) => day(hour)),
      100,
    );
    const range = { queueId: queue.id, from: day(9), until: day(12), limit: 1 };
    const first = await list(there.admin, range);
    expect(itemsOf(first)).toEqual([101]);
    expect(itemsOf(await list(there.admin, { ...range, limit: 5, after: first.cursor }))).toEqual([102, 103]);
    const last = await list(there.admin, { ...range, before: 'now' });
    expect(itemsOf(await list(there.admin, { ...range, limit: 5, before: last.cursor }))).toEqual([102, 101]);
  });

  it('listEvents finds a time range without looking through what lies outside of it', async () => {
    const [there, queue] = await past();
    const many = `insert into events (tenant_id, queue_id, item_id, operation, actor_id, at)
      select tenant_id, id, n, 'createWorkItems', 0, $2 from queues, generate_series(1, 11000) n where id = $1`;
    await there.sql(many, [queue.id, '2032-01-01T00:00:00Z']);
    await recordAt(there, queue, ['2032-01-02T00:00:00Z'], 500_000);
    await there.sql(many, [queue.id, '2032-01-03T00:00:00Z']);
    const range = { queueId: queue.id, from: '2032-01-01T12:00:00Z', until: '2032-01-02T12:00:00Z' };
    expect(itemsOf(await list(there.admin, range))).toEqual([500_000]);
    expect(itemsOf(await list(there.admin, { ...range, before: 'now' }))).toEqual([500_000]);
  });

  it('listEvents of a time range has what a transaction of some minutes wrote behind later ones', async () => {
    const [there, queue] = await past();
    const times = ['10:00', '10:09', '10:01', '10:10'].map((time) => `2033-01-01T${time}:00Z`);
    await recordAt(there, queue, times);
    const until = { queueId: queue.id, from: '2033-01-01T10:00:00Z', until: '2033-01-01T10:02:00Z' };
    expect(itemsOf(await list(there.admin, until))).toEqual([1, 3]);
  });

  it('listEvents finds a time range in a past that a restore has made one transaction', async () => {
    const [there, queue] = await past();
    await there.sql(
      `insert into events (tenant_id, queue_id, item_id, operation, actor_id, tx, at)
       select tenant_id, id, n, 'createWorkItems', 0, '0'::xid8, timestamptz '2020-01-01' + n * interval '1 minute'
       from queues, generate_series(1, 30000) n where id = $1`,
      [queue.id],
    );
    const range = { queueId: queue.id, from: '2020-01-15T00:00:00Z', until: '2020-01-15T00:02:00Z' };
    const expected = [14 * 1440, 14 * 1440 + 1];
    expect(itemsOf(await list(there.admin, range))).toEqual(expected);
    const back = await list(there.admin, { ...range, before: 'now' });
    expect(itemsOf(back)).toEqual(expected.toReversed());
    const before = { queueId: queue.id, until: '2019-01-01T00:00:00Z', before: 'now' };
    expect(await list(there.admin, before)).toMatchObject({ list: [], isMore: false });
  });
});

describe('listEvents by queues and kinds of actors', () => {
  it('listEvents answers what happened in several queues, each of which the caller must belong to', async () => {
    const after = await here();
    const [one, two, three] = [await createQueue(app), await createQueue(app), await createQueue(app)];
    for (const queue of [one, two, three]) await queue.add(1);
    const both = { after, queueIds: `${two.id},${one.id}`, operation: 'createWorkItems,claimWorkItems' };
    const found = await list(app.admin, both);
    expect(found.list.map(({ queueId }) => queueId)).toEqual([one.id, two.id]);
    const member = await app.user('member of two');
    for (const { owner, path } of [one, two])
      await owner.call.addOrUpdateQueueMember({ path: { ...path, userId: member.id }, body: {} });
    expect((await list(member.call, both)).list).toHaveLength(2);
    const { status, error } = await member.call.listEvents({
      query: { ...both, queueIds: `${one.id},${two.id},${three.id}` },
    });
    expect([status, error.message]).toEqual([
      404,
      `There is no queue ${three.id}, or you do not belong to it.`,
    ]);
  });

  it('listEvents tells apart what users, runners and Millrace did', async () => {
    const after = await here();
    const queue = await createQueue(app, { autoRetryLimit: 0 });
    const [, item] = await queue.add(1, 2);
    const [claimed] = await queue.claim(1);
    const report = { id: Number(claimed?.id), version: Number(claimed?.version), status: 'FAILED' as const };
    await queue.consumer.call.finishWorkItems({
      path: queue.path,
      body: { results: [{ ...report, error: 'no', failureKind: 'BUSINESS' }] },
    });
    const path = { ...queue.path, workItemId: Number(item?.id) };
    const taken = { id: Number(item?.id), version: Number(item?.version), status: 'IN_PROGRESS' as const };
    const body = { ...taken, queueId: queue.id };
    expect((await queue.consumer.call.updateWorkItem({ path, body })).status).toBe(200);
    await recordAt(app, queue, ['2030-01-01T00:00:00Z'], 700_000);
    const about = { after, queueId: queue.id };
    const runners = await list(app.admin, { ...about, actorKind: 'RUNNER' });
    expect(operations(runners)).toEqual(['claimWorkItems', 'finishWorkItems', 'updateWorkItem']);
    const users = ['createQueue', 'addQueueConsumer', 'createWorkItems', 'createWorkItems'];
    expect(operations(await list(app.admin, { ...about, actorKind: 'USER' }))).toEqual(users);
    expect(itemsOf(await list(app.admin, { ...about, actorKind: 'MILLRACE' }))).toEqual([700_000]);
    const most = await list(app.admin, { ...about, actorKind: 'MILLRACE,USER' });
    expect(operations(most)).toEqual([...users, 'createWorkItems']);
  });

  it.each([
    [{ after: '1-1', before: 'now' }, 'before goes without after'],
    [{ last: 1, before: 'now' }, 'before goes without last'],
    [{ before: 'yesterday' }, 'before must be a cursor, as events and their lists have it, or "now"'],
    [{ before: '18446744073709551616-1' }, 'before is no cursor of a feed'],
    [{ queueId: 1, queueIds: '1,2' }, 'queueIds goes without queueId'],
    [{ queueIds: '1,x' }, 'queueIds must be at most 100 ids with commas between'],
    [{ queueIds: '9999999999999999999' }, 'queueIds has a number that no queue can have'],
    [{ queueIds: '1,2', itemId: 3 }, 'itemId needs queueId'],
    [{ actorKind: 'ROBOT' }, 'actorKind must be of USER, RUNNER and MILLRACE'],
    [{ from: 'monday' }, 'from must be a time such as'],
    [{ from: '2026-01-02T00:00:00Z', until: '2026-01-01T00:00:00Z' }, 'until is not later than from'],
  ])('listEvents refuses %j: %s', async (query, message) => {
    const { status, error } = await app.admin.listEvents({ query });
    expect(error.message).toContain(message);
    expect(status).toBe(400);
  });
});

describe('streamEvents', () => {
  it('streamEvents tells of several queues, and of one kind of actors', async () => {
    const [one, two, three] = [await createQueue(app), await createQueue(app), await createQueue(app)];
    const after = await here();
    const query = { after, queueIds: `${one.id},${three.id}`, actorKind: 'RUNNER' };
    const { token } = await app.user('who watches', ['AAE_Admin']);
    const stream = await openStream({ url: app.url, token }, query);
    for (const queue of [one, two, three]) {
      await queue.add(1);
      await queue.claim(1);
    }
    const seen = [await stream.next(), await stream.next()].map((event) => [
      event?.operation,
      event?.queueId,
    ]);
    expect(seen).toEqual([
      ['claimWorkItems', one.id],
      ['claimWorkItems', three.id],
    ]);
    stream.leave();
  });
});
