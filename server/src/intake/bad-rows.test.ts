import type { Id, Input } from '@millrace/api';
import { describe, expect, test } from 'vitest';
import { startApp } from '../testing/app.ts';
import { createQueue, type QueueFixture } from '../testing/fixtures.ts';
import { startSealedApp } from '../testing/secrets.ts';

const app = await startApp();

type Query = Input<'createWorkItemsFromFile'>['query'];

function upload(queue: QueueFixture, text: string, query: Query = {}) {
  const body = { file: new Blob([text]) };
  return queue.owner.call.createWorkItemsFromFile({ path: queue.path, query, body });
}

const reject = { onError: 'reject' } as const;

describe('what is told of rows', () => {
  test('createWorkItemsFromFile makes failed items of bad rows, which a person corrects and restarts', async () => {
    const queue = await createQueue(app);
    const text = 'customer,amount,due\nJane,5,\n,6,\nJoe,much,01/02/2026\nJim,1\n';
    const { status, body } = await upload(queue, text);
    const itemId: unknown = expect.any(Number);
    expect([status, body]).toEqual([
      200,
      {
        uploadId: expect.any(Number),
        batchId: expect.any(Number),
        created: 1,
        rows: 4,
        rejected: 3,
        duplicates: 0,
        onError: 'dataError',
        format: 'CSV',
        delimiter: 'COMMA',
        encoding: 'utf-8',
        errors: [
          { row: 3, itemId, column: 'customer', field: 'customer', reason: 'is required' },
          { row: 4, itemId, column: 'amount', field: 'amount', value: 'much', reason: 'must be a number' },
          {
            row: 4,
            itemId,
            column: 'due',
            field: 'due',
            value: '01/02/2026',
            reason: expect.stringContaining('say which by dateFormat'),
          },
          { row: 5, itemId, value: 'Jim | 1', reason: 'is ragged: it has 2 columns, the header has 3' },
        ],
      },
    ]);
    const { list } = (
      await queue.owner.call.listWorkItems({
        path: queue.path,
        body: { filter: { operator: 'eq', field: 'failureKind', value: 'DATA_ERROR' } },
      })
    ).body;
    const joe = list.find(({ json }) => json?.['customer'] === 'Joe');
    expect((body.errors ?? []).map((one) => [one.row, one.itemId])).toEqual([
      [3, list.find(({ json }) => json?.['amount'] === 6)?.id],
      [4, joe?.id],
      [4, joe?.id],
      [5, list.find(({ error = '' }) => error.includes('is ragged'))?.id],
    ]);
    expect(joe).toMatchObject({
      status: 'FAILED',
      result: 'FAILURE',
      json: { customer: 'Joe' },
      error: expect.stringContaining('amount: must be a number; the file has "much".'),
    });
    const path = { ...queue.path, workItemId: Number(joe?.id) };
    const bad = list.find(({ json }) => json?.['amount'] === 6);
    const early = { ...queue.path, workItemId: Number(bad?.id) };
    const refused = await queue.owner.call.restartWorkItem({ path: early, body: { version: 0 } });
    expect([refused.status, refused.error.message]).toEqual([
      409,
      `The data of item ${bad?.id} do not fit the model: customer is required. Correct them first.`,
    ]);
    const all = { action: 'RESTART', filter: { operator: 'eq', field: 'status', value: 'FAILED' } } as const;
    const { body: bulk } = await queue.owner.call.updateWorkItemStatus({ path: queue.path, body: all });
    expect([bulk.changed, bulk.refused]).toEqual([1, 2]);
    const corrected = { id: Number(bad?.id), queueId: queue.id, version: 0, json: { customer: 'Ann' } };
    expect((await queue.owner.call.updateWorkItem({ path: early, body: corrected })).status).toBe(200);
    expect((await queue.owner.call.restartWorkItem({ path: early, body: { version: 1 } })).status).toBe(200);
    expect((await queue.owner.call.getWorkItem({ path })).body.status).toBe('NEW');
    expect(new Set((await queue.claim(5)).map(({ json }) => json?.['customer']))).toEqual(
      new Set(['Ann', 'Jane', 'Joe']),
    );
  });

  test('createWorkItemsFromFile skips bad rows and duplicates, and a dry run says so beforehand', async () => {
    const queue = await createQueue(app, { disallowDuplicate: true, uniqueBy: ['customer'] });
    const [first] = await queue.add(7);
    const text = 'customer,amount\nJane,1\nJane,2\ncustomer 7,3\n,4\nJoe,5\n';
    const trial = await upload(queue, text, { onError: 'skip', dryRun: true });
    expect((await queue.owner.call.getQueueStats({ path: queue.path })).body.counts).toMatchObject({
      NEW: 1,
      FAILED: 0,
    });
    const { uploadId, batchId: _, ...answer } = (await upload(queue, text, { onError: 'skip' })).body;
    expect(trial.body).toEqual({ ...answer, dryRun: true });
    expect(answer).toMatchObject({ rows: 5, created: 2, rejected: 1, duplicates: 2 });
    expect(answer.errors).toEqual([
      { row: 3, column: 'customer', field: 'customer', value: 'Jane', reason: 'equals row 2 in customer' },
      {
        row: 4,
        column: 'customer',
        field: 'customer',
        value: 'customer 7',
        itemId: first?.id,
        reason: `equals item ${first?.id} in customer`,
      },
      { row: 5, column: 'customer', field: 'customer', reason: 'is required' },
    ]);
    expect((await queue.claim(9)).map(({ json }) => json?.['amount'])).toEqual([7, 1, 5]);
    expect(uploadId).toBeGreaterThan(0);
  });

  test('createWorkItemsFromFile tells of rows that equal others together with those that do not fit, in the order of rows, when it refuses a file', async () => {
    const queue = await createQueue(app, { disallowDuplicate: true, uniqueBy: ['customer'] });
    const [first] = await queue.add(7);
    const text = 'Customer,amount\nJane,1\nJoe,much\nJane,2\ncustomer 7,little\nJoe,3\n,4\n';
    const { status, error } = await upload(queue, text, reject);
    expect([status, error.code]).toEqual([400, 'INVALID_REQUEST']);
    expect(error.details).toEqual([
      { row: 3, field: 'amount', message: 'must be a number, not "much"' },
      { row: 4, field: 'customer', message: 'equals row 2 in customer: "Jane"' },
      { row: 5, field: 'amount', message: 'must be a number, not "little"' },
      {
        row: 5,
        field: 'customer',
        itemId: first?.id,
        message: `equals item ${first?.id} in customer: "customer 7"`,
      },
      { row: 6, field: 'customer', message: 'equals row 3 in customer: "Joe"' },
      { row: 7, field: 'customer', message: 'is required' },
    ]);
    expect((await upload(queue, text, { ...reject, dryRun: true })).error.details).toEqual(error.details);
    expect((await queue.claim(9)).map(({ json }) => json?.['customer'])).toEqual(['customer 7']);
    // Refused rows have taken no keys.
    expect((await upload(queue, 'customer\nJane\nJoe\n', reject)).body).toMatchObject({ created: 2 });
  });

  test('createWorkItemsFromFile refuses a file of very many bad rows with the first hundred things that are wrong', async () => {
    const queue = await createQueue(app, { disallowDuplicate: true, uniqueBy: ['customer'] });
    const rows = Array.from(
      { length: 5000 },
      (_, index) => `c${Math.floor(index / 2)},${index % 2 ? 'x' : 1}`,
    );
    const { error } = await upload(queue, `customer,amount\n${rows.join('\n')}\n`, reject);
    expect(error.details).toHaveLength(100);
    expect(error.details?.slice(0, 3)).toEqual([
      { row: 3, field: 'amount', message: 'must be a number, not "x"' },
      { row: 3, field: 'customer', message: 'equals row 2 in customer: "c0"' },
      { row: 5, field: 'amount', message: 'must be a number, not "x"' },
    ]);
  });

  test('createWorkItemsFromFile names all columns in which a row equals another, and masks what is sensitive there', async () => {
    const sealed = await startSealedApp();
    const attributes = [
      { name: 'card', type: 'TEXT', sensitivity: 'SECRET' },
      { name: 'customer', type: 'TEXT' },
    ] as const;
    const model = await sealed.admin.createWorkItemModel({
      body: { name: 'Cards', attributes: [...attributes] },
    });
    const uniqueBy = ['customer', 'card'];
    const queue = await createQueue(sealed, {
      workItemModelId: Number(model.body.id),
      disallowDuplicate: true,
      uniqueBy,
    });
    const { body } = await upload(queue, 'Card,Customer\n4711,Jane\n4711,Jane\n', { onError: 'skip' });
    expect(body.errors).toEqual([
      {
        row: 3,
        column: 'Card, Customer',
        value: expect.not.stringContaining('4711'),
        reason: 'equals row 2 in customer, card',
      },
    ]);
    expect(body.errors?.[0]?.value).toContain('Jane');
  });

  test('getUpload and downloadUploadErrors name the item that was made of a row, whose id leads to it', async () => {
    const queue = await createQueue(app, { disallowDuplicate: true, uniqueBy: ['customer'] });
    const { body } = await upload(queue, 'customer,amount\nJane,1\nJane,2\nJoe,x\nJim,y\n');
    const place = { ...queue.path, uploadId: Number(body.uploadId) };
    const { errors = [] } = (await queue.owner.call.getUpload({ path: place })).body;
    const ids = errors.map(({ itemId }) => itemId);
    expect(errors.map(({ row, reason }) => [row, reason])).toEqual([
      [3, 'equals row 2 in customer'],
      [4, 'must be a number'],
      [5, 'must be a number'],
    ]);
    const itemOf = async (id: Id | undefined) =>
      (await queue.owner.call.getWorkItem({ path: { ...queue.path, workItemId: Number(id) } })).body;
    expect([ids[0], (await itemOf(ids[1])).json, (await itemOf(ids[2])).json]).toEqual([
      undefined,
      { customer: 'Joe' },
      { customer: 'Jim' },
    ]);
    const file = await queue.owner.call.downloadUploadErrors({ path: place });
    expect((await (file.body as unknown as Blob).text()).split('\r\n').slice(2, 4)).toEqual([
      `Joe,x,"amount: must be a number, not ""x""; it is item ${ids[1]}, which is FAILED"`,
      `Jim,y,"amount: must be a number, not ""y""; it is item ${ids[2]}, which is FAILED"`,
    ]);
  });
});
