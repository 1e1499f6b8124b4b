import type { Input } from '@millrace/api';
import { describe, expect, test } from 'vitest';
import { startApp } from '../testing/app.ts';
import { createQueue, type QueueFixture } from '../testing/fixtures.ts';
import { errorOf } from './rows.rules.ts';
import { workbookOf } from './table/workbook.fixture.ts';

const app = await startApp();

type Query = Input<'createWorkItemsFromFile'>['query'];

function upload(queue: QueueFixture, file: string | Uint8Array<ArrayBuffer>, query: Query = {}) {
  const body = { file: new Blob([file]) };
  return queue.owner.call.createWorkItemsFromFile({ path: queue.path, query, body });
}

/** Sends a file whose part of the form has this heading. */
async function uploadAs(queue: QueueFixture, heading: string, row: number): Promise<number> {
  const { status } = await fetch(`${app.url}/v4/wlm/queues/${queue.id}/file`, {
    method: 'POST',
    headers: { 'x-authorization': queue.owner.token, 'content-type': 'multipart/form-data; boundary=x' },
    body: `--x\r\nContent-Disposition: form-data; name="file"; ${heading}\r\nContent-Type: application/octet-stream\r\n\r\ncustomer,amount\nJane ${row},much\n\r\n--x--\r\n`,
  });
  return status;
}

async function uploads(queue: QueueFixture) {
  const { status, body } = await queue.owner.call.listUploads({ path: queue.path });
  expect(status).toBe(200);
  return body.list;
}

const typed = (...texts: string[]) =>
  `<row>${texts.map((text) => `<c t="str"><v>${text}</v></c>`).join('')}</row>`;
const workbook = (...rows: string[]) => Uint8Array.from(workbookOf({ rows: rows.join('') }));

describe('createWorkItemsFromFile', () => {
  test('createWorkItemsFromFile tells of values with NUL and half characters so that listUploads can tell of them again', async () => {
    const queue = await createQueue(app);
    const file = workbook(
      typed('customer', 'amount'),
      typed('a_x0000_b', '1'),
      typed('Jane', '_x0000_n:{'),
      typed('Joe_xD800_', '_xD800_'),
    );
    const { status, body } = await upload(queue, file);
    expect([status, body.rejected]).toEqual([200, 3]);
    expect(body.errors?.map(({ value }) => value)).toEqual(['a␀b', '␀n:{', '\ufffd']);
    expect((await uploads(queue)).map(({ errors }) => errors)).toEqual([body.errors]);
    const { list } = (await queue.owner.call.listWorkItems({ path: queue.path })).body;
    expect(list.map(({ json }) => json?.['customer'])).toEqual([undefined, 'Jane', 'Joe\ufffd']);
  });

  test('previewFile, proposeWorkItemModel and downloadUploadErrors tell of a file with NUL in it', async () => {
    const queue = await createQueue(app);
    const { call } = queue.owner;
    const file = workbook(typed('customer', 'amount', '_x0000_n:1'), typed('Jane', 'a_x0000_b', 'x_x0000_'));
    const body = { file: new Blob([file]) };
    const preview = await call.previewFile({ path: queue.path, body });
    expect([preview.status, preview.body.columns.at(-1)?.name]).toEqual([200, '␀n:1']);
    expect(preview.body.rows[0]?.cells).toEqual(['Jane', 'a␀b', 'x␀']);
    expect((await call.proposeWorkItemModel({ body })).status).toBe(200);
    const stored = await upload(queue, file, { extraColumns: 'IGNORE', onError: 'skip' });
    const path = { ...queue.path, uploadId: Number(stored.body.uploadId) };
    expect((await call.getUpload({ path })).status).toBe(200);
    expect((await call.downloadUploadErrors({ path })).status).toBe(200);
  });

  test('createWorkItemsFromFile keeps a file whose name is missing, or cannot be printed', async () => {
    const queue = await createQueue(app);
    const headings = ['x="y"', "filename*=UTF-8''a%00b.csv", `filename="${'n'.repeat(5000)}.csv"`];
    for (const heading of headings)
      expect(await uploadAs(queue, heading, headings.indexOf(heading))).toBe(200);
    const names = (await uploads(queue)).map(({ fileName }) => fileName).toReversed();
    expect(names).toEqual(['file', 'a\ufffdb.csv', 'n'.repeat(255)]);
  });

  test.each<[string, string, Query, number]>([
    ['stands with each bad row', `a${'-'.repeat(900_000)}mount`, {}, 200],
    [
      'stands with each name that is mapped and missing',
      'x'.repeat(900_000),
      { mapping: JSON.stringify(Object.fromEntries(Array.from('abcdefghij', (name) => [name, 'amount']))) },
      400,
    ],
  ])('createWorkItemsFromFile cuts off the name of a column that %s', async (_, name, query, status) => {
    const queue = await createQueue(app);
    const rows = Array.from({ length: 10 }, () => 'Jane,much\n').join('');
    const answer = await upload(queue, `customer,${name}\n${rows}`, query);
    expect(answer.status).toBe(status);
    expect(JSON.stringify(answer.body).length).toBeLessThan(50_000);
  });
});

test('the error of an item that is made of a bad row is cut off behind a whole character', () => {
  const problems = Array.from({ length: 30 }, (_, index) => ({
    row: 1,
    field: `f${index}`,
    value: '😀'.repeat(300),
    reason: 'must be a number',
  }));
  const errors = ['', ' '].map((name) => errorOf(name, problems));
  expect(errors.map((error) => /\p{Surrogate}/u.test(error))).toEqual([false, false]);
  expect(errors.map(({ length }) => length)).toEqual([10_001, 10_001]);
});
