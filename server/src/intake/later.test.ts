import { describe, expect, onTestFinished, test } from 'vitest';
import { startApp } from '../testing/app.ts';
import { createQueue, eventually, type QueueFixture } from '../testing/fixtures.ts';

const app = await startApp();

const csv = (count: number) =>
  `customer,amount\n${Array.from({ length: count }, (_, index) => `customer ${index},${index}`).join('\n')}\n`;

async function begin(queue: QueueFixture, text: string, query = {}) {
  const file = new Blob([text]);
  const body = { file };
  return queue.owner.call.createWorkItemsFromFile({
    path: queue.path,
    query: { async: true, ...query },
    body,
  });
}

async function read(queue: QueueFixture, uploadId: unknown) {
  return (await queue.owner.call.getUpload({ path: { ...queue.path, uploadId: Number(uploadId) } })).body;
}

const ended = (queue: QueueFixture, uploadId: unknown) =>
  eventually(
    () => read(queue, uploadId),
    ({ state }) => state !== 'READING',
  );

/** The newest event of the queue itself, once it is about the end of the upload. */
async function lastEvent(queue: QueueFixture, uploadId: unknown) {
  const query = { queueId: queue.id, last: 20 };
  const look = async () => {
    const { list } = (await queue.owner.call.listEvents({ query })).body;
    const { operation, changes, on } = list.findLast(({ itemId }) => itemId === undefined) ?? {};
    return { told: { operation, ...changes }, on };
  };
  const isEnd = (told: object) => !('state' in told) || told.state !== 'READING';
  return eventually(look, ({ told }) => 'uploadId' in told && told.uploadId === uploadId && isEnd(told));
}

