import type { Input } from '@millrace/api';
import { describe, expect, test } from 'vitest';
import { startApp } from '../testing/app.ts';
import { createQueue, eventually, type QueueFixture } from '../testing/fixtures.ts';

const app = await startApp();

type Query = Input<'createWorkItemsFromFile'>['query'];

const text = 'customer,amount\nJane,0.1\nJoe,0.2\n';

function upload(queue: QueueFixture, query: Query = {}, content = text) {
  const body = { file: new Blob([content]) };
  return queue.owner.call.createWorkItemsFromFile({ path: queue.path, query, body });
}

describe('control totals that are sent with a file once more', () => {
  test('createWorkItemsFromFile compares the same file with corrected control totals, and records them', async () => {
    const queue = await createQueue(app);
    const first = (await upload(queue, { expectedItems: 3, expectedSums: '{"amount":0.4}' })).body;
    expect(first).toMatchObject({ created: 2, matches: false });
    const right = await upload(queue, { expectedItems: 2, expectedSums: '{"amount":0.3}' });
    const { uploadId, batchId } = first;
    const totals = { expected: { items: 2, sums: { amount: 0.3 } }, sums: { amount: 0.3 }, matches: true };
    expect(right.body).toMatchObject({ uploadId, repeated: true, ...totals });
    const batch = await queue.owner.call.getBatch({ path: { ...queue.path, batchId: Number(batchId) } });
    expect(batch.body).toMatchObject({ received: 2, ...totals });
    const read = async () =>
      (
        await queue.owner.call.listEvents({
          query: { queueId: queue.id, operation: 'createWorkItemsFromFile' },
        })
      ).body.list.filter(({ itemId }) => itemId === undefined);
    expect((await read()).at(-1)).toMatchObject({
      batchId,
      changes: { uploadId, expected: totals.expected, matches: true },
    });
    const count = (await read()).length;
    // Totals that are repeated, or left out, change nothing.
    await upload(queue, { expectedItems: 2, expectedSums: '{"amount":0.3}' });
    expect((await upload(queue)).body).toMatchObject({ uploadId, repeated: true, ...totals });
    expect(await read()).toHaveLength(count);
  });

  test('createWorkItemsFromFile refuses corrected control totals that cannot be compared, or do not match, and says what became of the file', async () => {
    const queue = await createQueue(app);
    const onError = 'reject' as const;
    const first = (await upload(queue, { onError, expectedItems: 2 })).body;
    const unknown = await upload(queue, { onError, expectedSums: '{"amount":0.3}' });
    expect([unknown.status, unknown.error.message]).toEqual([
      409,
      expect.stringContaining(`was stored before, as upload ${first.uploadId}, without a sum of amount`),
    ]);
    const wrong = await upload(queue, { onError, expectedItems: 3 });
    expect([wrong.status, wrong.error.message]).toEqual([
      400,
      `The file does not match its control totals: expected {"items":3}, the file has {"items":2}. It was stored before, as upload ${first.uploadId}, which stays as it is.`,
    ]);
    const none = await upload(queue, { onError, expectedSums: '{"customer":1}' });
    expect(none.status).toBe(400);
    expect((await upload(queue, { onError })).body).toMatchObject({
      expected: { items: 2 },
      matches: true,
    });
  });

  test('createWorkItemsFromFile and createBatch take the sums of ten attributes, and refuse more', async () => {
    const names = Array.from({ length: 11 }, (_, index) => `amount ${index}`);
    const attributes = names.map((name) => ({ name, type: 'NUMBER' as const }));
    const model = await app.admin.createWorkItemModel({ body: { name: 'Sums', attributes } });
    const settings = { name: 'Sums', workItemModelId: Number(model.body.id) };
    const path = { id: Number((await app.admin.createQueue({ body: settings })).body.id) };
    const sumsOf = (count: number) => Object.fromEntries(names.slice(0, count).map((name) => [name, 3]));
    const content = `${names.join(',')}\n${names.map(() => 1).join(',')}\n${names.map(() => 2).join(',')}\n`;
    const send = (count: number) =>
      app.admin.createWorkItemsFromFile({
        path,
        query: { expectedSums: JSON.stringify(sumsOf(count)) },
        body: { file: new Blob([content]) },
      });
    const open = (count: number) =>
      app.admin.createBatch({ path, body: { name: `${count} sums`, expected: { sums: sumsOf(count) } } });
    expect((await send(10)).body).toMatchObject({ created: 2, sums: sumsOf(10), matches: true });
    const more = await send(11);
    expect([more.status, more.error.message]).toEqual([
      400,
      expect.stringContaining('of at most 10 attributes with their sums'),
    ]);
    expect([(await open(10)).status, (await open(11)).status]).toEqual([200, 400]);
    const none = await app.admin.createWorkItemsFromFile({
      path,
      query: { expectedSums: '{}', again: true },
      body: { file: new Blob([content]) },
    });
    expect(none.status).toBe(400);
  });

  test('createWorkItemsFromFile answers a file on its way when its control totals are the same, and refuses others until it is stored', async () => {
    const queue = await createQueue(app);
    const long = `customer,amount\n${'Jane,1\n'.repeat(60_000)}`;
    const right = { async: true, expectedItems: 60_000 };
    const { status, body } = await upload(queue, right, long);
    expect(status).toBe(202);
    const again = await upload(queue, right, long);
    expect(again.body).toMatchObject({ uploadId: body.uploadId, repeated: true });
    const path = { ...queue.path, uploadId: Number(body.uploadId) };
    const other = await upload(queue, { async: true, expectedItems: 1 }, long);
    const state = (await queue.owner.call.getUpload({ path })).body.state;
    // The file may have been stored by then.
    if (other.status === 409) expect(other.error.message).toContain('on its way already');
    else expect([state, other.body.matches]).toEqual(['STORED', false]);
    await eventually(
      () => queue.owner.call.getUpload({ path }),
      ({ body: { state: now } }) => now !== 'READING',
    );
    expect((await upload(queue, right, long)).body).toMatchObject({ matches: true });
  });
});

