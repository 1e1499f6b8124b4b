import { readFileSync } from 'node:fs';
import type { Input } from '@millrace/api';
import { describe, expect, test } from 'vitest';
import { startApp } from '../testing/app.ts';
import { createQueue, eventually, type QueueFixture } from '../testing/fixtures.ts';

const app = await startApp();

type Query = Input<'createWorkItemsFromFile'>['query'];

function upload(queue: QueueFixture, text: string | Uint8Array, query: Query = {}) {
  const file = new Blob([text]);
  return queue.owner.call.createWorkItemsFromFile({ path: queue.path, query, body: { file } });
}

const reject = { onError: 'reject' } as const;

describe('createWorkItemsFromFile', () => {
  test('createWorkItemsFromFile makes an item of each row, with values of the types of the model', async () => {
    const queue = await createQueue(app);
    const { status, body } = await upload(
      queue,
      '\ufeffurgent,amount,customer,due\r\nTRUE,9007199254740993,"Doe, ""Jane""\nSmith",2026-03-01\r\n,,Joe,\r\nfalse,007,Zoë,2026-03-01T00:00:01Z\r\n',
    );
    expect([status, body]).toEqual([
      200,
      expect.objectContaining({ rows: 3, created: 3, rejected: 0, errors: [] }),
    ]);
    const items = await queue.claim(5);
    expect(items.map(({ json }) => json)).toEqual([
      { urgent: true, amount: 9007199254740993n, customer: 'Doe, "Jane"\nSmith', due: '2026-03-01' },
      { customer: 'Joe' },
      { urgent: false, amount: 7, customer: 'Zoë', due: '2026-03-01T00:00:01Z' },
    ]);
  });

  test('createWorkItemsFromFile creates items when they are stored: their ids are in the order of that time, which lists go by', async () => {
    const queue = await createQueue(app);
    await upload(queue, `customer\n${'Jane\n'.repeat(6100)}`);
    const rows = await app.sql<{ several: boolean; sorted: boolean }>(
      `select count(distinct created_on) > 1 as several, array_agg(id order by id) = array_agg(id order by created_on, id) as sorted
       from work_items where queue_id = $1`,
      [queue.id],
    );
    expect(rows).toEqual([{ several: true, sorted: true }]);
  });

  test('createWorkItemsFromFile creates nothing when a row is bad, and names row and column of each problem', async () => {
    const queue = await createQueue(app);
    const { status, error } = await upload(queue, 'customer,amount\nJane,5\n,6\nJoe,much\nJim,1,2\n', reject);
    expect(status).toBe(400);
    expect(error.message).toContain('Row 3, customer: is required');
    expect(error.details).toEqual([
      { row: 3, field: 'customer', message: 'is required' },
      { row: 4, field: 'amount', message: 'must be a number, not "much"' },
      {
        row: 5,
        message:
          'is ragged: it has 3 columns, the header has 2; a cell that holds the delimiter stands in quotes',
      },
    ]);
    expect(await queue.claim()).toEqual([]);
  });

  test('createWorkItemsFromFile numbers rows as a spreadsheet shows them, also after empty lines and cells of several lines', async () => {
    const queue = await createQueue(app, { disallowDuplicate: true });
    const cells = '\ncustomer,amount\r\n\r\n"Jane\nDoe",1\n\n\n';
    expect((await upload(queue, `${cells}Joe,much\n`, reject)).error.details?.[0]).toMatchObject({
      row: 7,
      field: 'amount',
    });
    expect((await upload(queue, `${cells}"Jane\nDoe",1\n`, reject)).error.details).toEqual([
      { row: 7, message: 'equals row 4' },
    ]);
    const [first] = await queue.add(5);
    expect((await upload(queue, `${cells}customer 5,5\n`, reject)).error.details).toEqual([
      { row: 7, itemId: first?.id, message: `equals item ${first?.id}` },
    ]);
  });

  test.each([
    ['its header', ','.repeat(3_000_000), 1],
    ['a row', `customer,amount\r\n"a,\n",1\r\n"b",${'"",'.repeat(2000)}\n`, 3],
  ])('createWorkItemsFromFile refuses a file with very many columns in %s', async (_, text, row) => {
    const queue = await createQueue(app);
    const { status, error } = await upload(queue, text);
    expect([status, error.message]).toEqual([
      400,
      `Row ${row}: has more than 1000 columns. Leave out those that stand for nothing. Nothing was created.`,
    ]);
  });

  test('createWorkItemsFromFile takes any number of commas in quotes, and says which column of the header has no name', async () => {
    const queue = await createQueue(app);
    expect((await upload(queue, `customer,amount\n"${',\n'.repeat(2000)}",1\n`)).status).toBe(200);
    const { error } = await upload(queue, 'customer,,amount\nJane,,1\n');
    expect(error.message).toContain('Row 1: has no name above column 2.');
  });

  test('createWorkItemsFromFile takes back the good rows of a long file that is bad at its end', async () => {
    const queue = await createQueue(app);
    const rows = Array.from({ length: 5000 }, (_, index) => `customer ${index},${index}`).join('\n');
    expect(
      (await upload(queue, `customer,amount\n${rows}\nlast,x\n`, reject)).error.details?.[0],
    ).toMatchObject({
      row: 5002,
      field: 'amount',
    });
    expect((await queue.owner.call.getQueueStats({ path: queue.path })).body.counts.NEW).toBe(0);
    expect((await upload(queue, `customer,amount\n${rows}\n`)).body).toMatchObject({ created: 5000 });
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
    [
      'with a row that is too short',
      'customer,amount\nJane\n',
      'Row 2: is ragged: it has 1 column, the header has 2. Nothing',
    ],
    [
      'with a comma for a point',
      'customer,amount\nJane,"1,5"\n',
      'must be a number, not "1,5": say by decimalSign whether a comma is the decimal sign',
    ],
  ] as const) {
    test(`createWorkItemsFromFile refuses a file ${what}`, async () => {
      const queue = await createQueue(app);
      const { status, error } = await upload(queue, text, reject);
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
      { encoding: 'utf-8' },
    );
    expect(status).toBe(400);
    expect(error.message).toContain('UTF-8');
  });

  test('createWorkItemsFromFile refuses duplicates by row where the queue takes none', async () => {
    const queue = await createQueue(app, { disallowDuplicate: true });
    const { status, error } = await upload(queue, 'customer\nJane\nJoe\nJane\n', reject);
    expect(status).toBe(409);
    expect(error.details).toEqual([{ row: 4, message: 'equals row 2' }]);
  });

  test('createWorkItemsFromFile calls ragged rows ragged, and no duplicates of each other, where the queue takes none', async () => {
    const queue = await createQueue(app, { disallowDuplicate: true });
    const { status, error } = await upload(queue, 'customer,amount\nJane\nJoe,1,2\nJim\n', reject);
    expect([status, error.code]).toEqual([400, 'INVALID_REQUEST']);
    const ragged = (row: number, has: string) => ({ row, message: `is ragged: it has ${has}` });
    expect(error.details).toEqual([
      ragged(2, '1 column, the header has 2'),
      ragged(3, '3 columns, the header has 2; a cell that holds the delimiter stands in quotes'),
      ragged(4, '1 column, the header has 2'),
    ]);
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

  test('createWorkItemsFromFile answers the same file with what became of it, unless it is wanted again', async () => {
    const queue = await createQueue(app);
    const text = 'customer,amount\nJane,1\n,2\n';
    const first = (await upload(queue, text)).body;
    expect((await upload(queue, text)).body).toEqual({ ...first, repeated: true });
    const third = await upload(queue, text, { again: true });
    const errors = first.errors?.map((one) => ({ ...one, itemId: expect.any(Number) as unknown }));
    expect(third.body).toEqual({
      ...first,
      errors,
      uploadId: expect.any(Number),
      batchId: expect.any(Number),
    });
    expect(third.body.uploadId).not.toBe(first.uploadId);
    const both = await Promise.all([upload(queue, `${text}x,3\n`), upload(queue, `${text}x,3\n`)]);
    expect(new Set(both.map(({ body }) => body.repeated === true))).toEqual(new Set([false, true]));
  });

  test('createWorkItemsFromFile refuses the same file read in another way, and names the upload to undo, unless it is wanted again', async () => {
    const queue = await createQueue(app);
    const text = 'customer,amount\nJane,1\n';
    const { uploadId = 0 } = (await upload(queue, text)).body;
    for (const more of [{}, { async: true }, { dryRun: true }, { onError: 'skip' as const }]) {
      const { status, error } = await upload(queue, text, { timeZone: 'Europe/Berlin', ...more });
      expect([status, error.code]).toEqual([409, 'STATUS_CONFLICT']);
      expect(error.message).toMatch(
        new RegExp(
          `as upload ${uploadId}, "items.csv" of .* by you\\. .*Undo upload ${uploadId} first, .*again=true`,
        ),
      );
      expect(error.details).toEqual([
        { queueId: queue.id, uploadId, message: expect.stringContaining(`upload ${uploadId}`) as string },
      ]);
    }
    expect((await queue.owner.call.getQueueStats({ path: queue.path })).body.counts.NEW).toBe(1);
    const berlin = { timeZone: 'Europe/Berlin' };
    expect((await upload(queue, text, { ...berlin, again: true })).body.created).toBe(1);
    expect((await upload(queue, text, berlin)).body).toMatchObject({ created: 1, repeated: true });
  });

  test('createWorkItemsFromFile with dryRun answers the same file with what became of it, and changes nothing', async () => {
    const queue = await createQueue(app);
    const text = 'customer\nJane\n';
    const first = (await upload(queue, text)).body;
    const trial = await upload(queue, text, { dryRun: true, expectedItems: 2 });
    expect(trial.body).toMatchObject({
      uploadId: first.uploadId,
      repeated: true,
      dryRun: true,
      matches: false,
    });
    const path = { ...queue.path, uploadId: Number(first.uploadId) };
    expect((await queue.owner.call.getUpload({ path })).body).not.toHaveProperty('expected');
    const again = await upload(queue, text, { dryRun: true, again: true });
    expect(again.body).toMatchObject({ created: 1, dryRun: true });
    expect(again.body).not.toHaveProperty('repeated');
  });

  test('createWorkItemsFromFile takes the same file read in another way when nothing of it is there', async () => {
    const queue = await createQueue(app);
    const path = { ...queue.path, uploadId: 0 };
    const text = 'customer;amount\nJane;1,5\n';
    const skipped = (await upload(queue, text, { onError: 'skip' })).body;
    expect([skipped.created, skipped.rejected]).toEqual([0, 1]);
    const failed = (await upload(queue, text)).body;
    expect([failed.created, failed.rejected]).toEqual([0, 1]);
    const comma = { decimalSign: 'COMMA' } as const;
    expect((await upload(queue, text, comma)).status).toBe(409);
    path.uploadId = Number(failed.uploadId);
    await queue.owner.call.undoUpload({ path, body: {} });
    expect((await upload(queue, text, comma)).body).toMatchObject({ created: 1, rejected: 0 });
  });

  test('createWorkItemsFromFile matches headers without case and spaces, or as they are mapped, and ignores others if told to', async () => {
    const queue = await createQueue(app);
    const text = 'CUSTOMER ;Amount due;Note;_Due_\nJane;1.234,5;x;1/3/2026 09:30\n';
    const refused = await upload(queue, text);
    expect(refused.status).toBe(400);
    expect(refused.error.details).toEqual([
      { row: 1, field: 'Amount due', message: expect.stringContaining('Map it to one of them') },
      { row: 1, field: 'Note', message: expect.stringContaining('extraColumns=IGNORE') },
    ]);
    const query = {
      mapping: '{"Amount due":"amount"}',
      extraColumns: 'IGNORE',
      decimalSign: 'COMMA',
      dateFormat: 'd/m/yyyy',
      timeZone: 'Europe/Berlin',
    } as const;
    expect((await upload(queue, text, query)).body).toMatchObject({ created: 1, delimiter: 'SEMICOLON' });
    const [item] = await queue.claim();
    expect(item?.json).toEqual({ customer: 'Jane', amount: 1234.5, due: '2026-03-01T08:30:00Z' });
    for (const [bad, message] of [
      [{ mapping: '{"Sum":"amount"}', extraColumns: 'IGNORE' }, 'Sum: is mapped and has no column'],
      [
        { mapping: '{"Amount due":"Amuont"}', extraColumns: 'IGNORE' },
        'Amount due: is mapped to "Amuont", which is no attribute of the model. Is amount meant?',
      ],
      [
        { mapping: '{"Amount due":"sum"}', extraColumns: 'IGNORE' },
        'Amount due: is mapped to "sum", which is no attribute of the model (customer, amount, due, urgent)',
      ],
      [{ mapping: 'amount' }, 'mapping is an object of JSON'],
      [{ timeZone: 'Mars' }, 'timeZone is no time zone'],
      [{ dateFormat: 'soon' }, 'dateFormat is made of'],
      [{ batchName: '  ' }, 'batchName must not be blank'],
    ] as const) {
      const { status, error } = await upload(queue, text, { ...bad, again: true });
      expect([status, error.message]).toEqual([400, expect.stringContaining(message)]);
    }
  });

  test('createWorkItemsFromFile reads a workbook as LibreOffice saves it, and says what an old one is', async () => {
    const queue = await createQueue(app);
    const fixture = (name: string) => readFileSync(new URL(`fixtures/${name}`, import.meta.url));
    const query = { extraColumns: 'IGNORE', timeZone: 'Europe/Berlin' } as const;
    expect((await upload(queue, fixture('german.xlsx'), query)).body).toMatchObject({
      created: 3,
      format: 'EXCEL',
      sheet: 'Offene Posten',
    });
    expect((await queue.claim(3)).map(({ json }) => json)).toEqual([
      { customer: 'Müller & Söhne', amount: 1234.5, due: '2026-03-01', urgent: true },
      { customer: 'Jäger "Bau"; GmbH', amount: -0.07, due: '2026-12-31', urgent: false },
      { customer: 'Straße\nzweite Zeile', amount: 2469, due: '1999-02-28' },
    ]);
    const { status, error } = await upload(queue, fixture('german.xls'));
    expect([status, error.message]).toEqual([400, expect.stringContaining('Excel 97 to 2003')]);
  });
});

test('createWorkItemsFromFile keeps all of a file or nothing when its session is ended in the middle', async () => {
  const queue = await createQueue(app, { disallowDuplicate: true });
  const rows = Array.from({ length: 60_000 }, (_, index) => `customer ${index},${index}`).join('\n');
  const uploading = upload(queue, `customer,amount\n${rows}\n`);
  let isOver = false;
  void uploading.then(() => (isOver = true));
  await eventually(
    () =>
      app.sql(`select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database()
        and pid <> pg_backend_pid() and query like '%json_to_recordset%key text%'`),
    ({ length }) => length > 0 || isOver,
  );
  const { status } = await uploading;
  const { counts } = (await queue.owner.call.getQueueStats({ path: queue.path })).body;
  // The server may have retried by itself.
  expect(counts.NEW).toBe(status === 200 ? 60_000 : 0);
  const next = (await upload(queue, 'customer,amount\ncustomer 1,1\n')).body;
  expect([next.created, next.duplicates]).toEqual(status === 200 ? [0, 1] : [1, 0]);
});

test('listUploads shows the files of a queue, newest first, with what became of them', async () => {
  const queue = await createQueue(app);
  const { owner, path } = queue;
  const ids: unknown[] = [];
  for (const text of ['customer\nJane\n', 'customer,amount\nJoe,much\n'])
    ids.unshift((await upload(queue, text)).body.uploadId);
  const { body } = await owner.call.listUploads({ path });
  expect([body.isMore, body.list.map(({ uploadId }) => uploadId)]).toEqual([false, ids]);
  expect(body.list[0]).toMatchObject({
    fileName: 'items.csv',
    fileBytes: 25,
    rows: 1,
    created: 0,
    rejected: 1,
    errors: [{ row: 2, column: 'amount' }],
    createdBy: owner.id,
  });
  const older = (await owner.call.listUploads({ path, query: { before: Number(ids[0]) } })).body;
  expect(older.list.map(({ uploadId }) => uploadId)).toEqual([ids[1]]);
});
