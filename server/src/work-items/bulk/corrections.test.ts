import type { Schemas } from '@millrace/api';
import { beforeAll, describe, expect, test } from 'vitest';
import { startApp, type App } from '../../testing/app.ts';
import { createQueue, type QueueFixture } from '../../testing/fixtures.ts';
import { finish, held, pathOf, read } from '../../testing/work.ts';

let app: App;

beforeAll(async () => {
  app = await startApp();
});

type Body = Schemas['CorrectionRequest'];

const correct = ({ owner, path }: QueueFixture, body: Body) => owner.call.updateWorkItems({ path, body });

/** A queue with failed items, and the items. */
async function queueOfFailed(count: number, settings: Partial<Schemas['NewQueue']> = {}) {
  const queue = await createQueue(app, settings);
  await queue.add(...Array.from({ length: count }, (_, index) => index));
  const claimed = await queue.claim(count);
  const failed = { status: 'FAILED', failureKind: 'BUSINESS', error: 'unknown customer' } as const;
  await finish(queue, ...claimed.map((item) => ({ ...held(item), ...failed })));
  const items = [];
  for (const item of claimed) items.push(await read(queue, item));
  return { queue, items };
}

const rowOf = (item: Schemas['WorkItem'] | undefined, json: Record<string, unknown>) => ({
  ...held(item),
  json,
});

describe('updateWorkItems', () => {
  test('corrects each item in its own way and has it tried again, and tells each row its outcome', async () => {
    const { queue, items } = await queueOfFailed(2);
    const rows = [rowOf(items[1], { customer: 'Joe' }), rowOf(items[0], { amount: null })];
    const before = await read(queue, items[0]);
    const trial = await correct(queue, { rows, restart: true, dryRun: true, reason: 'misspelt' });
    expect(await read(queue, items[0])).toEqual(before);
    const { status, body } = await correct(queue, { rows, restart: true, reason: 'misspelt' });
    expect(status).toBe(200);
    const list = rows.map(({ id, version }) => ({
      id,
      outcome: 'CHANGED',
      status: 'NEW',
      version: version + 1,
    }));
    expect(body).toEqual({
      dryRun: false,
      changed: 2,
      unchanged: 0,
      refused: 0,
      batchId: body.batchId,
      list,
    });
    expect(trial.body).toEqual({ ...body, dryRun: true, batchId: undefined });
    expect(await read(queue, items[0])).toMatchObject({ status: 'NEW', json: { customer: 'customer 0' } });
    expect((await read(queue, items[1])).json).toEqual({ customer: 'Joe', amount: 1 });
    const events = await queue.owner.call.listWorkItemEvents({ path: pathOf(queue, items[1]) });
    expect(events.body.list.at(-1)).toMatchObject({
      operation: 'updateWorkItems',
      from: 'FAILED',
      to: 'NEW',
      reason: 'misspelt',
      changes: { action: 'RESTART', json: { customer: 'Joe' } },
    });
    const filter = { operator: 'eq', field: 'batchId', value: body.batchId };
    const { list: ofBatch } = (await queue.owner.call.listWorkItems({ path: queue.path, body: { filter } }))
      .body;
    expect(ofBatch).toHaveLength(2);
  });

  test('refuses only the rows that cannot be, each with why', async () => {
    const { queue, items } = await queueOfFailed(5);
    const [good, same, stale, bad] = items;
    const [waiting] = await queue.add(7);
    const rows = [
      rowOf(good, { customer: 'Joe' }),
      rowOf(same, {}),
      { ...rowOf(stale, { customer: 'Joe' }), version: 1 },
      rowOf(bad, { customer: null, amount: 'much', x: 1 }),
      { id: 9007199254740993n as never, version: 0, json: {} },
      rowOf(waiting, { customer: 'Jim' }),
    ];
    const { body } = await correct(queue, { rows });
    expect(body).toMatchObject({ changed: 2, unchanged: 1, refused: 3 });
    expect(body.list.map(({ outcome, error }) => error?.code ?? outcome)).toEqual([
      'CHANGED',
      'UNCHANGED',
      'VERSION_CONFLICT',
      'INVALID_REQUEST',
      'NOT_FOUND',
      'CHANGED',
    ]);
    expect(body.list[3]?.error?.details?.map(({ field }) => field).toSorted()).toEqual([
      'amount',
      'customer',
      'x',
    ]);
    expect(await read(queue, good)).toMatchObject({ status: 'FAILED', json: { customer: 'Joe' } });
    expect((await read(queue, bad)).json).toEqual(bad?.json);
    const restarted = await correct(queue, { rows: [rowOf(await read(queue, waiting), {})], restart: true });
    expect(restarted.body.list[0]?.error?.code).toBe('STATUS_CONFLICT');
  });

  test('gives no two items the same unique key, in a trial and in earnest', async () => {
    const { queue, items } = await queueOfFailed(2, {
      disallowDuplicate: true,
      uniqueBy: ['customer'],
      duplicateScope: 'OPEN',
    });
    const rows = items.map((item) => rowOf(item, { customer: 'Joe' }));
    const trial = await correct(queue, { rows, restart: true, dryRun: true });
    const { body } = await correct(queue, { rows, restart: true });
    expect(trial.body).toEqual({ ...body, dryRun: true, batchId: undefined });
    expect(body.list.map(({ outcome, error }) => error?.code ?? outcome)).toEqual(['CHANGED', 'DUPLICATE']);
  });

  test('corrects more items than are changed in one transaction', async () => {
    const { queue, items } = await queueOfFailed(600);
    const rows = items.map((item) => rowOf(item, { customer: `corrected ${item.id}` }));
    const { body } = await correct(queue, { rows, restart: true });
    expect(body).toMatchObject({ changed: 600, refused: 0 });
    expect(body.list.map(({ id }) => id)).toEqual(items.map(({ id }) => id));
    const { list } = (await queue.owner.call.listFailureClusters({ query: { queueId: queue.id } })).body;
    expect(list).toMatchObject([
      { count: 0, remedies: [{ restarted: 600, waiting: 600, batchId: body.batchId }] },
    ]);
  });

  test.for<[string, Body, string]>([
    ['no rows', { rows: [] }, 'rows'],
    ['a row twice', { rows: [1, 1].map((id) => ({ id, version: 0, json: {} })) }, 'names item 1 again'],
    [
      'too many rows',
      { rows: Array.from({ length: 1001 }, (_, id) => ({ id, version: 0, json: {} })) },
      '1000',
    ],
  ])('refuses %s as a whole', async ([, body, message]) => {
    const { status, error } = await correct(await createQueue(app), body);
    expect([status, error.code]).toEqual([400, 'INVALID_REQUEST']);
    expect(error.message).toContain(message);
  });

  test('refuses those who may not repair', async () => {
    const { queue, items } = await queueOfFailed(1);
    const stranger = await app.user('stranger');
    const body = { rows: [rowOf(items[0], { customer: 'Joe' })] };
    expect((await stranger.call.updateWorkItems({ path: queue.path, body })).status).toBe(404);
    expect((await queue.consumer.call.updateWorkItems({ path: queue.path, body })).status).toBe(403);
  });
});
