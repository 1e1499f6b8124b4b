import { describe, expect, test } from 'vitest';
import { parseJson, stringifyJson, type Schemas } from '@millrace/api';
import { startApp } from '../../testing/app.ts';
import { createQueue, eventually, type QueueFixture, withoutNames } from '../../testing/fixtures.ts';

const app = await startApp();
const read = async (queue: QueueFixture, id: unknown) =>
  queue.owner.call.getWorkItem({ path: { ...queue.path, workItemId: id as number } });
const create = (queue: QueueFixture, workItems: Schemas['NewWorkItem'][]) =>
  queue.owner.call.createWorkItems({ path: queue.path, body: { workItems } });
const update = (
  queue: QueueFixture,
  item: Schemas['WorkItem'] | undefined,
  members: object,
  caller = queue.owner.call,
) => {
  const workItemId = item?.id as number;
  const body = { id: workItemId, queueId: queue.id, version: item?.version as number, ...members };
  return caller.updateWorkItem({ path: { ...queue.path, workItemId }, body });
};

describe('createWorkItems', () => {
  test('createWorkItems answers the items in the order sent, as reading them does', async () => {
    const queue = await createQueue(app);
    const { status, body } = await create(queue, [
      { json: { customer: 'Jane', amount: 100, due: '2026-03-01', urgent: true }, priority: 9 },
      { json: { customer: 'Joe' } },
    ]);
    expect(status).toBe(200);
    expect(body.list).toMatchObject([
      {
        status: 'NEW',
        version: 0,
        priority: 9,
        col1: 'Jane',
        col2: '100',
        col3: '2026-03-01',
        col4: 'true',
        queueId: queue.id,
      },
      { priority: 4, col1: 'Joe', createdBy: queue.owner.id, retryCount: 0 },
    ]);
    for (const item of body.list) expect(withoutNames((await read(queue, item.id)).body)).toEqual(item);
  });

  test('createWorkItems keeps numbers, texts and dates exactly as they were sent', async () => {
    const queue = await createQueue(app);
    const json = parseJson(
      '{"customer":"Zoë 😀 \\"q\\" \\\\ \\n","amount":9007199254740993,"due":"2026-03-01T09:30:00.123456+02:00"}',
    );
    const { body } = await create(queue, [{ json: json as never }, { json: { customer: 'x', amount: 0.1 } }]);
    const answers = await Promise.all(body.list.map(({ id }) => read(queue, id)));
    expect(stringifyJson(answers[0]?.body.json)).toBe(stringifyJson(json));
    expect(answers[0]?.body.col2).toBe('9007199254740993');
    expect(answers[1]?.body.json).toEqual({ customer: 'x', amount: 0.1 });
  });

  for (const [what, text, message] of [
    ['a number beyond all doubles', '{"customer":"x","amount":1e400}', 'amount'],
    ['a text with NUL', '{"customer":"a\\u0000b"}', 'NUL'],
    ['half a surrogate pair', '{"customer":"\\ud83d"}', 'surrogate'],
    ['an unknown attribute', '{"customer":"x","__proto__":{"a":1}}', '__proto__'],
  ] as const) {
    test(`createWorkItems refuses ${what} with 400`, async () => {
      const queue = await createQueue(app);
      const response = await fetch(`${app.url}/v4/wlm/queues/${queue.id}/workitems`, {
        method: 'POST',
        headers: { authorization: `Bearer ${queue.owner.token}`, 'content-type': 'application/json' },
        body: `{"workItems":[{"json":${text}}]}`,
      });
      expect(response.status).toBe(400);
      expect(((await response.json()) as Schemas['Error']).message).toContain(message);
    });
  }

  test('createWorkItems creates all or nothing, and names index and attribute of each problem', async () => {
    const queue = await createQueue(app);
    const { status, error } = await create(queue, [
      { json: { customer: 'good' } },
      { json: { amount: 5 } },
      { json: { customer: 'bad', urgent: 'yes' } },
    ]);
    expect(status).toBe(400);
    expect(error.details).toEqual([
      { index: 1, field: 'customer', message: 'is required' },
      { index: 2, field: 'urgent', message: 'must be true or false, not "yes"' },
    ]);
    expect(await queue.claim()).toEqual([]);
  });

  test('createWorkItems parks an item until its time', async () => {
    const queue = await createQueue(app);
    const deferredUntil = new Date(Date.now() + 400).toISOString();
    const { body } = await create(queue, [{ json: { customer: 'later' }, deferredUntil }]);
    expect(body.list[0]).toMatchObject({ status: 'DEFERRED', deferredUntil });
    expect(await queue.claim(1, { waitSeconds: 20 })).toMatchObject([{ id: body.list[0]?.id }]);
  });

  test('createWorkItems refuses a duplicate by naming the item that is there, and takes it once that is deleted', async () => {
    const queue = await createQueue(app, { disallowDuplicate: true });
    const [first] = (await create(queue, [{ json: { customer: 'Jane', amount: 1 } }])).body.list;
    const again = await create(queue, [
      { json: { customer: 'Joe' } },
      { json: { amount: 1, customer: 'Jane' } },
    ]);
    expect(again.status).toBe(409);
    expect(again.error).toMatchObject({
      code: 'DUPLICATE',
      details: [{ index: 1, message: `equals item ${first?.id}` }],
    });
    const duplicates = await create(queue, [
      { json: { customer: 'equal' } },
      { json: { customer: 'equal' } },
    ]);
    expect(duplicates.error.details).toEqual([{ index: 1, message: 'equals the item at index 0' }]);
    await queue.owner.call.deleteWorkItem({ path: { ...queue.path, workItemId: first?.id as number } });
    expect(
      (await create(queue, [{ json: { customer: 'Jane', amount: 1 } }, { json: { customer: 'Joe' } }]))
        .status,
    ).toBe(200);
  });

  test('createWorkItems takes one of two equal items that are sent at the same time', async () => {
    const queue = await createQueue(app, { disallowDuplicate: true });
    const calls = Array.from({ length: 8 }, () => create(queue, [{ json: { customer: 'same' } }]));
    const statuses = (await Promise.all(calls)).map(({ status }) => status);
    expect(statuses.toSorted((a, b) => a - b)).toEqual([200, 409, 409, 409, 409, 409, 409, 409]);
  });

  test('createWorkItems refuses an item of the batch without harming the others', async () => {
    const queue = await createQueue(app);
    const calls = Array.from({ length: 9 }, (_, index) =>
      create(queue, [{ json: index === 4 ? {} : { customer: `${index}` } }]),
    );
    const statuses = (await Promise.all(calls)).map(({ status }) => status);
    expect(statuses).toEqual([200, 200, 200, 200, 400, 200, 200, 200, 200]);
  });
});

