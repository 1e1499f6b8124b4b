import { describe, expect, test } from 'vitest';
import type { Schemas } from '@millrace/api';
import { startApp } from '../../testing/app.ts';
import { createQueue, eventually, type QueueFixture } from '../../testing/fixtures.ts';
import { beat, finish, held, letLeaseExpire, pathOf, read, timeline } from '../../testing/work.ts';

const app = await startApp();
const progress = { percent: 70, text: 'payment sent' };

/** An item whose holder has fallen silent after the point of no return. */
async function itemInDoubt(settings: Partial<Schemas['NewQueue']> = {}) {
  const queue = await createQueue(app, { autoRetryLimit: 3, ...settings });
  await queue.add(1, 2);
  const deviceId = await queue.device();
  const [claimed] = await queue.claim(1, { deviceId });
  await beat(queue, { ...held(claimed), pointOfNoReturn: true, progress });
  await letLeaseExpire(app, claimed);
  const item = await eventually(
    () => read(queue, claimed),
    ({ status }) => status !== 'IN_PROGRESS',
  );
  return { queue, claimed, item, deviceId };
}

async function resolve(
  { owner, path }: QueueFixture,
  { id, version = 0 }: Schemas['WorkItem'],
  answer: Omit<Schemas['ResolveRequest'], 'version'>,
) {
  return owner.call.resolveWorkItem({
    path: { ...path, workItemId: id as number },
    body: { version, ...answer },
  });
}

async function update({ owner, path }: QueueFixture, { id, version }: Schemas['WorkItem'], members: object) {
  const body = { id, queueId: path.id, version, ...members } as Schemas['UpdateWorkItemRequest'];
  return owner.call.updateWorkItem({ path: { ...path, workItemId: id as number }, body });
}

describe('reclaimExpiredLeases', () => {
  test('reclaimExpiredLeases leaves an item past the point of no return to a person, with the evidence', async () => {
    const { item, deviceId } = await itemInDoubt();
    expect(item).toMatchObject({ status: 'FAILED', result: 'FAILURE', failureKind: 'IN_DOUBT', progress });
    expect(item.error).toMatch(
      new RegExp(`point of no return on .* on device ${deviceId}; whether it was done is not known`),
    );
    expect(item.doubt).toMatchObject({ deviceId, pointOfNoReturnOn: item.pointOfNoReturnOn });
    expect(item.doubt?.leaseExpiredOn).toBeDefined();
    expect(item.doubt?.reason).toContain('no sign of life');
    expect(item.doubt?.lateReports).toEqual([]);
    expect(item.attempts).toMatchObject([{ number: 1, deviceId, outcome: 'IN_DOUBT' }]);
  });

  test('reclaimExpiredLeases has a cancelled item fail, and never tried again', async () => {
    const queue = await createQueue(app, { autoRetryLimit: 3 });
    await queue.add(1);
    const [claimed] = await queue.claim();
    await queue.owner.call.cancelWorkItem({ path: pathOf(queue, claimed), body: { reason: 'sent twice' } });
    await letLeaseExpire(app, claimed);
    const item = await eventually(
      () => read(queue, claimed),
      ({ status }) => status !== 'IN_PROGRESS',
    );
    expect(item).toMatchObject({ status: 'FAILED', failureKind: 'BUSINESS' });
    expect(item.error).toContain('Cancelled by owner: sent twice. no sign of life until');
    expect(item.attempts).toMatchObject([{ outcome: 'CANCELLED' }]);
    expect(item).not.toHaveProperty('cancelRequestedOn');
  });
});