describe('createWorkItemsFromFile async', () => {
  test('createWorkItemsFromFile answers before it has stored the file, of which nothing can be claimed until all is there', async () => {
    const queue = await createQueue(app);
    const { status, body } = await begin(queue, csv(6000));
    expect([status, body]).toEqual([
      202,
      expect.objectContaining({ state: 'READING', created: 0, bytesRead: 0, fileBytes: csv(6000).length }),
    ]);
    const first = await eventually(
      () => queue.claim(1),
      ({ length }) => length > 0,
    );
    expect(first).toHaveLength(1);
    const upload = await read(queue, body.uploadId);
    expect(upload).toMatchObject({ state: 'STORED', rows: 6000, created: 6000, bytesRead: csv(6000).length });
    // Its time is the end of the transaction that stored the items, not the beginning.
    const [last] = await app.sql<{ on: Date }>(
      'select max(created_on) as on from work_items where queue_id = $1',
      [queue.id],
    );
    expect(Date.parse(upload.endedOn ?? '')).toBeGreaterThanOrEqual(last?.on.getTime() ?? Infinity);
    expect((await queue.owner.call.getQueueStats({ path: queue.path })).body.counts).toMatchObject({
      NEW: 5999,
      IN_PROGRESS: 1,
    });
    const event = await lastEvent(queue, body.uploadId);
    expect(event.told).toMatchObject({ operation: 'createWorkItemsFromFile', created: 6000 });
    expect(Date.parse(event.on ?? '')).toBeGreaterThanOrEqual(last?.on.getTime() ?? Infinity);
  });

  test('createWorkItemsFromFile says by getUpload and an event why a file was refused, of which nothing stays', async () => {
    const queue = await createQueue(app);
    const { body } = await begin(queue, `${csv(3000)}x,y\n`, { onError: 'reject' });
    const upload = await ended(queue, body.uploadId);
    expect(upload).toMatchObject({
      state: 'REFUSED',
      created: 0,
      refusal: { code: 'INVALID_REQUEST', details: [{ row: 3002, field: 'amount' }] },
    });
    expect((await lastEvent(queue, body.uploadId)).told).toMatchObject({ state: 'REFUSED' });
    expect((await queue.owner.call.getQueueStats({ path: queue.path })).body.counts.NEW).toBe(0);
    const place = { ...queue.path, uploadId: Number(body.uploadId) };
    expect((await queue.owner.call.undoUpload({ path: place, body: {} })).status).toBe(409);
  });

  test('createWorkItemsFromFile answers the same file with the upload that is on its way, or done', async () => {
    const queue = await createQueue(app);
    const { body } = await begin(queue, csv(4000));
    const other = await begin(queue, csv(4000));
    expect([other.status, other.body]).toEqual([
      200,
      expect.objectContaining({ uploadId: body.uploadId, repeated: true }),
    ]);
    await ended(queue, body.uploadId);
    expect((await begin(queue, csv(4000))).body).toMatchObject({
      state: 'STORED',
      created: 4000,
      repeated: true,
    });
    expect((await queue.owner.call.getQueueStats({ path: queue.path })).body.counts.NEW).toBe(4000);
  });

  test.each([
    ['a PDF', '%PDF-1.7\n', {}],
    ['a header without a required column', `amount\n${'5\n'.repeat(5000)}`, {}],
    ['a header alone', 'customer,amount\n', {}],
    ['nothing', '', {}],
    ['a value below no name', 'customer,\nJane,\nJoe,x\n', {}],
    ['a quote that is never closed', 'customer\nJane\n"Joe\n', {}],
    ['a sum of what is no number', csv(3), { expectedSums: '{"customer":1}' }],
    ['a time zone that is none', csv(3), { timeZone: 'Mars' }],
  ])(
    'createWorkItemsFromFile refuses at once what it can know from the beginning of a file, as without async: %s',
    async (_, text, query) => {
      const queue = await createQueue(app);
      const later = await begin(queue, text, query);
      const now = await begin(queue, text, { ...query, async: false });
      expect([later.status, later.error.code]).toEqual([400, 'INVALID_REQUEST']);
      expect(later.error).toEqual(now.error);
      expect((await queue.owner.call.listUploads({ path: queue.path })).body.list).toEqual([]);
    },
  );

  test('createWorkItemsFromFile tells the same sentence in the state of an upload where only the rest of the file shows what is wrong', async () => {
    const queue = await createQueue(app);
    const text = `${csv(5000)}"never closed\n`;
    const { status, body } = await begin(queue, text);
    expect(status).toBe(202);
    const upload = await ended(queue, body.uploadId);
    const now = await begin(queue, text, { async: false });
    expect([upload.state, upload.refusal]).toEqual(['REFUSED', now.error]);
  });

  test('createWorkItemsFromFile says by an event that a file is on its way, and by another that it is stored', async () => {
    const queue = await createQueue(app);
    const { body } = await begin(queue, csv(10));
    await lastEvent(queue, body.uploadId);
    const query = { queueId: queue.id, operation: 'createWorkItemsFromFile', last: 100 };
    const { list } = (await queue.owner.call.listEvents({ query })).body;
    const { uploadId } = body;
    const ofQueue = list.filter(({ itemId }) => itemId === undefined).map(({ changes }) => changes);
    expect(ofQueue).toEqual([
      { uploadId, fileName: expect.any(String), fileBytes: csv(10).length, state: 'READING' },
      expect.objectContaining({ uploadId, rows: 10, created: 10 }),
    ]);
  });

  test('createWorkItemsFromFile refuses a dry run that nobody could read the answer of', async () => {
    const queue = await createQueue(app);
    const { status, error } = await begin(queue, csv(1), { dryRun: true });
    expect([status, error.message]).toEqual([
      400,
      'dryRun goes without async: it stores nothing that could be read later.',
    ]);
  });

  test('createWorkItemsFromFile says that it was cut when its server is stopped, and leaves nothing', async () => {
    const queue = await createQueue(app);
    const other = await startApp({}, app.connection);
    onTestFinished(() => other.stop());
    const { token } = queue.owner;
    const file = new Blob([csv(20_000)]);
    const { body } = await other.as(token).createWorkItemsFromFile({
      path: queue.path,
      query: { async: true },
      body: { file },
    });
    await other.stop();
    const upload = await ended(queue, body.uploadId);
    const { NEW } = (await queue.owner.call.getQueueStats({ path: queue.path })).body.counts;
    // It may have been stored by then.
    expect([upload.state, NEW]).toEqual(upload.state === 'STORED' ? ['STORED', 20_000] : ['CUT', 0]);
    expect((await begin(queue, csv(20_000))).status).toBe(upload.state === 'STORED' ? 200 : 202);
  });
});

test('cutUploads says of an upload that it was cut when its server is heard of no more', async () => {
  const queue = await createQueue(app);
  const [row] = await app.sql<{ id: string }>(
    `insert into uploads (queue_id, file_name, file_bytes, file_hash, layout, on_error, read_rows, created, rejected, duplicates,
       problems, state, read_bytes, seen_on, created_by, created_on)
     values ($1, 'orders.csv', 9, 'x', '{}', 'skip', 4, 0, 0, 0, '[]', 'READING', 5, now() - interval '1 minute', 1, now())
     returning id`,
    [queue.id],
  );
  expect(await ended(queue, row?.id)).toMatchObject({
    state: 'CUT',
    bytesRead: 5,
    endedOn: expect.any(String),
  });
  expect((await lastEvent(queue, Number(row?.id))).told).toEqual({
    operation: 'cutUploads',
    uploadId: Number(row?.id),
    fileName: 'orders.csv',
    state: 'CUT',
  });
});
