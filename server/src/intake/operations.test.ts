import { describe, expect, test } from 'vitest';
import { startApp } from '../testing/app.ts';
import { createQueue, type QueueFixture } from '../testing/fixtures.ts';

const app = await startApp();

function upload(queue: QueueFixture, text: string | Uint8Array) {
  const file = new Blob([text], { type: 'text/csv' });
  return queue.owner.call.createWorkItemsFromFile({ path: queue.path, body: { file } });
}

describe('createWorkItemsFromFile', () => {
  test('createWorkItemsFromFile makes an item of each row, with values of the types of the model', async () => {
    const queue = await createQueue(app);
    const { status, body } = await upload(
      queue,
      '\ufeffurgent,amount,customer,due\r\nTRUE,9007199254740993,"Doe, ""Jane""\nSmith",2026-03-01\r\n,,Joe,\r\nfalse,007,Zoë,2026-03-01T00:00:01Z\r\n',
    );
    expect([status, body]).toEqual([200, { created: 3 }]);
    const items = await queue.claim(5);
    expect(items.map(({ json }) => json)).toEqual([
      { urgent: true, amount: 9007199254740993n, customer: 'Doe, "Jane"\nSmith', due: '2026-03-01' },
      { customer: 'Joe' },
      { urgent: false, amount: 7, customer: 'Zoë', due: '2026-03-01T00:00:01Z' },
    ]);
  });

  test('createWorkItemsFromFile creates nothing when a row is bad, and names row and column of each problem', async () => {
    const queue = await createQueue(app);
    const { status, error } = await upload(queue, 'customer,amount\nJane,5\n,6\nJoe,much\nJim,1,2\n');
    expect(status).toBe(400);
    expect(error.message).toContain('Row 3, customer: is required');
    expect(error.details).toEqual([
      { row: 3, field: 'customer', message: 'is required' },
      { row: 4, field: 'amount', message: 'must be a number that a double can approximate, not "much"' },
      { row: 5, message: 'has 3 cells, the header has 2; a cell that holds a comma stands in quotes' },
    ]);
    expect(await queue.claim()).toEqual([]);
  });

  test('createWorkItemsFromFile numbers rows as a spreadsheet shows them, also after empty lines and cells of several lines', async () => {
    const queue = await createQueue(app, { disallowDuplicate: true });
    const cells = '\ncustomer,amount\r\n\r\n"Jane\nDoe",1\n\n\n';
    expect((await upload(queue, `${cells}Joe,much\n`)).error.details?.[0]).toMatchObject({
      row: 7,
      field: 'amount',
    });
    expect((await upload(queue, `${cells}"Jane\nDoe",1\n`)).error.details).toEqual([
      { row: 7, message: 'equals row 4' },
    ]);
    const [first] = await queue.add(5);
    expect((await upload(queue, `${cells}customer 5,5\n`)).error.details).toEqual([
      { row: 7, itemId: first?.id, message: `equals item ${first?.id}` },
    ]);
  });

  test('createWorkItemsFromFile knows a workbook of Excel, and says how to save it', async () => {
    const queue = await createQueue(app);
    for (const start of [
      [0x50, 0x4b, 3, 4],
      [0xd0, 0xcf, 0x11, 0xe0],
    ]) {
      const { status, error } = await upload(queue, new Uint8Array([...start, 0, 0xff]));
      expect([status, error.message]).toEqual([400, expect.stringContaining('Save it as "CSV UTF-8')]);
    }
  });

  test('createWorkItemsFromFile takes back the good rows of a long file that is bad at its end', async () => {
    const queue = await createQueue(app);
    const rows = Array.from({ length: 5000 }, (_, index) => `customer ${index},${index}`).join('\n');
    expect((await upload(queue, `customer,amount\n${rows}\nlast,x\n`)).error.details?.[0]).toMatchObject({
      row: 5002,
      field: 'amount',
    });
    expect((await queue.owner.call.getQueueStats({ path: queue.path })).body.counts.NEW).toBe(0);
    expect((await upload(queue, `customer,amount\n${rows}\n`)).body).toEqual({ created: 5000 });
    expect((await queue.owner.call.getQueueStats({ path: queue.path })).body.counts.NEW).toBe(5000);
  });

  for (const [what, text, message] of [
    ['without a required column', 'amount\n5\n', 'customer: is required and has no column'],
    [
      'with a column that the model lacks',
      'customer,amuont\na,5\n',
      'amuont: is not an attribute of the model',
    ],
    [
      'with a column that stands there twice',
      'customer,customer\na,b\n',
      'customer: stands in the header twice',
    ],
    ['with no rows', 'customer\n', 'no rows below its header'],
    ['with nothing in it', '', 'no rows below its header'],
    [
      'with a quote that is never closed',
      'customer\nJane\n\n"Joe\nJim\n',
      'Row 4: opens a quote that is never closed',
    ],
    [
      'with a quote inside a cell',
      'customer\nJane\nJoe "the" man\n',
      'Row 3: has a quote in the middle of a cell',
    ],
    ['with text behind a quote', 'customer\n"Joe" Doe\n', 'Row 2: goes on behind a quote that is closed'],
    ['with semicolons', 'customer;amount\nJane;5\n', 'Row 1: has semicolons between its columns'],
    ['with tabs', 'customer\tamount\nJane\t5\n', 'Row 1: has tabs between its columns'],
    [
      'with a row that is too short',
      'customer,amount\nJane\n',
      'Row 2: has 1 cell, the header has 2. Nothing',
    ],
    ['with a comma for a point', 'customer,amount\nJane,"1,5"\n', 'not "1,5"; write it with a point'],
  ] as const) {
    test(`createWorkItemsFromFile refuses a file ${what}`, async () => {
      const queue = await createQueue(app);
      const { status, error } = await upload(queue, text);
      expect(status).toBe(400);
      expect(error.message).toContain(message);
      expect(error.message).toContain('Nothing was created');
    });
  }

  test('createWorkItemsFromFile refuses bytes that are not UTF-8', async () => {
    const queue = await createQueue(app);
    const { status, error } = await upload(
      queue,
      new Uint8Array([...Buffer.from('customer\nJ'), 0xfc, 0x0a]),
    );
    expect(status).toBe(400);
    expect(error.message).toContain('UTF-8');
  });

  test('createWorkItemsFromFile refuses duplicates by row where the queue takes none', async () => {
    const queue = await createQueue(app, { disallowDuplicate: true });
    const { status, error } = await upload(queue, 'customer\nJane\nJoe\nJane\n');
    expect(status).toBe(409);
    expect(error.details).toEqual([{ row: 4, message: 'equals row 2' }]);
  });

  test('createWorkItemsFromFile refuses a body that is no form with a file', async () => {
    const queue = await createQueue(app);
    const url = `${app.url}/v4/wlm/queues/${queue.id}/file`;
    const headers = { 'x-authorization': queue.owner.token };
    const json = await fetch(url, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: '{}',
    });
    expect(json.status).toBe(415);
    const form = new FormData();
    form.append('note', 'no file');
    expect((await fetch(url, { method: 'POST', headers, body: form })).status).toBe(400);
  });

  test('createWorkItemsFromFile refuses a file that is too large, whole', async () => {
    const small = await startApp({ maxFileBytes: 1024 });
    const queue = await createQueue(small);
    const { status, error } = await upload(queue, `customer\n${'a\n'.repeat(1000)}`);
    expect([status, error.code]).toEqual([413, 'TOO_LARGE']);
  });
});
