import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApp, type App } from '../testing/app.ts';
import { createDevice, createLine } from '../testing/dispatch.ts';
import { createQueue, eventually, type QueueFixture } from '../testing/fixtures.ts';

let app: App;
let queue: QueueFixture;
let other: QueueFixture;
let blocker: pg.Client;

beforeAll(async () => {
  app = await startApp();
  [queue, other] = [await createQueue(app), await createQueue(app)];
  // Items move only between queues of one model.
  await app.sql('update queues set model_id = (select model_id from queues where id = $1)', [queue.id]);
  blocker = new pg.Client(app.connection);
  await blocker.connect();
});

afterAll(() => blocker.end());

/** Has a call wait for a lock while other work runs from beginning to end, and then lets the call go on. */
async function overtake<T>(
  lock: string,
  call: () => Promise<T>,
  meanwhile: () => Promise<unknown>,
): Promise<T> {
  await blocker.query('begin');
  await blocker.query(lock);
  const answer = call();
  const waiting = () =>
    app.sql(`select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`);
  await eventually(waiting, ({ length }) => length > 0);
  await meanwhile();
  await blocker.query('rollback');
  return answer;
}

/** The operations on an item in the order of the feed, once the feed has this number of them. */
async function feedOfItem(itemId: unknown, count: number) {
  const read = async () => (await app.admin.listEvents({ query: { after: '0-0', limit: 1000 } })).body.list;
  const events = async () => (await read()).filter((event) => event.itemId === itemId);
  return (await eventually(events, ({ length }) => length >= count)).map(
    ({ operation, to }) => `${operation} ${to}`,
  );
}

describe('the feed of events, about one item', () => {
  it('listEvents tells of its creation before its grant to a device whose request began earlier', async () => {
    const device = await createDevice(queue.consumer);
    const { lines } = await createLine(app, [device]);
    const line = lines[0]?.queue as QueueFixture;
    const [item] = await overtake(
      'select from tenants for no key update',
      () => device.ask(),
      () => line.add(1),
    );
    expect(await feedOfItem(item?.id, 2)).toEqual(['createWorkItems NEW', 'requestWork IN_PROGRESS']);
  });

  it('listEvents tells of its arrival in another queue after what happened to it in the former one', async () => {
    const [item] = await queue.add(1);
    const ids = [item?.id as number];
    const bulk = (body: object) =>
      queue.owner.call.updateWorkItemStatus({ path: queue.path, body: { ids, ...body } });
    const move = () => bulk({ action: 'MOVE', queueId: other.id });
    const lock = `select from queues where id = ${other.id} for update`;
    const moved = await overtake(lock, move, () => bulk({ action: 'DEFER' }));
    expect(moved.body.changed).toBe(1);
    expect(await feedOfItem(item?.id, 4)).toEqual([
      'createWorkItems NEW',
      'updateWorkItemStatus DEFERRED',
      'updateWorkItemStatus undefined',
      'updateWorkItemStatus DEFERRED',
    ]);
  });
});
