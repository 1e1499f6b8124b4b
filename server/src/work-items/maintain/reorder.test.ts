import type { Schemas } from '@millrace/api';
import pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import { createDatabase, startApp, type App } from '../../testing/app.ts';
import { createQueue, eventually, type QueueFixture } from '../../testing/fixtures.ts';

let app: App;

beforeAll(async () => {
  app = await startApp();
});

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index);
/** A number of amounts, each once, in an order that is neither ascending nor descending. */
const shuffled = (count: number) => upTo(count).map((index) => (index * 7919) % count);
const amounts = (items: Schemas['WorkItem'][]) => items.map(({ json }) => Number(json?.['amount']));
const descending = (list: number[]) => list.toSorted((a, b) => b - a);

async function read({ owner, path }: QueueFixture) {
  return (await owner.call.getQueue({ path })).body;
}

async function reorder(queue: QueueFixture, ...workItemProcessingOrders: string[]) {
  const { version = 0 } = await read(queue);
  const body = { version, workItemProcessingOrders };
  const answer = await queue.owner.call.updateQueue({ path: queue.path, body });
  expect(answer.status).toBe(200);
  return answer.body;
}

const settled = (queue: QueueFixture) =>
  eventually(
    () => read(queue),
    ({ rekeying }) => !rekeying,
  );

async function claimAll(queue: QueueFixture, atOnce: number): Promise<number[]> {
  const all: number[] = [];
  for (;;) {
    const claimed = amounts(await queue.claim(atOnce));
    if (claimed.length === 0) return all;
    all.push(...claimed);
  }
}