describe('finishWorkItems', () => {
  test('finishWorkItems keeps what a former holder says as evidence, shown with the question', async () => {
    const { queue, claimed, item } = await itemInDoubt();
    const output = { payment: 'P-1' };
    const [late] = await finish(queue, { ...held(claimed), status: 'COMPLETE', output, logTail: 'paid' });
    expect(late?.error?.code).toBe('LATE_REPORT');
    const { doubt, ...after } = await read(queue, item);
    expect(after).toMatchObject({ status: 'FAILED', failureKind: 'IN_DOUBT', version: item.version });
    expect(doubt?.lateReports).toMatchObject([
      { operation: 'lateReport', actorName: 'runner', changes: { status: 'COMPLETE', output } },
    ]);
    expect(doubt?.lateReports[0]?.changes).not.toHaveProperty('logTail');
  });

  test.each([{ status: 'FAILED', error: 'crashed' } as const, { status: 'NEW', reason: 'drained' } as const])(
    'finishWorkItems leaves the outcome of an item unresolved that past the point of no return is reported as %j',
    async (report) => {
      const queue = await createQueue(app, { autoRetryLimit: 3 });
      await queue.add(1);
      const [item] = await queue.claim();
      await beat(queue, { ...held(item), pointOfNoReturn: true });
      expect(await finish(queue, { ...held(item), ...report })).toMatchObject([{ status: 'FAILED' }]);
      const { doubt, failureKind } = await read(queue, item);
      expect(failureKind).toBe('IN_DOUBT');
      expect(doubt?.reason).toBe('error' in report ? report.error : report.reason);
      expect(doubt).not.toHaveProperty('leaseExpiredOn');
    },
  );

  test('finishWorkItems completes, fails for good and defers past the point of no return as before it', async () => {
    const queue = await createQueue(app);
    await queue.add(1, 2, 3);
    const items = await queue.claim(3);
    await beat(queue, ...items.map((item) => ({ ...held(item), pointOfNoReturn: true as const })));
    const [done, failed, deferred] = items;
    await finish(
      queue,
      { ...held(done), status: 'COMPLETE' },
      { ...held(failed), status: 'FAILED', failureKind: 'BUSINESS' },
      { ...held(deferred), status: 'DEFERRED' },
    );
    const after = await Promise.all(items.map((item) => read(queue, item)));
    expect(after.map(({ status, failureKind }) => failureKind ?? status)).toEqual([
      'COMPLETE',
      'BUSINESS',
      'DEFERRED',
    ]);
    expect(after.filter((item) => 'pointOfNoReturnOn' in item)).toEqual([]);
  });
});

