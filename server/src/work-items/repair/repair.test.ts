import { describe, expect, test } from 'vitest';
import type { Schemas } from '@millrace/api';
import { startApp } from '../../testing/app.ts';
import { createQueue, eventually } from '../../testing/fixtures.ts';
import { finish, held, pathOf, read, timeline } from '../../testing/work.ts';

const app = await startApp();
const far = '2099-01-01T00:00:00.000Z';
const backOff = { type: 'FIXED', seconds: 3600 };
const failure = { status: 'FAILED', error: 'timeout' } as const;

describe('releaseWorkItem', () => {
  test('releaseWorkItem lets a deferred item go on, at its old place', async () => {
    const queue = await createQueue(app);
    const workItems = [{ json: { customer: 'first' }, deferredUntil: far }, { json: { customer: 'second' } }];
    const { list } = (await queue.owner.call.createWorkItems({ path: queue.path, body: { workItems } })).body;
    const [item] = list;
    const waiting = queue.claim(2);
    expect((await waiting).map(({ id }) => id)).toEqual([list[1]?.id]);
    const body = { version: 0, reason: 'the office is open' };
    const released = await queue.owner.call.releaseWorkItem({ path: pathOf(queue, item), body });
    expect([released.status, released.body]).toMatchObject([200, { status: 'NEW', version: 1 }]);
    expect(released.body).not.toHaveProperty('deferredUntil');
    expect((await timeline(queue, item)).at(-1)).toMatchObject({
      operation: 'releaseWorkItem',
      actorId: queue.owner.id,
      from: 'DEFERRED',
      to: 'NEW',
      reason: 'the office is open',
    });
  });

  test('releaseWorkItem ends the wait for a retry, and wakes consumers that wait for work', async () => {
    const queue = await createQueue(app, { autoRetryLimit: 1, retryBackOff: backOff });
    await queue.add(1);
    const [item] = await queue.claim();
    await finish(queue, { ...held(item), ...failure });
    const waiting = queue.claim(1, { waitSeconds: 30 });
    await queue.owner.call.releaseWorkItem({ path: pathOf(queue, item), body: { version: 2 } });
    expect(await waiting).toMatchObject([{ id: item?.id, retryCount: 1 }]);
    expect((await timeline(queue, item)).at(-2)).toMatchObject({
      operation: 'releaseWorkItem',
      from: 'NEW',
      to: 'NEW',
      changes: { notBefore: null },
    });
  });

  test('releaseWorkItem refuses an item that waits for nothing, and another version', async () => {
    const queue = await createQueue(app);
    const [item] = await queue.add(1);
    const release = (version: number) =>
      queue.owner.call.releaseWorkItem({ path: pathOf(queue, item), body: { version } });
    const [none, stale] = [await release(0), await release(3)];
    expect([none.status, none.error.code]).toEqual([409, 'STATUS_CONFLICT']);
    expect([stale.status, stale.error.code]).toEqual([409, 'VERSION_CONFLICT']);
  });
});

