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
      { row: 5, message: 'has 3 cells, the header has 2' },
    ]);
    expect(await queue.claim()).toEqual([]);
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
    ['with a quote that is never closed', 'customer\n"Jane\n', 'cannot be read as CSV'],
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