describe('getWorkItem', () => {
  test('getWorkItem answers 404 for an item of another queue', async () => {
    const [queue, other] = [await createQueue(app), await createQueue(app)];
    const [item] = await other.add(1);
    expect((await read(queue, item?.id)).status).toBe(404);
    expect((await read(queue, 9007199254740993n)).status).toBe(404);
  });
});

describe('listWorkItems', () => {
  test('listWorkItems filters, sorts and pages, and counts what there is', async () => {
    const queue = await createQueue(app);
    await queue.add(100, 20, 3, 1000);
    const { body } = await queue.owner.call.listWorkItems({
      path: queue.path,
      body: {
        filter: { operator: 'gt', field: 'col2', value: 3 },
        sort: [{ field: 'col2', direction: 'desc' }],
        page: { offset: 1, length: 1 },
      },
    });
    expect(body.page).toEqual({ offset: 1, total: 4, totalFilter: 3, next: expect.any(String) });
    expect(body.list.map(({ col2 }) => col2)).toEqual(['100']);
  });

  test('listWorkItems lists everything, oldest first, when nothing is asked', async () => {
    const queue = await createQueue(app);
    const items = await queue.add(3, 1, 2);
    const { body } = await queue.owner.call.listWorkItems({ path: queue.path });
    expect(body).toEqual({ page: { offset: 0, total: 3, totalFilter: 3 }, list: items });
  });

  test('listWorkItems refuses a filter on a member it does not know', async () => {
    const queue = await createQueue(app);
    const filter = { operator: 'eq', field: 'amuont', value: 3 };
    const { status, error } = await queue.owner.call.listWorkItems({ path: queue.path, body: { filter } });
    expect(status).toBe(400);
    expect(error.message).toContain('amuont');
  });
});

