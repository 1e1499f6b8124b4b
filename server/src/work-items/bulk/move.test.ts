import { describe, expect, test } from 'vitest';
import type { Schemas } from '@millrace/api';
import { startApp } from '../../testing/app.ts';
import { createQueue, type QueueFixture, withoutNames } from '../../testing/fixtures.ts';
import { addTenant } from '../../testing/tenant.ts';

const app = await startApp();
type Path = QueueFixture['path'];

let made = 0;

/** Another queue of the same model. */
async function sibling({ owner, path }: QueueFixture, settings: Partial<Schemas['NewQueue']> = {}) {
  const { workItemModelId = 0 } = (await owner.call.getQueue({ path })).body;
  made += 1;
  const { body } = await owner.call.createQueue({
    body: { name: `Sibling ${made}`, workItemModelId, ...settings },
  });
  return { id: Number(body.id) };
}

const everything = { operator: 'gt', field: 'id', value: 0 };
const move = ({ owner, path }: QueueFixture, to: Path, more: Partial<Schemas['BulkRequest']> = {}) =>
  owner.call.updateWorkItemStatus({
    path,
    body: { action: 'MOVE', queueId: to.id, ...('ids' in more ? {} : { filter: everything }), ...more },
  });
const read = async ({ owner }: QueueFixture, path: Path, id: unknown) =>
  (await owner.call.getWorkItem({ path: { ...path, workItemId: id as number } })).body;
const timeline = async ({ owner }: QueueFixture, path: Path, id: unknown) =>
  (await owner.call.listWorkItemEvents({ path: { ...path, workItemId: id as number } })).body.list;
const stored = (id: unknown) =>
  app.sql<Record<string, Record<string, unknown>>>(
    `select to_jsonb(i) as item, to_jsonb(l) as log, d.json::text as json from work_items i
     join work_item_data d on d.queue_id = i.queue_id and d.item_id = i.id
     left join work_item_logs l on l.queue_id = i.queue_id and l.item_id = i.id where i.id = $1`,
    [id],
  );

async function failed(queue: QueueFixture, members: object = {}) {
  const [item] = await queue.claim();
  const result = {
    id: item?.id,
    version: item?.version,
    status: 'FAILED',
    failureKind: 'BUSINESS',
    ...members,
  };
  await queue.consumer.call.finishWorkItems({ path: queue.path, body: { results: [result as never] } });
  return item?.id;
}

