import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import pg from 'pg';
import { describe, expect, test } from 'vitest';
import { startApp } from '../../testing/app.ts';
import { createQueue, type QueueFixture } from '../../testing/fixtures.ts';

const app = await startApp();

// Several times as many as fit into one statement.
const many = 10_000;
const customers = (count: number, from = 0) =>
  Array.from({ length: count }, (_, index) => ({ json: { customer: `customer ${from + index}` } }));
const create = ({ owner, path }: QueueFixture, workItems: ReturnType<typeof customers>) =>
  owner.call.createWorkItems({ path, body: { workItems } });
const stored = async ({ id }: QueueFixture) => {
  const [row] = await app.sql<{ items: number; events: number; keys: number; counted: number }>(
    `select (select count(*)::int from work_items where queue_id = $1) as items,
      (select count(*)::int from events where queue_id = $1 and item_id <> 0) as events,
      (select count(*)::int from work_item_hashes where queue_id = $1) as keys,
      (select coalesce(sum(new), 0)::int from queue_tallies where queue_id = $1) as counted`,
    [id],
  );
  return row;
};

describe('createWorkItems of as many items as there may be', () => {
  test('createWorkItems stores and answers them in their order', async () => {
    const queue = await createQueue(app);
    const { status, body } = await create(queue, customers(many));
    expect(status).toBe(200);
    expect(body.list.map(({ json }) => json)).toEqual(customers(many).map(({ json }) => json));
    const ids = body.list.map(({ id }) => Number(id));
    expect(ids).toEqual(ids.toSorted((one, other) => one - other));
    expect(await stored(queue)).toEqual({ items: many, events: many, keys: 0, counted: many });
    const claimed = await queue.claim(500);
    expect(claimed.map(({ id }) => id)).toEqual(ids.slice(0, 500));
  });

  test('createWorkItems stores none when one is a duplicate, wherever it is, and the others may come again', async () => {
    const queue = await createQueue(app, { disallowDuplicate: true });
    await create(queue, customers(1, many - 1));
    const { status, error } = await create(queue, customers(many));
    expect([status, error.details]).toEqual([
      409,
      [expect.objectContaining({ index: many - 1, message: expect.stringContaining('equals item') })],
    ]);
    expect(await stored(queue)).toEqual({ items: 1, events: 1, keys: 1, counted: 1 });
    expect((await create(queue, customers(many - 1))).status).toBe(200);
    expect(await stored(queue)).toEqual({ items: many, events: many, keys: many, counted: many });
  });

  test('createWorkItems names duplicates in the call itself', async () => {
    const queue = await createQueue(app, { disallowDuplicate: true });
    const { error } = await create(queue, [...customers(many - 1), ...customers(1, 3)]);
    expect(error.details).toEqual([{ index: many - 1, message: 'equals the item at index 3' }]);
    expect(await stored(queue)).toEqual({ items: 0, events: 0, keys: 0, counted: 0 });
  });

  test('createWorkItems of one item does not wait for it', async () => {
    const queue = await createQueue(app, { disallowDuplicate: true });
    const [kept] = (await create(queue, customers(1))).body.list;
    const other = new pg.Client(app.connection);
    await other.connect();
    // Other transactions that want this key wait for the end of this one.
    await other.query('begin');
    await other.query('delete from work_item_hashes where queue_id = $1 and item_id = $2', [
      queue.id,
      kept?.id,
    ]);
    let isAnswered = false;
    const large = create(queue, customers(many)).finally(() => (isAnswered = true));
    await expect
      .poll(async () => (await app.sql(`select from pg_stat_activity where wait_event_type = 'Lock'`)).length)
      .toBeGreaterThan(0);
    expect((await create(queue, customers(1, many))).status).toBe(200);
    expect(isAnswered).toBe(false);
    await other.query('rollback');
    await other.end();
    expect((await large).status).toBe(409);
  });

  test('createWorkItems tells the length of its answer', async () => {
    const queue = await createQueue(app);
    const response = await fetch(`${app.url}/v4/wlm/queues/${queue.id}/workitems`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-authorization': queue.owner.token },
      body: JSON.stringify({
        workItems: customers(many, 5).map(({ json }) => ({
          json: { ...json, customer: `é${json.customer}` },
        })),
      }),
    });
    const bytes = await response.arrayBuffer();
    expect(response.headers.get('content-length')).toBe(String(bytes.byteLength));
  });

  test('createWorkItems keeps the items of a caller who leaves in the middle of the answer', async () => {
    const queue = await createQueue(app);
    const call = request(`${app.url}/v4/wlm/queues/${queue.id}/workitems`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-authorization': queue.owner.token },
    });
    call.end(JSON.stringify({ workItems: customers(many) }));
    const [response] = (await once(call, 'response')) as [IncomingMessage];
    response.once('data', () => response.destroy());
    await once(response, 'close');
    expect(await stored(queue)).toMatchObject({ items: many });
    expect((await create(queue, customers(1))).status).toBe(200);
  });
});
