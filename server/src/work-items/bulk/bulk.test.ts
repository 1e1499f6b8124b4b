import pg from 'pg';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Schemas } from '@millrace/api';
import { startApp, type App } from '../../testing/app.ts';
import { createQueue, eventually, type QueueFixture, withoutNames } from '../../testing/fixtures.ts';
import { addTenant } from '../../testing/tenant.ts';

let app: App;

beforeAll(async () => {
  app = await startApp();
});

type Body = Schemas['BulkRequest'];

const bulk = (queue: QueueFixture, body: Body, call = queue.owner.call) =>
  call.updateWorkItemStatus({ path: queue.path, body });
const all = (field: string, value: unknown) => ({ operator: 'eq', field, value });
const everything = { operator: 'gt', field: 'id', value: 0 };
const list = async ({ owner, path }: QueueFixture) => (await owner.call.listWorkItems({ path })).body.list;
const read = async ({ owner, path }: QueueFixture, id: unknown) =>
  (await owner.call.getWorkItem({ path: { ...path, workItemId: id as number } })).body;
const counts = async ({ owner, path }: QueueFixture) =>
  (await owner.call.getQueueStats({ path })).body.counts;

function report(queue: QueueFixture, item: Schemas['WorkItem'] | undefined, members: object) {
  const results = [{ id: item?.id, version: item?.version, ...members }] as never;
  return queue.consumer.call.finishWorkItems({ path: queue.path, body: { results } });
}

const claimable = ['NEW', 'DEFERRED', 'FAILED', 'COMPLETE', 'IN_PROGRESS', 'in doubt'] as const;

/** A queue with one item of each kind; returns their ids by kind. */
async function queueOfAll(settings: Partial<Schemas['NewQueue']> = {}) {
  const queue = await createQueue(app, settings);
  const ids: Record<string, number> = {};
  const take = async (kind: string, amount: number) => {
    await queue.add(amount);
    const [item] = await queue.claim();
    ids[kind] = Number(item?.id);
    return item;
  };
  await report(queue, await take('FAILED', 3), { status: 'FAILED', failureKind: 'BUSINESS', error: 'no' });
  await report(queue, await take('COMPLETE', 4), { status: 'COMPLETE' });
  const unresolved = await take('in doubt', 6);
  const lease = { id: unresolved?.id, version: unresolved?.version, pointOfNoReturn: true } as never;
  await queue.consumer.call.heartbeatWorkItems({ path: queue.path, body: { leases: [lease] } });
  await app.sql('update work_items set lease_expires_on = now() where id = $1', [ids['in doubt']]);
  await eventually(
    () => read(queue, ids['in doubt']),
    ({ status }) => status === 'FAILED',
  );
  await take('IN_PROGRESS', 5);
  const [waiting, deferred] = await queue.add(1, 2);
  ids['NEW'] = Number(waiting?.id);
  ids['DEFERRED'] = Number(deferred?.id);
  expect((await bulk(queue, { action: 'DEFER', ids: [ids['DEFERRED']] })).body.changed).toBe(1);
  return { queue, ids };
}