describe('resolveWorkItem', () => {
  test('resolveWorkItem completes an item that was done', async () => {
    const { queue, item } = await itemInDoubt();
    const { status, body } = await resolve(queue, item, { answer: 'DONE', note: 'seen at the bank' });
    expect([status, body]).toMatchObject([
      200,
      { status: 'COMPLETE', result: 'SUCCESS', comment: 'seen at the bank' },
    ]);
    expect([body.error, body.failureKind, body.pointOfNoReturnOn]).toEqual(Array(3).fill(undefined));
    expect((await timeline(queue, item)).at(-1)).toMatchObject({
      operation: 'resolveWorkItem',
      actorId: queue.owner.id,
      reason: 'seen at the bank',
      changes: { answer: 'DONE' },
    });
    expect(await read(queue, item)).not.toHaveProperty('doubt');
  });

  test('resolveWorkItem has an item that was not done tried again, at its place', async () => {
    const { queue, item } = await itemInDoubt();
    const { body } = await resolve(queue, item, { answer: 'NOT_DONE' });
    expect(body).toMatchObject({ status: 'NEW', retryCount: 0 });
    expect(body).not.toHaveProperty('error');
    expect((await timeline(queue, item)).at(-1)?.changes).toEqual({ answer: 'NOT_DONE' });
    expect(await queue.claim()).toMatchObject([{ id: item.id }]);
    expect((await read(queue, item)).attempts).toMatchObject([{ outcome: 'IN_DOUBT' }, { number: 2 }]);
  });

  test('resolveWorkItem fails an item that was done in part, with a note of what is left', async () => {
    const { queue, item } = await itemInDoubt();
    for (const note of [{}, { note: '   ' }]) {
      const refused = await resolve(queue, item, { answer: 'PARTLY', ...note });
      expect([refused.status, refused.error.details]).toEqual([
        400,
        [{ field: 'note', message: 'is missing' }],
      ]);
    }
    const { body } = await resolve(queue, item, { answer: 'PARTLY', note: 'pay by hand' });
    expect(body).toMatchObject({ status: 'FAILED', failureKind: 'BUSINESS', comment: 'pay by hand' });
    expect(body.error).toMatch(/^It passed the point of no return on .*; it was done in part: pay by hand$/);
    expect((await timeline(queue, item)).at(-1)).toMatchObject({
      from: 'FAILED',
      to: 'FAILED',
      changes: { answer: 'PARTLY', failureKind: 'BUSINESS' },
    });
  });

  test('resolveWorkItem refuses an answer to another version, and where there is no question', async () => {
    const { queue, item } = await itemInDoubt();
    const stale = await resolve(queue, { ...item, version: 1 }, { answer: 'DONE' });
    expect([stale.status, stale.error.code]).toEqual([409, 'VERSION_CONFLICT']);
    const [other] = await queue.add(3);
    const none = await resolve(queue, other as Schemas['WorkItem'], { answer: 'DONE' });
    expect([none.status, none.error.code]).toEqual([409, 'STATUS_CONFLICT']);
    expect(none.error.message).toContain('not in doubt');
    const missing = await resolve(queue, { id: 987_654, version: 1 }, { answer: 'DONE' });
    expect([missing.status, missing.error.code]).toEqual([404, 'NOT_FOUND']);
  });

  test('resolveWorkItem gives an item back only while no open one equals it, where a queue takes no duplicates', async () => {
    const { queue, item } = await itemInDoubt({ disallowDuplicate: true, duplicateScope: 'OPEN' });
    const [duplicate] = await queue.add(1);
    const refused = await resolve(queue, item, { answer: 'NOT_DONE' });
    expect([refused.status, refused.error.code]).toEqual([409, 'DUPLICATE']);
    await queue.owner.call.deleteWorkItem({ path: pathOf(queue, duplicate) });
    expect((await resolve(queue, item, { answer: 'NOT_DONE' })).status).toBe(200);
    expect(
      (
        await queue.owner.call.createWorkItems({
          path: queue.path,
          body: { workItems: [{ json: item.json ?? {} }] },
        })
      ).error.code,
    ).toBe('DUPLICATE');
  });
});

describe('updateWorkItem', () => {
  test('updateWorkItem answers the question of an item in doubt with a status', async () => {
    const done = await itemInDoubt();
    expect((await update(done.queue, done.item, { status: 'COMPLETE' })).body.status).toBe('COMPLETE');
    const partly = await itemInDoubt();
    expect((await update(partly.queue, partly.item, { status: 'FAILED' })).status).toBe(400);
    const answer = await update(partly.queue, partly.item, { status: 'FAILED', comment: 'pay by hand' });
    expect(answer.body).toMatchObject({ status: 'FAILED', failureKind: 'BUSINESS' });
  });

  test('updateWorkItem leaves the question open for an item sent back as it was read', async () => {
    const { queue, item, deviceId } = await itemInDoubt();
    const { body } = await update(queue, item, { ...item, priority: 9 });
    expect(body).toMatchObject({ status: 'FAILED', failureKind: 'IN_DOUBT', priority: 9 });
    expect((await read(queue, item)).doubt?.deviceId).toBe(deviceId);
  });

  test('updateWorkItem and restartWorkItem refuse to put an item aside, or to try it again, that may be done', async () => {
    const { queue, item } = await itemInDoubt();
    const refused = [
      await update(queue, item, { status: 'DEFERRED' }),
      await queue.owner.call.restartWorkItem({
        path: pathOf(queue, item),
        body: { version: item.version ?? 0 },
      }),
    ];
    for (const { status, error } of refused) {
      expect([status, error.code]).toEqual([409, 'STATUS_CONFLICT']);
      expect(error.message).toContain('Find out, then answer DONE, NOT_DONE or PARTLY');
    }
  });
});
