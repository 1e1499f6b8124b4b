import { describe, expect, test } from 'vitest';
import type { Schemas } from '@millrace/api';
import { startApp } from '../../testing/app.ts';
import { registerDevice } from '../../testing/devices.ts';
import { createQueue, eventually, type QueueFixture, withoutNames } from '../../testing/fixtures.ts';
import { finish, held, letLeaseExpire, pathOf, read, timeline } from '../../testing/work.ts';

const app = await startApp();
const failure = { status: 'FAILED', error: 'timeout' } as const;

const list = async ({ owner, path }: QueueFixture, filter: Schemas['ListRequest']['filter']) =>
  (await owner.call.listWorkItems({ path, body: { filter: filter ?? null } })).body.list.map(({ id }) => id);
const tagged = (value: string | null, operator = 'eq') => ({ operator, field: 'tags', value }) as never;

describe('finishWorkItems', () => {
  test('finishWorkItems takes an item back untried: at its place, and without counting the attempt', async () => {
    const queue = await createQueue(app, { autoRetryLimit: 1 });
    await queue.add(1, 2);
    const deviceId = await queue.device();
    const [item] = await queue.claim(1, { deviceId });
    const report = { ...held(item), status: 'NEW', reason: 'the device is drained' } as const;
    expect(await finish(queue, report)).toEqual([{ id: item?.id, status: 'NEW', version: 2 }]);
    expect(await finish(queue, report)).toEqual([{ id: item?.id, status: 'NEW', version: 2 }]);
    const [again] = await queue.claim();
    expect(again).toMatchObject({ id: item?.id, retryCount: 0 });
    expect(again).not.toHaveProperty('error');
    expect((await read(queue, item)).attempts).toMatchObject([
      { number: 1, deviceId, outcome: 'GIVEN_BACK', error: 'the device is drained' },
      { number: 2 },
    ]);
  });

  test('finishWorkItems wakes those who wait when an item is given back', async () => {
    const queue = await createQueue(app);
    await queue.add(1);
    const [item] = await queue.claim();
    const waiting = queue.claim(1, { waitSeconds: 30 });
    await finish(queue, { ...held(item), status: 'NEW' });
    expect(await waiting).toMatchObject([{ id: item?.id }]);
  });

  test('finishWorkItems has a failed item wait as long as the queue says, then go behind those that wait', async () => {
    const retryBackOff = { type: 'EXPONENTIAL', seconds: 1, maxSeconds: 60, jitterPercent: 50 };
    const queue = await createQueue(app, { autoRetryLimit: 2, retryBackOff });
    await queue.add(1);
    const [item] = await queue.claim();
    await finish(queue, { ...held(item), ...failure });
    const waiting = await read(queue, item);
    const wait = Date.parse(waiting.notBefore ?? '') - Date.parse(waiting.updatedOn ?? '');
    expect(wait).toBeGreaterThanOrEqual(500);
    expect(wait).toBeLessThanOrEqual(1000);
    expect(waiting).toMatchObject({ status: 'NEW', retryCount: 1, error: 'timeout' });
    expect(await queue.claim()).toEqual([]);
    const [later] = await queue.add(2);
    await eventually(
      () => read(queue, item),
      ({ notBefore }) => notBefore === undefined,
    );
    expect((await queue.claim(2)).map(({ id }) => id)).toEqual([later?.id, item?.id]);
    expect((await timeline(queue, item))[2]).toMatchObject({
      reason: 'timeout',
      changes: { failureKind: 'SYSTEM', retryCount: 1, notBefore: waiting.notBefore },
    });
  });

  test('finishWorkItems keeps output, result text and tags apart from the data that came in', async () => {
    const queue = await createQueue(app);
    await queue.add(1);
    const [item] = await queue.claim();
    const said = { output: { booking: 'B-7' }, resultText: 'Booked', tags: ['month-end'], comment: 'fine' };
    await finish(queue, { ...held(item), status: 'COMPLETE', ...said });
    expect(await read(queue, item)).toMatchObject({ json: item?.json, result: 'SUCCESS', ...said });
    expect(await list(queue, { operator: 'substring', field: 'resultText', value: 'book' })).toEqual([
      item?.id,
    ]);
  });
});