describe('restartWorkItem', () => {
  async function failedItem(settings: Partial<Schemas['NewQueue']> = {}) {
    const queue = await createQueue(app, settings);
    await queue.add(1);
    const [item] = await queue.claim();
    await finish(queue, { ...held(item), ...failure, failureKind: 'BUSINESS' });
    return { queue, item };
  }

  test('restartWorkItem has a failed item tried again behind those that wait, with all its retries', async () => {
    const { queue, item } = await failedItem();
    const [other] = await queue.add(2);
    const path = pathOf(queue, item);
    await new Promise((resolve) => setTimeout(resolve, 5));
    const { status, body } = await queue.owner.call.restartWorkItem({ path, body: { version: 2 } });
    expect([status, body]).toMatchObject([200, { status: 'NEW', version: 3, retryCount: 0 }]);
    expect([body.result, body.failureKind, body.endTime]).toEqual(Array(3).fill(undefined));
    expect((await queue.claim(2)).map(({ id }) => id)).toEqual([other?.id, item?.id]);
  });

  test('restartWorkItem gives an item that has expired a new expiry, and it is granted', async () => {
    const queue = await createQueue(app, {
      expiry: { type: 'DURATION', duration: 1, durationUnit: 'HOURS' },
    });
    const [item] = await queue.add(1);
    await app.sql("update work_items set expires_on = now() - interval '1 second' where id = $1", [item?.id]);
    const { version = 0 } = await eventually(
      () => read(queue, item),
      ({ status }) => status === 'FAILED',
    );
    const { body } = await queue.owner.call.restartWorkItem({
      path: pathOf(queue, item),
      body: { version },
    });
    expect(Date.parse(body.expiresOn ?? '') - Date.parse(body.updatedOn ?? '')).toBe(3_600_000);
    expect(await queue.claim()).toMatchObject([{ id: item?.id }]);
  });

  test('restartWorkItem refuses an item that did not fail, another version, and an unknown item', async () => {
    const { queue, item } = await failedItem();
    const [waiting] = await queue.add(2);
    const restart = (which: typeof item, version: number) =>
      queue.owner.call.restartWorkItem({ path: pathOf(queue, which), body: { version } });
    const answers = [await restart(waiting, 0), await restart(item, 1), await restart({ id: 987_654 }, 0)];
    expect(answers.map(({ status, error }) => [status, error.code])).toEqual([
      [409, 'STATUS_CONFLICT'],
      [409, 'VERSION_CONFLICT'],
      [404, 'NOT_FOUND'],
    ]);
    expect(await read(queue, item)).toMatchObject({ status: 'FAILED', version: 2 });
  });
});

describe('cancelWorkItem', () => {
  test('cancelWorkItem notes the request with the item, and its holder keeps it until it reports', async () => {
    const queue = await createQueue(app, { autoRetryLimit: 3 });
    await queue.add(1);
    const [item] = await queue.claim();
    const path = pathOf(queue, item);
    const { status, body } = await queue.owner.call.cancelWorkItem({ path, body: { reason: 'sent twice' } });
    expect(status).toBe(200);
    expect(body).toMatchObject({ status: 'IN_PROGRESS', version: 1, cancelReason: 'sent twice' });
    expect([body.cancelRequestedBy, typeof body.cancelRequestedOn]).toEqual([queue.owner.id, 'string']);
    expect(await finish(queue, { ...held(item), status: 'FAILED', error: 'killed' })).toMatchObject([
      { status: 'FAILED', version: 2 },
    ]);
    const after = await read(queue, item);
    expect(after).toMatchObject({
      failureKind: 'BUSINESS',
      error: 'Cancelled by owner: sent twice. killed',
      attempts: [{ outcome: 'CANCELLED', error: 'Cancelled by owner: sent twice. killed' }],
    });
    expect(after).not.toHaveProperty('cancelRequestedOn');
    expect((await timeline(queue, item)).map(({ operation }) => operation)).toEqual([
      'createWorkItems',
      'claimWorkItems',
      'cancelWorkItem',
      'finishWorkItems',
    ]);
  });

  test('cancelWorkItem comes too late for an item that is reported as done', async () => {
    const queue = await createQueue(app);
    await queue.add(1);
    const [item] = await queue.claim();
    await queue.owner.call.cancelWorkItem({ path: pathOf(queue, item) });
    await finish(queue, { ...held(item), status: 'COMPLETE' });
    expect(await read(queue, item)).toMatchObject({ status: 'COMPLETE', result: 'SUCCESS' });
  });

  test('cancelWorkItem asked once more changes nothing', async () => {
    const queue = await createQueue(app);
    await queue.add(1);
    const [item] = await queue.claim();
    const cancel = (reason: string) =>
      queue.owner.call.cancelWorkItem({ path: pathOf(queue, item), body: { reason } });
    const first = (await cancel('first')).body;
    expect((await cancel('second')).body).toEqual(first);
    expect(await timeline(queue, item)).toHaveLength(3);
  });

  test('cancelWorkItem refuses an item that nobody processes, and says what to do instead', async () => {
    const queue = await createQueue(app);
    const [item] = await queue.add(1);
    const { status, error } = await queue.owner.call.cancelWorkItem({ path: pathOf(queue, item) });
    expect([status, error.code]).toEqual([409, 'STATUS_CONFLICT']);
    expect(error.message).toContain('Delete it, defer it, or set its status');
  });
});