describe('updateWorkItemStatus MOVE', () => {
  test('updateWorkItemStatus MOVE puts items into the other queue, with its columns, order and expiry', async () => {
    const queue = await createQueue(app);
    const target = await sibling(queue, {
      displayColumns: ['amount'],
      workItemProcessingOrders: ['-amount'],
      expiry: { type: 'DURATION', duration: 2, durationUnit: 'DAYS' },
    });
    const [small, large] = await queue.add(5, 70);
    const { body } = await move(queue, target, { reason: 'wrong queue' });
    expect(body).toMatchObject({ selected: 2, changed: 2, refused: 0 });
    expect(await read(queue, target, small?.id)).toMatchObject({
      id: small?.id,
      queueId: target.id,
      status: 'NEW',
      version: 1,
      json: small?.json,
      col1: '5',
      createdOn: small?.createdOn,
      expiresOn: expect.any(String),
    });
    const former = { ...queue.path, workItemId: small?.id as number };
    const gone = await queue.owner.call.getWorkItem({ path: former });
    expect([gone.status, gone.error.message]).toEqual([
      404,
      `There is no item ${small?.id} in queue ${queue.id}. It was moved to queue ${target.id}.`,
    ]);
    // The consumers of the former queue do not consume the target.
    const hidden = await queue.consumer.call.getWorkItem({ path: former });
    expect(hidden.error.message).toBe(`There is no item ${small?.id} in queue ${queue.id}.`);
    const restart = await queue.owner.call.restartWorkItem({ path: former, body: { version: 0 } });
    expect(restart.error.message).toContain(`moved to queue ${target.id}`);
    const claimed = await app.admin.claimWorkItems({ path: target, body: { count: 5 } });
    expect(claimed.body.list.map(({ id }) => id)).toEqual([large?.id, small?.id]);
    const [left, arrived] = [queue.path, target].map((path) => queue.owner.call.getQueueStats({ path }));
    expect((await left)?.body.counts.NEW).toBe(0);
    expect((await arrived)?.body.counts).toMatchObject({ NEW: 0, IN_PROGRESS: 2 });
  });

  test('updateWorkItemStatus MOVE brings the whole timeline along, and tells of it in both queues', async () => {
    const queue = await createQueue(app);
    const target = await sibling(queue);
    await queue.add(1);
    const id = await failed(queue, { error: 'broken' });
    await move(queue, target, { ids: [id as number], reason: 'wrong queue' });
    const events = await timeline(queue, target, id);
    expect(
      events.map(({ operation, from, to, reason, changes }) => ({ operation, from, to, reason, changes })),
    ).toEqual([
      { operation: 'createWorkItems', to: 'NEW' },
      { operation: 'claimWorkItems', from: 'NEW', to: 'IN_PROGRESS' },
      expect.objectContaining({ operation: 'finishWorkItems', to: 'FAILED' }),
      {
        operation: 'updateWorkItemStatus',
        from: 'FAILED',
        reason: 'wrong queue',
        changes: { movedTo: target.id },
      },
      {
        operation: 'updateWorkItemStatus',
        to: 'FAILED',
        reason: 'wrong queue',
        changes: { movedFrom: queue.id },
      },
    ]);
    expect(await timeline(queue, queue.path, id)).toEqual(events.slice(0, -1));
    expect((await read(queue, target, id)).attempts).toHaveLength(1);
  });

  test('updateWorkItemStatus MOVE and back tells each event once, and a queue nothing of what came after', async () => {
    const queue = await createQueue(app);
    const target = await sibling(queue);
    const [item] = await queue.add(1);
    await move(queue, target);
    const back = { action: 'MOVE', queueId: queue.id, filter: everything } as const;
    expect((await queue.owner.call.updateWorkItemStatus({ path: target, body: back })).body.changed).toBe(1);
    const events = await timeline(queue, queue.path, item?.id);
    expect(events.map(({ changes }) => changes ?? {})).toEqual([
      {},
      { movedTo: target.id },
      { movedFrom: queue.id },
      { movedTo: queue.id },
      { movedFrom: target.id },
    ]);
    expect(await timeline(queue, target, item?.id)).toEqual(events.slice(0, -1));
  });

  test('updateWorkItemStatus MOVE keeps all that is stored of an item, to the letter', async () => {
    const queue = await createQueue(app);
    const target = await sibling(queue);
    const response = await fetch(`${app.url}/v4/wlm/queues/${queue.id}/workitems`, {
      method: 'POST',
      headers: { authorization: `Bearer ${queue.owner.token}`, 'content-type': 'application/json' },
      body: '{"workItems":[{"json":{"customer":"Zoë \\"q\\" \\\\","amount":9007199254740993.50},"tags":["a","b"]}]}',
    });
    expect(response.status).toBe(200);
    const output = { rows: [1, 0.1], text: '{"x":1}' };
    const id = await failed(queue, {
      output,
      comment: 'c',
      error: 'e',
      resultText: 'r',
      logTail: 'last words',
    });
    const [before] = await stored(id);
    expect((await move(queue, target)).body.changed).toBe(1);
    const [after] = await stored(id);
    expect(after?.['json']).toEqual(before?.['json']);
    expect(after?.['log']).toEqual({ ...before?.['log'], queue_id: target.id });
    const changed = { queue_id: target.id, version: 3, updated_by: queue.owner.id };
    const { updated_on } = after?.['item'] ?? {};
    expect(after?.['item']).toEqual({ ...before?.['item'], ...changed, updated_on });
  });

  test('updateWorkItemStatus MOVE goes by the duplicates of the other queue, and frees the unique key in this one', async () => {
    const unique = { disallowDuplicate: true, uniqueBy: ['customer'] };
    const queue = await createQueue(app, unique);
    const target = await sibling(queue, unique);
    const [first, second] = await queue.add(1, 2);
    const workItems = [{ json: { customer: 'customer 2' } }];
    const [taken] = (await queue.owner.call.createWorkItems({ path: target, body: { workItems } })).body.list;
    const trial = (await move(queue, target, { dryRun: true })).body;
    const { body } = await move(queue, target);
    expect(trial).toEqual({ ...body, dryRun: true, batchId: undefined });
    expect(body).toMatchObject({ changed: 1, refused: 1 });
    expect(body.refusals[0]).toMatchObject({ id: second?.id, code: 'DUPLICATE' });
    expect(body.refusals[0]?.message).toContain(`equal item ${taken?.id} in customer`);
    expect((await read(queue, queue.path, second?.id)).status).toBe('NEW');
    expect((await queue.add(1)).length).toBe(1);
    const again = [{ json: { customer: 'customer 1' } }];
    const refused = await queue.owner.call.createWorkItems({ path: target, body: { workItems: again } });
    expect(refused.error.details).toMatchObject([{ index: 0, itemId: first?.id }]);
  });

  test('updateWorkItemStatus MOVE needs a queue of the same model that takes items from the caller', async () => {
    const queue = await createQueue(app);
    const [item] = await queue.add(1);
    const archived = await sibling(queue);
    await queue.owner.call.archiveQueue({ path: archived });
    const model = (await queue.owner.call.getQueue({ path: queue.path })).body.workItemModelId as number;
    const hidden = await app.admin.createQueue({ body: { name: 'Hidden', workItemModelId: model } });
    const consumed = await app.admin.createQueue({ body: { name: 'Consumed', workItemModelId: model } });
    const roles = (await app.admin.listRoles()).body.list;
    const roleId = roles.find(({ name }) => name === 'AAE_Basic')?.id as number;
    const consumedPath = { id: Number(consumed.body.id) };
    await app.admin.addQueueConsumer({ path: consumedPath, body: { roleId } });
    const foreign = await addTenant(app, 'second');
    const theirModel = await foreign.call.createWorkItemModel({
      body: { name: 'M', attributes: [{ name: 'customer' }] },
    });
    const theirs = await foreign.call.createQueue({
      body: { name: 'Theirs', workItemModelId: Number(theirModel.body.id) },
    });
    const other = await createQueue(app);
    const expected: [unknown, number, string][] = [
      [archived.id, 409, 'STATUS_CONFLICT'],
      [hidden.body.id, 404, 'NOT_FOUND'],
      [consumedPath.id, 403, 'FORBIDDEN'],
      [theirs.body.id, 404, 'NOT_FOUND'],
      [987_654_321, 404, 'NOT_FOUND'],
      [other.id, 400, 'INVALID_REQUEST'],
      [queue.id, 400, 'INVALID_REQUEST'],
    ];
    for (const [id, status, code] of expected) {
      const answer = await move(queue, { id: id as number });
      expect([id, answer.status, answer.error.code]).toEqual([id, status, code]);
    }
    expect(withoutNames(await read(queue, queue.path, item?.id))).toEqual(item);
  });

  test('updateWorkItemStatus MOVE to two queues at the same time leaves each item in one of them', async () => {
    const queue = await createQueue(app);
    const [one, two] = [await sibling(queue), await sibling(queue)];
    const items = await queue.add(...Array.from({ length: 1200 }, (_, index) => index));
    const claiming = Array.from({ length: 10 }, () => queue.claim(5));
    const moved = await Promise.all([move(queue, one), move(queue, two), move(queue, one)]);
    const held = (await Promise.all(claiming)).flat();
    const moves = await app.sql<{ count: number }>(
      'select count(*)::int as count from work_items where id = any($1) group by queue_id order by queue_id',
      [items.map(({ id }) => id)],
    );
    const left = (await queue.owner.call.getQueueStats({ path: queue.path })).body.counts;
    expect(left).toMatchObject({ NEW: 0, IN_PROGRESS: held.length });
    expect(moves.reduce((sum, { count }) => sum + count, 0)).toBe(1200);
    const changed = moved.reduce((sum, { body }) => sum + body.changed, 0);
    expect(changed + held.length).toBe(1200);
  });
});