describe('updateWorkItem', () => {
  test('updateWorkItem by the holder completes the item', async () => {
    const queue = await createQueue(app);
    await queue.add(1);
    const [item] = await queue.claim();
    const { status, body } = await update(
      queue,
      item,
      { status: 'COMPLETE', result: 'SUCCESS', output: { score: 1 } },
      queue.consumer.call,
    );
    expect(status).toBe(200);
    expect(body).toMatchObject({ status: 'COMPLETE', result: 'SUCCESS', version: 2, output: { score: 1 } });
  });

  test('updateWorkItem by the holder notes data and progress while the work goes on', async () => {
    const queue = await createQueue(app);
    await queue.add(1);
    const [item] = await queue.claim();
    const json = { customer: 'customer 1', amount: 2 };
    const { body } = await update(
      queue,
      item,
      { status: 'IN_PROGRESS', json, progress: { percent: 5 } },
      queue.consumer.call,
    );
    expect(body).toMatchObject({
      status: 'IN_PROGRESS',
      version: 2,
      json,
      progress: { percent: 5 },
    });
  });

  test('updateWorkItem by a former holder is a late report: 409, kept, and without effect', async () => {
    const queue = await createQueue(app);
    await queue.add(1);
    const [item] = await queue.claim();
    await app.sql('update work_items set lease_expires_on = now() where id = $1', [item?.id]);
    await eventually(
      () => read(queue, item?.id),
      ({ body }) => body.status === 'NEW',
    );
    const late = await update(
      queue,
      item,
      { status: 'COMPLETE', json: { customer: 'changed' } },
      queue.consumer.call,
    );
    expect([late.status, late.error.code]).toEqual([409, 'LATE_REPORT']);
    expect((await read(queue, item?.id)).body).toMatchObject({ status: 'NEW', json: item?.json });
    const events = await queue.owner.call.listWorkItemEvents({
      path: { ...queue.path, workItemId: item?.id as number },
    });
    expect(events.body.list.at(-1)?.operation).toBe('lateReport');
  });

  test('updateWorkItem by a person corrects the data of an item, and its place in the order', async () => {
    const queue = await createQueue(app, { workItemProcessingOrders: ['amount'] });
    const [small, large] = await queue.add(1, 50);
    const { body } = await update(queue, large, {
      json: { customer: 'corrected', amount: 0 },
      comment: 'typo',
    });
    expect(body).toMatchObject({ version: 1, col1: 'corrected', comment: 'typo', status: 'NEW' });
    expect((await update(queue, small, { priority: 3 })).body.priority).toBe(3);
    expect((await queue.claim(2)).map(({ id }) => id)).toEqual([large?.id, small?.id]);
  });

  test('updateWorkItem takes an item back as it was read, and changes what was changed', async () => {
    const queue = await createQueue(app, { autoRetryLimit: 0 });
    await queue.add(1);
    const [item] = await queue.claim(1, { deviceId: await queue.device() });
    await update(queue, item, { status: 'FAILED', error: 'broken' }, queue.consumer.call);
    const failed = (await read(queue, item?.id)).body;
    const { attempts: _, ...columns } = withoutNames(failed);
    const { status, body } = await update(queue, failed, { ...failed, comment: 'looked at' });
    expect([status, body]).toMatchObject([
      200,
      {
        ...columns,
        comment: 'looked at',
        version: 3,
        updatedOn: expect.any(String),
        updatedBy: queue.owner.id,
      },
    ]);
    const events = await queue.owner.call.listWorkItemEvents({
      path: { ...queue.path, workItemId: item?.id as number },
    });
    expect(events.body.list.at(-1)?.changes).not.toHaveProperty('createdBy');
  });

  test('updateWorkItem by a person defers an item for ever, and completes it', async () => {
    const queue = await createQueue(app);
    const [item] = await queue.add(1);
    const deferred = (await update(queue, item, { status: 'DEFERRED' })).body;
    expect(deferred).toMatchObject({ status: 'DEFERRED', version: 1 });
    expect(deferred.deferredUntil).toBeUndefined();
    expect((await update(queue, deferred, { status: 'COMPLETE' })).body).toMatchObject({
      status: 'COMPLETE',
      result: 'SUCCESS',
    });
  });

  for (const [what, members, status, code] of [
    ['another version', { version: 7, comment: 'x' }, 409, 'VERSION_CONFLICT'],
    ['to give an owner what only consumers take', { status: 'IN_PROGRESS' }, 403, 'FORBIDDEN'],
    [
      'a result that contradicts the status',
      { status: 'COMPLETE', result: 'FAILURE' },
      400,
      'INVALID_REQUEST',
    ],
    ['data that does not fit the model', { json: { amount: 1 } }, 400, 'INVALID_REQUEST'],
    ['a status that the contract does not take here', { status: 'NEW' }, 400, 'INVALID_REQUEST'],
    ['another item than the path names', { id: 5 }, 400, 'INVALID_REQUEST'],
  ] as const) {
    test(`updateWorkItem refuses ${what}`, async () => {
      const queue = await createQueue(app);
      const [item] = await queue.add(1);
      const answer = await update(queue, item, members);
      expect([answer.status, answer.error.code]).toEqual([status, code]);
      expect(withoutNames((await read(queue, item?.id)).body)).toEqual(item);
    });
  }

  test('updateWorkItem leaves an item alone that somebody processes', async () => {
    const queue = await createQueue(app);
    await queue.add(1);
    const [item] = await queue.claim();
    const answer = await update(queue, item, { status: 'FAILED' });
    expect([answer.status, answer.error.code]).toEqual([409, 'STATUS_CONFLICT']);
  });

  test('updateWorkItem refuses data that another item has, where duplicates are not allowed', async () => {
    const queue = await createQueue(app, { disallowDuplicate: true });
    const [first, second] = await queue.add(1, 2);
    const answer = await update(queue, second, { json: first?.json });
    expect([answer.status, answer.error.code]).toEqual([409, 'DUPLICATE']);
    expect((await update(queue, second, { json: { customer: 'free' } })).status).toBe(200);
    expect((await create(queue, [{ json: { customer: 'customer 2', amount: 2 } }])).status).toBe(200);
  });

  test('updateWorkItem does not let a consumer repair what it does not hold', async () => {
    const queue = await createQueue(app);
    const [item] = await queue.add(1);
    const answer = await update(queue, item, { comment: 'mine' }, queue.consumer.call);
    expect(answer.status).toBe(409);
  });
});