describe('getWorkItem and listWorkItemEvents', () => {
  test('getWorkItem and listWorkItemEvents tell each attempt: device, start, end, outcome and error', async () => {
    const queue = await createQueue(app, { autoRetryLimit: 1 });
    await queue.add(1);
    const devices = [await queue.device(), await queue.device(), await queue.device()] as const;
    const [first] = await queue.claim(1, { deviceId: devices[0] });
    await finish(queue, { ...held(first), ...failure });
    const [second] = await queue.claim(1, { deviceId: devices[1] });
    await letLeaseExpire(app, second);
    const [third] = await queue.claim(1, { deviceId: devices[2], waitSeconds: 20 });
    await finish(queue, { ...held(third), ...failure });
    const { attempts = [], startTime, endTime } = await read(queue, first);
    expect(attempts).toMatchObject([
      { number: 1, deviceId: devices[0], outcome: 'RETRIED', error: 'timeout', startedOn: first?.startTime },
      { number: 2, deviceId: devices[1], outcome: 'LAPSED', startedOn: second?.startTime },
      { number: 3, deviceId: devices[2], outcome: 'FAILED', startedOn: startTime, endedOn: endTime },
    ]);
    const { body } = await queue.owner.call.listWorkItemEvents({ path: pathOf(queue, first) });
    expect(body.attempts).toEqual(attempts);
  });

  test('getWorkItem and listWorkItemEvents have the names of users and devices beside their ids, for callers who may list neither', async () => {
    const queue = await createQueue(app);
    await queue.add(1);
    const deviceId = Number((await registerDevice(queue.consumer, { nickname: 'Läufer 1' })).id);
    const [item] = await queue.claim(1, { deviceId });
    const path = pathOf(queue, item);
    await app.admin.cancelWorkItem({ path, body: {} });
    const { body } = await queue.owner.call.getWorkItem({ path });
    expect(body).toMatchObject({
      createdByName: 'owner',
      updatedByName: 'admin',
      cancelRequestedByName: 'admin',
      deviceName: 'Läufer 1',
      attempts: [{ deviceName: 'Läufer 1', actorName: 'runner' }],
    });
    const { attempts } = (await queue.owner.call.listWorkItemEvents({ path })).body;
    expect(attempts).toEqual(body.attempts);
  });

  test('getWorkItem shows no attempts of an item that nobody has processed', async () => {
    const queue = await createQueue(app);
    const [item] = await queue.add(1);
    expect(withoutNames(await read(queue, item))).toEqual(item);
  });
});

describe('createWorkItems', () => {
  test('createWorkItems tags items, listWorkItems finds them by a tag, and updateWorkItem changes tags', async () => {
    const queue = await createQueue(app);
    const workItems = [['vip', 'month-end'], ['vip'], []].map((tags) => ({ json: { customer: 'x' }, tags }));
    const created = await queue.owner.call.createWorkItems({ path: queue.path, body: { workItems } });
    const [both, vip, none] = created.body.list;
    expect([both?.tags, none?.tags]).toEqual([['vip', 'month-end'], undefined]);
    expect(await list(queue, tagged('vip'))).toEqual([both?.id, vip?.id]);
    expect(await list(queue, tagged('month-end', 'ne'))).toEqual([vip?.id, none?.id]);
    expect(await list(queue, tagged(null))).toEqual([none?.id]);
    const change = (tags: string[]) =>
      queue.owner.call.updateWorkItem({
        path: pathOf(queue, vip),
        body: { id: vip?.id as number, queueId: queue.id, version: tags.length === 0 ? 1 : 0, tags },
      });
    expect((await change(['late'])).body.tags).toEqual(['late']);
    expect(await list(queue, tagged('vip'))).toEqual([both?.id]);
    expect((await change([])).body).not.toHaveProperty('tags');
  });

  test('createWorkItems refuses tags that are empty, too long, too many or twice the same', async () => {
    const queue = await createQueue(app);
    const many = Array.from({ length: 51 }, (_, index) => `tag ${index}`);
    for (const tags of [[''], ['x'.repeat(101)], many, ['a', 'a']]) {
      const body = { workItems: [{ json: { customer: 'x' }, tags }] };
      const { status, error } = await queue.owner.call.createWorkItems({ path: queue.path, body });
      expect([status, error.code]).toEqual([400, 'INVALID_REQUEST']);
    }
  });
});

describe('expireItems', () => {
  test('expireItems fails what expires while it waits for its retry, and it is never granted', async () => {
    const queue = await createQueue(app, {
      autoRetryLimit: 1,
      retryBackOff: { type: 'FIXED', seconds: 3600 },
      expiry: { type: 'DURATION', duration: 1, durationUnit: 'HOURS' },
    });
    await queue.add(1);
    const [item] = await queue.claim();
    await finish(queue, { ...held(item), ...failure });
    const past = "now() - interval '1 second'";
    await app.sql(`update work_items set expires_on = ${past}, not_before = ${past} where id = $1`, [
      item?.id,
    ]);
    expect(await queue.claim()).toEqual([]);
    const expired = await eventually(
      () => read(queue, item),
      ({ status }) => status !== 'NEW',
    );
    expect(expired).toMatchObject({ status: 'FAILED', failureKind: 'EXPIRED', retryCount: 1 });
  });

  test('expireItems fails an item whose lease ran on beyond its expiry', async () => {
    const queue = await createQueue(app, {
      expiry: { type: 'DURATION', duration: 1, durationUnit: 'HOURS' },
    });
    await queue.add(1);
    const [item] = await queue.claim();
    await app.sql("update work_items set expires_on = now() - interval '1 second' where id = $1", [item?.id]);
    await letLeaseExpire(app, item);
    const expired = await eventually(
      () => read(queue, item),
      ({ status }) => status === 'FAILED',
    );
    expect(expired).toMatchObject({ failureKind: 'EXPIRED', attempts: [{ outcome: 'LAPSED' }] });
  });
});
