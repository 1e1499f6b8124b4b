import type { Schemas } from '@millrace/api';
import { beforeAll, describe, expect, it } from 'vitest';
import { startApp, type App, type Caller } from '../testing/app.ts';
import { createQueue } from '../testing/fixtures.ts';
import { addTenant } from '../testing/tenant.ts';

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

const operations = (page: Schemas['EventPage']) => page.list.map(({ operation }) => operation);
const here = async () => (await list(app.admin, { last: 0 })).cursor;

describe('listEvents', () => {
  it('listEvents tells everything that happened after a cursor, oldest first', async () => {
    const after = await here();
    const queue = await createQueue(app, { autoRetryLimit: 0 });
    const [item] = await queue.add(5);
    const deviceId = await queue.device();
    const [claimed] = await queue.claim(1, { deviceId });
    const report = { id: Number(item?.id), version: Number(claimed?.version), status: 'FAILED' as const };
    await queue.consumer.call.finishWorkItems({
      path: queue.path,
      body: { results: [{ ...report, error: 'no such customer', failureKind: 'BUSINESS' }] },
    });
    const page = await list(app.admin, { after, queueId: queue.id });
    expect(operations(page)).toEqual([
      'createQueue',
      'addQueueConsumer',
      'createWorkItems',
      'claimWorkItems',
      'finishWorkItems',
    ]);
    expect(page.list.at(-1)).toEqual({
      cursor: expect.stringMatching(/^\d+-\d+$/),
      id: expect.any(Number),
      queueId: queue.id,
      queueName: expect.stringMatching(/^Applications \d+$/),
      itemId: item?.id,
      operation: 'finishWorkItems',
      actorId: queue.consumer.id,
      actorName: 'runner',
      deviceId,
      from: 'IN_PROGRESS',
      to: 'FAILED',
      reason: 'no such customer',
      changes: expect.objectContaining({ failureKind: 'BUSINESS' }),
      on: expect.any(String),
    });
  });

  it('listEvents goes on where the last answer ended, also when it was empty, and repeats nothing', async () => {
    const queue = await createQueue(app);
    const { queueId, after } = { queueId: queue.id, after: await here() };
    const nothing = await list(app.admin, { queueId, after });
    expect(nothing).toMatchObject({ list: [], isMore: false });
    const items = await queue.add(1, 2, 3);
    const first = await list(app.admin, { queueId, after: nothing.cursor, limit: 2 });
    expect(first.isMore).toBe(true);
    const second = await list(app.admin, { queueId, after: first.cursor });
    expect(second.isMore).toBe(false);
    expect([...first.list, ...second.list].map(({ itemId }) => itemId)).toEqual(items.map(({ id }) => id));
    expect((await list(app.admin, { queueId, after: second.cursor })).list).toEqual([]);
    // The cursor of each event works as well.
    const middle = await list(app.admin, { queueId, after: String(first.list[0]?.cursor) });
    expect(middle.list.map(({ itemId }) => itemId)).toEqual(items.slice(1).map(({ id }) => id));
  });

  it('listEvents without a cursor begins with the oldest event of the tenant', async () => {
    const page = await list(app.admin, { limit: 1 });
    expect(page.list).toHaveLength(1);
    const [oldest] = await app.sql<{ id: string }>('select min(id) as id from events');
    expect(page.list[0]?.id).toBe(Number(oldest?.id));
  });

  it('listEvents begins with the newest events when asked for the last ones', async () => {
    const queue = await createQueue(app);
    const items = await queue.add(1, 2, 3);
    const page = await list(app.admin, { queueId: queue.id, last: 2 });
    expect(page.list.map(({ itemId }) => itemId)).toEqual(items.slice(1).map(({ id }) => id));
    expect(page.isMore).toBe(false);
    const [later] = await queue.add(4);
    const next = await list(app.admin, { queueId: queue.id, after: page.cursor });
    expect(next.list.map(({ itemId }) => itemId)).toEqual([later?.id]);
  });

  it('listEvents filters by item, operation, actor and device', async () => {
    const queue = await createQueue(app);
    const { id: queueId } = queue;
    const [one, two] = await queue.add(1, 2);
    const deviceId = await queue.device();
    await queue.claim(1, { deviceId });
    const itemId = Number(one?.id);
    expect(operations(await list(app.admin, { queueId, itemId }))).toEqual([
      'createWorkItems',
      'claimWorkItems',
    ]);
    expect(operations(await list(app.admin, { queueId, itemId: Number(two?.id) }))).toEqual([
      'createWorkItems',
    ]);
    expect(operations(await list(app.admin, { queueId, itemId, last: 1 }))).toEqual(['claimWorkItems']);
    const both = await list(app.admin, { queueId, operation: 'createQueue,claimWorkItems' });
    expect(operations(both)).toEqual(['createQueue', 'claimWorkItems']);
    expect(operations(await list(app.admin, { queueId, actorId: queue.consumer.id }))).toEqual([
      'claimWorkItems',
    ]);
    expect(operations(await list(app.admin, { queueId, deviceId }))).toEqual(['claimWorkItems']);
    expect(
      (await list(app.admin, { queueId, actorId: queue.consumer.id, operation: 'createQueue' })).list,
    ).toEqual([]);
  });

  it('listEvents tells of a queue itself, and none of its items, where the item is 0', async () => {
    const queue = await createQueue(app);
    const { id: queueId, path } = queue;
    await queue.add(1, 2);
    await queue.owner.call.pauseQueue({ path, body: { reason: 'SAP is down' } });
    const { list: own } = (
      await queue.owner.call.listEvents({ query: { queueId, itemId: 0, before: 'now' } })
    ).body;
    expect(own.map(({ operation }) => operation)).toEqual(['pauseQueue', 'addQueueConsumer', 'createQueue']);
    const asked = { queueId, itemId: 0, operation: 'pauseQueue,resumeQueue' };
    expect(operations(await list(queue.owner.call, asked))).toEqual(['pauseQueue']);
    const stranger = await app.user('stranger-of-queue');
    expect((await stranger.call.listEvents({ query: asked })).status).toBe(404);
  });

  it('listEvents looks through a bounded part of the feed and says that there is more', async () => {
    const queue = await createQueue(app);
    const other = await createQueue(app);
    const after = await here();
    await app.sql(
      `insert into events (tenant_id, queue_id, item_id, operation, actor_id, at)
       select q.tenant_id, q.id, n, 'createWorkItems', 0, now() from queues q, generate_series(1, 12000) n where q.id = $1`,
      [other.id],
    );
    const [item] = await queue.add(1);
    const first = await list(app.admin, { queueId: queue.id, after });
    expect(first).toMatchObject({ list: [], isMore: true });
    const second = await list(app.admin, { queueId: queue.id, after: first.cursor });
    expect(second.list.map(({ itemId }) => itemId)).toEqual([item?.id]);
    expect(second.isMore).toBe(false);
  });

  it('listEvents cuts an answer that would be very large, but never to nothing', async () => {
    const queue = await createQueue(app);
    const after = await here();
    await app.sql(
      `insert into events (tenant_id, queue_id, item_id, operation, actor_id, changes, at)
       select q.tenant_id, q.id, n, 'updateWorkItem', 0, json_build_object('note', repeat('x', 3000000)), now()
         from queues q, generate_series(1, 3) n where q.id = $1`,
      [queue.id],
    );
    const seen: unknown[] = [];
    let page = await list(app.admin, { queueId: queue.id, after });
    expect(page.isMore).toBe(true);
    while (page.list.length > 0) {
      seen.push(page.list.map(({ itemId }) => itemId));
      page = await list(app.admin, { queueId: queue.id, after: page.cursor });
    }
    expect(seen).toEqual([[1, 2], [3]]);
  });

  it('listEvents tells nobody of queues they do not belong to', async () => {
    const [mine, other] = [await createQueue(app), await createQueue(app)];
    const member = await app.user('member of one');
    const after = await here();
    await mine.owner.call.addOrUpdateQueueMember({ path: { ...mine.path, userId: member.id }, body: {} });
    await mine.add(1);
    await other.add(2);
    expect(new Set((await list(member.call, { after })).list.map(({ queueId }) => queueId))).toEqual(
      new Set([mine.id]),
    );
    expect((await member.call.listEvents({ query: { queueId: other.id } })).status).toBe(404);
    expect((await member.call.listEvents({ query: { queueId: other.id, itemId: 1 } })).status).toBe(404);
    expect(new Set((await list(app.admin, { after })).list.map(({ queueId }) => queueId))).toEqual(
      new Set([mine.id, other.id]),
    );
    await app.sql('delete from queue_members where user_id = $1', [member.id]);
    expect((await list(member.call, { after })).list).toEqual([]);
  });

  it('listEvents tells consumers of the queues that their roles may process', async () => {
    const queue = await createQueue(app);
    const after = await here();
    const [item] = await queue.add(1);
    // Devices of other tests may fall silent meanwhile.
    const { list: events } = await list(queue.consumer.call, { after, operation: 'createWorkItems' });
    expect(events.map(({ itemId }) => itemId)).toEqual([item?.id]);
  });

  it('listEvents tells of models to those who may choose them, and of users, roles and keys to those who may see them', async () => {
    const after = await here();
    const basic = await app.user('basic reader');
    const viewer = await app.user('viewer of users', ['AAE_Pool Admin']);
    await app.admin.createRole({ body: { name: 'Readers', permissions: ['useQueues'] } });
    const key = await app.admin.createApiKey({ body: { name: 'night' } });
    await app.admin.revokeApiKey({ path: { id: Number(key.body.id) } });
    const model = { name: 'To choose', attributes: [{ name: 'customer', type: 'TEXT' as const }] };
    await app.admin.createWorkItemModel({ body: model });
    const people = ['createUser', 'createUser', 'createRole', 'createApiKey', 'revokeApiKey'];
    // Devices of other tests may fall silent meanwhile.
    const about = { after, operation: [...new Set([...people, 'createWorkItemModel'])].join(',') };
    expect(operations(await list(basic.call, about))).toEqual(['createWorkItemModel']);
    expect(operations(await list(viewer.call, about))).toEqual(people);
    const page = await list(app.admin, about);
    expect(operations(page)).toEqual([...people, 'createWorkItemModel']);
    expect(JSON.stringify(page)).not.toContain(key.body.apiKey);
  });

  it('listEvents tells of the model of a queue to who belongs to the queue, and to no other runner', async () => {
    const queue = await createQueue(app);
    const { workItemModelId: id } = (await queue.owner.call.getQueue({ path: queue.path })).body;
    await app.admin.createRole({ body: { name: 'Runs nothing here', permissions: ['useQueues'] } });
    const other = await app.user('runner of nothing', ['Runs nothing here']);
    const after = await here();
    await queue.owner.call.archiveWorkItemModel({ path: { id: Number(id) } });
    expect(operations(await list(queue.consumer.call, { after }))).toEqual(['archiveWorkItemModel']);
    expect(operations(await list(other.call, { after }))).toEqual([]);
  });

  it('listEvents tells of devices to those who may see them', async () => {
    const after = await here();
    const runner = await app.user('runner of a device', ['AAE_Bot Runner']);
    const poolAdmin = await app.user('pool admin', ['AAE_Pool Admin']);
    const device = await runner.call.registerDevice({ body: { hostName: 'runner-77.example.com' } });
    const query = { after, operation: 'registerDevice' };
    expect((await list(poolAdmin.call, query)).list.map(({ deviceId }) => deviceId)).toEqual([
      device.body.id,
    ]);
    const basic = await app.user('not of devices');
    expect((await list(basic.call, query)).list).toEqual([]);
  });

  it('listEvents shows what is about nothing known to those who manage the server only', async () => {
    const after = await here();
    const viewer = await app.user('viewer of what is known', ['AAE_Queue Admin']);
    await app.sql(
      `insert into events (tenant_id, queue_id, item_id, operation, actor_id, at)
       select tenant_id, 0, 0, 'doSomethingNew', 0, now() from users where username = 'admin'`,
    );
    expect(operations(await list(app.admin, { after }))).toEqual(['createUser', 'logIn', 'doSomethingNew']);
    expect(operations(await list(viewer.call, { after }))).toEqual(['createUser']);
  });

  it('listEvents tells nothing of another tenant, not even by its ids', async () => {
    const queue = await createQueue(app);
    const [item] = await queue.add(1);
    const stranger = await addTenant(app, 'Elsewhere');
    const own = [expect.objectContaining({ operation: 'logIn', actorId: stranger.id })];
    expect((await list(stranger.call)).list).toEqual(own);
    expect((await list(stranger.call, { queueId: queue.id })).list).toEqual([]);
    expect((await list(stranger.call, { queueId: queue.id, itemId: Number(item?.id) })).list).toEqual([]);
    expect((await list(stranger.call, { last: 100 })).list).toEqual(own);
  });

  it('listEvents keeps the record of a queue that is gone for those who see all', async () => {
    const queue = await createQueue(app);
    await queue.owner.call.deleteQueue({ path: queue.path });
    expect(operations(await list(app.admin, { queueId: queue.id, last: 1 }))).toEqual(['deleteQueue']);
    expect((await queue.owner.call.listEvents({ query: { queueId: queue.id } })).status).toBe(404);
  });

  it.each([
    [{ itemId: 1 }, 'itemId needs queueId'],
    [{ after: '1-1', last: 3 }, 'last goes without after'],
    [{ after: 'yesterday' }, 'after must be a cursor'],
    [{ after: '99999999999-0' }, 'after is not a cursor of this feed'],
    [{ after: '18446744073709551616-1' }, 'after is no cursor of a feed'],
    [{ after: '5-9223372036854775808' }, 'after is no cursor of a feed'],
    [{ limit: 1001 }, 'limit must be at most 1000'],
    [{ limit: 0 }, 'limit must be at least 1'],
    [{ limit: 'many' as never }, 'limit must be a whole number, not "many"'],
    [{ queueId: 'x' as never }, 'queueId must be a whole number, not "x"'],
    [{ operation: 'a,,b' }, 'operation must be names'],
    [{ since: 1 } as never, 'since is not a known parameter'],
  ])('listEvents refuses %j: %s', async (query, message) => {
    const { status, error } = await app.admin.listEvents({ query });
    expect(status).toBe(400);
    expect(error.message).toContain(message);
  });

  it('listEvents refuses who has no token, and who may not use queues', async () => {
    expect((await app.as(undefined).listEvents()).status).toBe(401);
    await app.admin.createRole({ body: { name: 'Viewers', permissions: ['viewUsers'] } });
    const viewer = await app.user('no user of queues', ['Viewers']);
    expect((await viewer.call.listEvents()).status).toBe(403);
  });
});