test('createWorkItemsFromFile gives a batch the times at which its rows began and ended to come in, and completeBatch one behind', async () => {
  const queue = await createQueue(app, { disallowDuplicate: true });
  const rows = Array.from({ length: 9000 }, (_, index) => `c${index}`);
  const { body } = await upload(queue, { onError: 'skip' }, `customer\n${rows.join('\n')}\n`);
  const path = { ...queue.path, batchId: Number(body.batchId) };
  const read = async () => (await queue.owner.call.getBatch({ path })).body;
  const { createdOn, closedOn } = await read();
  const [row] = await app.sql<{ ordered: boolean }>(
    `select b.created_on < b.closed_on and b.created_on > u.created_on as ordered
     from batches b join uploads u on u.batch_id = b.id and u.queue_id = b.queue_id where b.id = $1`,
    [path.batchId],
  );
  expect(row).toEqual({ ordered: true });
  expect(Date.parse(closedOn ?? '')).toBeGreaterThanOrEqual(Date.parse(createdOn ?? ''));
  await queue.owner.call.undoUpload({ path: { ...queue.path, uploadId: Number(body.uploadId) }, body: {} });
  const complete = await eventually(read, ({ completedOn }) => completedOn !== undefined);
  expect(Date.parse(complete.completedOn ?? '')).toBeGreaterThanOrEqual(Date.parse(closedOn ?? ''));
});

test('createWorkItemsFromFile with dryRun adds up the values that would come in, and takes none in', async () => {
  const queue = await createQueue(app);
  const totals = { expectedItems: 2, expectedSums: '{"amount":0.3}' };
  const tried = await upload(queue, { ...totals, dryRun: true });
  expect(tried.body).toMatchObject({ dryRun: true, created: 2, sums: { amount: 0.3 }, matches: true });
  const without = await upload(queue, { dryRun: true });
  expect(without.body).toMatchObject({ dryRun: true, created: 2 });
  expect(without.body.sums).toBeUndefined();
  expect((await queue.owner.call.getQueueStats({ path: queue.path })).body.counts.NEW).toBe(0);
});