describe('reorderQueues', () => {
  it('reorderQueues brings the items of a live queue into the new order, and the queue says so meanwhile', async () => {
    const queue = await createQueue(app, { workItemProcessingOrders: ['amount'] });
    await queue.add(...shuffled(1101));
    expect(await reorder(queue, '-amount')).toMatchObject({ rekeying: true, version: 1 });
    expect(await settled(queue)).toMatchObject({ version: 1, workItemProcessingOrders: ['-amount'] });
    await queue.add(5.5);
    expect(await claimAll(queue, 400)).toEqual(descending([...upTo(1101), 5.5]));
    const events = await app.sql(
      "select operation from events where queue_id = $1 and item_id = 0 and operation like '%ueue%' order by id",
      [queue.id],
    );
    expect(events.map(({ operation }) => operation)).toEqual([
      'createQueue',
      'addQueueConsumer',
      'updateQueue',
      'rekeyQueues',
    ]);
  });

  it('reorderQueues places items as well that run, are deferred or have failed, for when they come back', async () => {
    const queue = await createQueue(app, { workItemProcessingOrders: ['amount'], autoRetryLimit: 3 });
    const items = await queue.add(...shuffled(40));
    const [first, second, ...held] = await queue.claim(6);
    const report = (item: Schemas['WorkItem'] | undefined, failureKind: 'SYSTEM' | 'BUSINESS') => ({
      id: item?.id as number,
      version: item?.version as number,
      status: 'FAILED' as const,
      failureKind,
    });
    const finish = (results: object[]) =>
      queue.consumer.call.finishWorkItems({ path: queue.path, body: { results } as never });
    await finish([report(first, 'BUSINESS'), report(second, 'BUSINESS')]);
    const parked = items.filter(({ json }) => Number(json?.['amount']) >= 36);
    const defer = async (item: Schemas['WorkItem'] | undefined) => {
      const deferredUntil = '2099-01-01T00:00:00Z';
      const path = { ...queue.path, workItemId: item?.id as number };
      const { version } = (await queue.owner.call.getWorkItem({ path })).body;
      const body = { id: path.workItemId, queueId: queue.id, version, status: 'DEFERRED', deferredUntil };
      expect((await queue.owner.call.updateWorkItem({ path, body: body as never })).status).toBe(200);
    };
    for (const item of parked) await defer(item);
    await reorder(queue, '-amount');
    await settled(queue);
    await finish(held.map((item) => report(item, 'SYSTEM')));
    for (const item of [first, second]) await defer(item);
    const filter = { operator: 'eq', field: 'status', value: 'DEFERRED' };
    const body = { action: 'RELEASE', filter } as const;
    const released = await queue.owner.call.updateWorkItemStatus({ path: queue.path, body });
    expect(released.body).toMatchObject({ changed: parked.length + 2 });
    expect(amounts(await queue.claim(40))).toEqual(descending(upTo(40)));
  });

  it('reorderQueues leaves priority first, and the order of arrival among equals', async () => {
    const queue = await createQueue(app, { workItemProcessingOrders: ['-amount'] });
    for (const [priority, customer] of [
      [4, 'a'],
      [9, 'b'],
      [4, 'c'],
      [9, 'd'],
    ] as const) {
      const workItems = [{ priority, json: { customer, amount: customer.codePointAt(0) ?? 0 } }];
      await queue.owner.call.createWorkItems({ path: queue.path, body: { workItems } });
    }
    await reorder(queue);
    await settled(queue);
    expect((await queue.claim(4)).map(({ json }) => json?.['customer'])).toEqual(['b', 'd', 'a', 'c']);
  });

  it('reorderQueues works while items come and go: none is lost or granted twice, and then the order holds', async () => {
    const queue = await createQueue(app, { workItemProcessingOrders: ['amount'] });
    await queue.add(...shuffled(1500));
    const granted: number[] = [];
    const work = { isOver: false };
    const consuming = upTo(2).map(async () => {
      while (!work.isOver) granted.push(...amounts(await queue.claim(5)));
    });
    const producing = upTo(2).map(async (producer) => {
      for (let next = 0; !work.isOver; next += 1) await queue.add(10_000 + producer + 2 * next);
    });
    await reorder(queue, '-amount');
    await settled(queue).finally(() => (work.isOver = true));
    await Promise.all([...consuming, ...producing]);
    // The consumers may have left none.
    await queue.add(...shuffled(100).map((amount) => 1_000_000 + amount));
    const rest = await claimAll(queue, 300);
    expect(rest).toEqual(descending(rest));
    const all = [...granted, ...rest];
    expect(new Set(all).size).toBe(all.length);
    const { counts } = (await queue.owner.call.getQueueStats({ path: queue.path })).body;
    expect([counts.NEW, counts.IN_PROGRESS]).toEqual([0, all.length]);
    expect(all.filter((amount) => amount < 1500)).toHaveLength(1500);
  });

  it('reorderQueues follows the last of several changes', async () => {
    const queue = await createQueue(app, { workItemProcessingOrders: ['amount'] });
    await queue.add(...shuffled(1200));
    for (const order of ['-amount', 'customer', '-amount', 'amount', '-amount']) await reorder(queue, order);
    await settled(queue);
    expect(await claimAll(queue, 600)).toEqual(descending(upTo(1200)));
  });

  it('reorderQueues waits for those who still write by the former order', async () => {
    const queue = await createQueue(app);
    const [item] = await queue.add(1, 3);
    const writer = new pg.Client(app.connection);
    await writer.connect();
    await writer.query('begin; select pg_current_xact_id()');
    // The change is made and answered while somebody who has read the former queue is about to store an item.
    expect(await reorder(queue, '-amount')).toMatchObject({ rekeying: true });
    await writer.query(
      `with copied as (
         insert into work_items (queue_id, status, sort_key, priority, created_by, created_on, updated_by, updated_on)
         select queue_id, status, sort_key, priority, created_by, created_on, updated_by, updated_on
         from work_items where queue_id = $1 and id = $2 returning id)
       insert into work_item_data (queue_id, item_id, json) select $1, id, '{"customer":"late","amount":2}' from copied`,
      [queue.id, item?.id],
    );
    // A later change of another queue shows that the job has run.
    const other = await createQueue(app);
    await reorder(other, 'amount');
    await eventually(
      () => app.sql('select from queues where id = $1 and rekey_horizon is not null', [other.id]),
      (rows) => rows.length === 1,
    );
    expect(await read(queue)).toMatchObject({ rekeying: true });
    await writer.query('commit');
    await writer.end();
    await settled(queue);
    expect(amounts(await queue.claim(3))).toEqual([3, 2, 1]);
  });

  it('reorderQueues is taken up by another server where one has stopped', async () => {
    const connection = await createDatabase();
    const first = await startApp({}, connection);
    const queue = await createQueue(first, { workItemProcessingOrders: ['amount'] });
    await queue.add(...shuffled(3000));
    await reorder(queue, '-amount');
    await eventually(
      () => first.sql('select from queues where rekey_after is null or rekey_after > 0'),
      (rows) => rows.length === 1,
    );
    await first.stop();
    const second = await startApp({}, connection);
    await eventually(
      () => second.sql('select from queues where rekey_after is null'),
      (rows) => rows.length === 1,
    );
    const path = queue.path;
    const { body } = await second.admin.claimWorkItems({ path, body: { count: 1000 } });
    expect(amounts(body.list)).toEqual(descending(upTo(3000)).slice(0, 1000));
  });
});