describe('updateWorkItemStatus', () => {
  const cases: Readonly<Record<string, { body: Body; changes: readonly string[]; leaves?: string }>> = {
    RELEASE: { body: { action: 'RELEASE' }, changes: ['DEFERRED'], leaves: 'NEW' },
    RESTART: { body: { action: 'RESTART' }, changes: ['FAILED'] },
    'status NEW': { body: { status: 'NEW' }, changes: ['DEFERRED', 'FAILED'], leaves: 'NEW' },
    DEFER: { body: { action: 'DEFER', reason: 'later' }, changes: ['NEW', 'DEFERRED', 'FAILED'] },
    'status COMPLETE': { body: { status: 'COMPLETE' }, changes: ['NEW', 'DEFERRED', 'FAILED'] },
    FAIL: { body: { action: 'FAIL', reason: 'given up' }, changes: ['NEW', 'DEFERRED', 'FAILED'] },
    CANCEL: { body: { action: 'CANCEL' }, changes: ['IN_PROGRESS'] },
    EDIT: { body: { action: 'EDIT', json: { urgent: true } }, changes: ['NEW', 'DEFERRED', 'FAILED'] },
    SET_PRIORITY: { body: { action: 'SET_PRIORITY', priority: 9 }, changes: ['NEW', 'DEFERRED', 'FAILED'] },
    DELETE: { body: { action: 'DELETE' }, changes: ['NEW', 'DEFERRED', 'FAILED', 'COMPLETE', 'in doubt'] },
    RESOLVE: { body: { action: 'RESOLVE', answer: 'DONE' }, changes: ['in doubt'] },
  };

  for (const [name, { body, changes, leaves }] of Object.entries(cases)) {
    test(`updateWorkItemStatus ${name} counts in a trial what it then does, with a reason for each refusal`, async () => {
      const { queue, ids } = await queueOfAll();
      const before = await list(queue);
      const trial = await bulk(queue, { ...body, filter: everything, dryRun: true });
      expect(await list(queue)).toEqual(before);
      const { status, body: outcome } = await bulk(queue, { ...body, filter: everything });
      expect(status).toBe(200);
      expect(trial.body).toEqual({ ...outcome, dryRun: true, batchId: undefined });
      const unchanged = leaves ? 1 : 0;
      const refused = claimable.filter((kind) => !changes.includes(kind) && kind !== leaves);
      expect(outcome).toMatchObject({
        selected: 6,
        changed: changes.length,
        unchanged,
        refused: refused.length,
        isMore: false,
      });
      const refusedIds = outcome.refusals
        .map(({ id }) => id)
        .toSorted((one, other) => Number(one) - Number(other));
      expect(refusedIds).toEqual(
        refused.map((kind) => ids[kind]).toSorted((one = 0, other = 0) => one - other),
      );
      for (const { id, message } of outcome.refusals) expect(message).toContain(`tem ${id}`);
    });
  }

  test('updateWorkItemStatus does what one call for each item would, and says so in the timeline', async () => {
    const { queue, ids } = await queueOfAll();
    const reason = 'The ERP is back';
    await bulk(queue, { action: 'RESTART', ids: [ids['FAILED'] ?? 0], reason });
    expect(await read(queue, ids['FAILED'])).toMatchObject({ status: 'NEW', retryCount: 0, version: 3 });
    const path = { ...queue.path, workItemId: ids['FAILED'] ?? 0 };
    const { body } = await queue.owner.call.listWorkItemEvents({ path });
    expect(body.list.at(-1)).toMatchObject({
      operation: 'updateWorkItemStatus',
      actorName: 'owner',
      from: 'FAILED',
      to: 'NEW',
      reason,
      changes: { action: 'RESTART' },
    });
    expect((await counts(queue)).NEW).toBe(2);
    await bulk(queue, { action: 'EDIT', ids: [ids['NEW'] ?? 0], json: { urgent: true, amount: null } });
    expect((await read(queue, ids['NEW'])).json).toEqual({ customer: 'customer 1', urgent: true });
    await bulk(queue, { action: 'CANCEL', ids: [ids['IN_PROGRESS'] ?? 0], reason: 'stop' });
    expect(await read(queue, ids['IN_PROGRESS'])).toMatchObject({ cancelReason: 'stop', version: 1 });
    await bulk(queue, { action: 'DELETE', filter: all('status', 'COMPLETE'), reason: 'old' });
    const gone = { ...queue.path, workItemId: ids['COMPLETE'] ?? 0 };
    const { list: events } = (await queue.owner.call.listWorkItemEvents({ path: gone })).body;
    expect(events.at(-1)).toMatchObject({
      operation: 'updateWorkItemStatus',
      reason: 'old',
      changes: { json: {} },
    });
    expect(await counts(queue)).toMatchObject({ COMPLETE: 0 });
  });

  test('updateWorkItemStatus changes exactly what the filter selects', async () => {
    const queue = await createQueue(app);
    await queue.add(1, 20, 300, 4000);
    const filter = {
      operator: 'and',
      operands: [
        { operator: 'ge', field: 'col2', value: 20 },
        { operator: 'lt', field: 'col2', value: 4000 },
      ],
    };
    expect((await bulk(queue, { status: 'DEFERRED', filter })).body).toMatchObject({
      selected: 2,
      changed: 2,
    });
    expect((await list(queue)).map(({ status }) => status)).toEqual(['NEW', 'DEFERRED', 'DEFERRED', 'NEW']);
  });

  test('updateWorkItemStatus wakes consumers for what becomes claimable, at its place in the order', async () => {
    const queue = await createQueue(app, { workItemProcessingOrders: ['amount'] });
    await queue.add(5, 7);
    await bulk(queue, { action: 'DEFER', filter: everything });
    const claiming = queue.claim(1, { waitSeconds: 20 });
    await bulk(queue, { action: 'EDIT', json: { amount: 1 }, filter: all('col2', 7) });
    await bulk(queue, { action: 'RELEASE', filter: everything });
    expect((await claiming).map(({ json }) => json?.['amount'])).toEqual([1]);
  });

  test('updateWorkItemStatus refuses ids that are not in the queue, one by one', async () => {
    const [queue, other] = [await createQueue(app), await createQueue(app)];
    const [mine] = await queue.add(1);
    const [theirs] = await other.add(1);
    const ids = [Number(theirs?.id), 9007199254740993n, Number(mine?.id), Number(mine?.id)];
    const { body } = await bulk(queue, { action: 'DEFER', ids });
    expect(body).toMatchObject({ selected: 3, changed: 1, refused: 2 });
    expect(body.refusals.map(({ id, code }) => [id, code])).toEqual([
      [theirs?.id, 'NOT_FOUND'],
      [9007199254740993n, 'NOT_FOUND'],
    ]);
    expect((await read(other, theirs?.id)).status).toBe('NEW');
  });

  test.each<[string, Body, string]>([
    ['no items', { action: 'DEFER' }, 'by ids or by a filter'],
    ['an empty list of ids', { action: 'DEFER', ids: [] }, 'ids must not be empty'],
    ['too many ids', { action: 'DEFER', ids: Array.from({ length: 100_001 }, () => 1) }, '100000'],
    ['a filter that restricts nothing', { action: 'DELETE', filter: {} }, 'restricts nothing'],
    ['a filter on what it does not know', { action: 'DELETE', filter: all('colour', 1) }, 'colour'],
    ['an attribute that the model lacks', { action: 'EDIT', filter: everything, json: { x: 1 } }, 'json: x'],
    ['an action without its argument', { action: 'MOVE', filter: everything }, 'queueId is missing'],
    ['a member that does not go with it', { action: 'DELETE', filter: everything, priority: 1 }, 'priority'],
  ])('updateWorkItemStatus refuses %s, and changes nothing', async (_, body, message) => {
    const queue = await createQueue(app);
    const [item] = await queue.add(1);
    const { status, error } = await bulk(queue, body);
    expect([status, error.code]).toEqual([400, 'INVALID_REQUEST']);
    expect(error.message).toContain(message);
    expect(withoutNames(await read(queue, item?.id))).toEqual(item);
  });

  test('updateWorkItemStatus is for those who may repair, and hides the queue from others', async () => {
    const queue = await createQueue(app);
    const [item] = await queue.add(1);
    const participant = await app.user('participant');
    const path = { ...queue.path, userId: participant.id };
    await queue.owner.call.addQueueParticipant({ path: queue.path, body: { userId: path.userId } });
    const foreigner = await addTenant(app, 'other');
    const body: Body = { action: 'DELETE', filter: everything };
    const callers = [
      participant.call,
      queue.consumer.call,
      foreigner.call,
      (await app.user('stranger')).call,
    ];
    const statuses = [];
    for (const call of callers) statuses.push((await bulk(queue, body, call)).status);
    expect(statuses).toEqual([403, 403, 404, 404]);
    expect(withoutNames(await read(queue, item?.id))).toEqual(item);
  });

  test('updateWorkItemStatus does thousands of items in portions, and claims go on meanwhile', async () => {
    const queue = await createQueue(app);
    for (let turn = 0; turn < 3; turn += 1)
      await queue.add(...Array.from({ length: 900 }, (_, index) => turn * 1000 + index));
    const claims: Promise<Schemas['WorkItem'][]>[] = [];
    const deferring = bulk(queue, { action: 'DEFER', filter: all('status', 'NEW') });
    for (let turn = 0; turn < 30; turn += 1) claims.push(queue.claim(10));
    const late = queue.add(1, 2, 3);
    const claimed = (await Promise.all(claims)).flat();
    const { body } = await deferring;
    await late;
    const { DEFERRED, IN_PROGRESS, NEW } = await counts(queue);
    expect(IN_PROGRESS).toBe(claimed.length);
    expect(body).toMatchObject({ changed: DEFERRED, refused: 0, selected: DEFERRED });
    expect(DEFERRED + IN_PROGRESS + NEW).toBe(2703);
    // Each item present at the beginning of the call is deferred, or was claimed before the call came to it.
    expect(NEW).toBeLessThanOrEqual(3);
  });

  test('updateWorkItemStatus keeps what is unique: one of several comes back, the others are told who has', async () => {
    const queue = await createQueue(app, {
      disallowDuplicate: true,
      duplicateScope: 'OPEN',
      uniqueBy: ['customer'],
    });
    const ids: number[] = [];
    for (let turn = 0; turn < 3; turn += 1) {
      const [item] = await queue.add(7);
      ids.push(Number(item?.id));
      await bulk(queue, { action: 'FAIL', ids: [ids[turn] ?? 0] });
    }
    const body: Body = { action: 'RESTART', filter: everything };
    const trial = (await bulk(queue, { ...body, dryRun: true })).body;
    const outcome = (await bulk(queue, body)).body;
    expect(trial).toEqual({ ...outcome, dryRun: true, batchId: undefined });
    expect(outcome).toMatchObject({ changed: 1, refused: 2 });
    expect(outcome.refusals.map(({ code, message }) => [code, message.includes(`item ${ids[0]} `)])).toEqual([
      ['DUPLICATE', true],
      ['DUPLICATE', true],
    ]);
    const edit: Body = { action: 'EDIT', json: { customer: 'same' }, filter: everything };
    await queue.add(8);
    expect((await bulk(queue, { ...edit, dryRun: true })).body.changed).toBe(3);
    expect((await bulk(queue, edit)).body).toMatchObject({ changed: 3, refused: 1 });
  });

  test('updateWorkItemStatus ends with the right to it, and says how far it has come', async () => {
    const queue = await createQueue(app);
    const member = await app.user('fired');
    await queue.owner.call.addOrUpdateQueueMember({ path: { ...queue.path, userId: member.id }, body: {} });
    const items = await queue.add(...Array.from({ length: 1400 }, (_, index) => index));
    const client = new pg.Client(app.connection);
    await client.connect();
    await client.query('begin');
    await client.query('select from work_items where id = $1 for update', [items[700]?.id]);
    const deferring = bulk(queue, { action: 'DEFER', filter: everything }, member.call);
    await eventually(
      () => counts(queue),
      ({ DEFERRED }) => DEFERRED === 500,
    );
    await app.sql('delete from queue_members where queue_id = $1 and user_id = $2', [queue.id, member.id]);
    await client.query('commit');
    await client.end();
    const { status, error } = await deferring;
    expect([status, error.code]).toEqual([404, 'NOT_FOUND']);
    expect(error.message).toContain('Before that, 1000 items were changed.');
    expect(await counts(queue)).toMatchObject({ DEFERRED: 1000, NEW: 400 });
  });
});