describe('deleteWorkItem', () => {
  test('deleteWorkItem removes the item and keeps its timeline, with the data', async () => {
    const queue = await createQueue(app);
    const [item] = await queue.add(1);
    const path = { ...queue.path, workItemId: item?.id as number };
    expect((await queue.owner.call.deleteWorkItem({ path })).status).toBe(204);
    expect((await queue.owner.call.deleteWorkItem({ path })).status).toBe(404);
    expect((await read(queue, item?.id)).status).toBe(404);
    const { body } = await queue.owner.call.listWorkItemEvents({ path });
    expect(body.list.at(-1)).toMatchObject({
      operation: 'deleteWorkItem',
      from: 'NEW',
      changes: { json: item?.json },
    });
    expect((await queue.owner.call.getQueueStats({ path: queue.path })).body.counts.NEW).toBe(0);
  });

  test('deleteWorkItem refuses an item that is being processed', async () => {
    const queue = await createQueue(app);
    await queue.add(1);
    const [item] = await queue.claim();
    const path = { ...queue.path, workItemId: item?.id as number };
    expect((await queue.owner.call.deleteWorkItem({ path })).status).toBe(409);
  });
});

describe('listWorkItemEvents', () => {
  test('listWorkItemEvents tells the whole life of an item, with who, when and what', async () => {
    const queue = await createQueue(app);
    const [item] = await queue.add(1);
    const edited = (await update(queue, item, { priority: 7 })).body;
    const deviceId = await queue.device();
    const [claimed] = await queue.claim(1, { deviceId });
    expect(claimed?.version).toBe(Number(edited.version) + 1);
    const { body } = await queue.owner.call.listWorkItemEvents({
      path: { ...queue.path, workItemId: item?.id as number },
    });
    expect(body.list).toMatchObject([
      {
        operation: 'createWorkItems',
        to: 'NEW',
        actorId: queue.owner.id,
        actorName: expect.stringMatching(/^owner/),
      },
      { operation: 'updateWorkItem', from: 'NEW', to: 'NEW', changes: { priority: 7 } },
      {
        operation: 'claimWorkItems',
        from: 'NEW',
        to: 'IN_PROGRESS',
        actorId: queue.consumer.id,
        deviceId,
      },
    ]);
  });

  test('listWorkItemEvents answers 404 for an item that never was', async () => {
    const queue = await createQueue(app);
    const answer = await queue.owner.call.listWorkItemEvents({
      path: { ...queue.path, workItemId: 999_999 },
    });
    expect(answer.status).toBe(404);
  });
});
