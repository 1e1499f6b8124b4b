import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import * as functions from '../operations.ts';
import { startApp, type App } from '../testing/app.ts';
import { createQueue, eventually, type QueueFixture } from '../testing/fixtures.ts';
import { openStream } from '../testing/stream.ts';
import { takingFiles } from './file.ts';

/** As small as one of several processes: its reads share two connections, of which a tenant gets one. */
const app = await startApp({ databaseConnections: 4 }, undefined, {
  ...functions,
  createWorkItemsFromFile: takingFiles({ beatMs: 50 }),
});

/** Keeps files from being stored until the returned function is called: before their first row, or at the row of another table. */
async function holdFiles(of: App, table = 'batches'): Promise<() => Promise<void>> {
  const client = new pg.Client(of.connection);
  await client.connect();
  await client.query(`begin; lock table ${table} in share mode`);
  let ended: Promise<void> | undefined;
  const release = () => (ended ??= client.end());
  onTestFinished(release);
  return release;
}

/** The sessions of the database that wait for a lock. */
async function waiting(): Promise<number[]> {
  const rows = await app.sql<{ pid: number }>(
    `select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
  );
  return rows.map(({ pid }) => pid);
}

const isHeld = () => eventually(waiting, ({ length }) => length > 0);

type Owned = Pick<QueueFixture, 'id' | 'path' | 'owner'>;

async function send(queue: Owned, name: string, query: object = { async: true }) {
  const file = new Blob([`customer,amount\n${name},5\n`]);
  return queue.owner.call.createWorkItemsFromFile({ path: queue.path, query, body: { file } });
}

interface Row {
  readonly state: string;
  readonly seen: string;
  readonly refusal?: { readonly code: string; readonly message: string };
}

async function rowOf(uploadId: unknown): Promise<Row | undefined> {
  const [row] = await app.sql<Row & pg.QueryResultRow>(
    'select state, seen_on::text as seen, refusal from uploads where id = $1',
    [uploadId],
  );
  return row;
}

const ended = (uploadId: unknown) =>
  eventually(
    () => rowOf(uploadId),
    (row) => row !== undefined && row.state !== 'READING',
  );

test('createWorkItemsFromFile async is heard of while it stores, and keeps no read of its user waiting, also with few connections', async () => {
  const queue = await createQueue(app);
  const release = await holdFiles(app);
  const { body } = await send(queue, 'Jane');
  await isHeld();
  for (let beats = 0; beats < 3; beats += 1) {
    const before = await rowOf(body.uploadId);
    await eventually(
      () => rowOf(body.uploadId),
      (row) => row?.seen !== before?.seen,
    );
    expect((await queue.owner.call.listQueues()).status).toBe(200);
  }
  expect(await rowOf(body.uploadId)).toMatchObject({ state: 'READING' });
  await release();
  expect(await ended(body.uploadId)).toMatchObject({ state: 'STORED' });
});

test('streamEvents tells how far a file is before it is stored, to who may see its queue and asked for such events', async () => {
  const [queue, other] = [await createQueue(app), await createQueue(app)];
  const reader = (query: object, { token } = queue.owner) => openStream({ url: app.url, token }, query);
  const readers = [
    await reader({ queueId: queue.id }),
    await reader({
      queueIds: `${queue.id},${other.id}`,
      operation: 'createWorkItemsFromFile,claimWorkItems',
    }),
  ];
  const stranger = await app.user('stranger');
  const others = [
    await reader({ queueId: other.id }),
    await reader({ operation: 'finishWorkItems' }),
    await reader({ queueId: queue.id, batchId: 1 }),
    await reader({}, stranger),
  ];
  const release = await holdFiles(app, 'batch_tallies');
  const file = new Blob([`customer,amount\n${'Jane,5\n'.repeat(5000)}`]);
  const { body } = await queue.owner.call.createWorkItemsFromFile({
    path: queue.path,
    query: { async: true },
    body: { file },
  });
  const { uploadId } = body;
  const ends = readers.map((one) => one.until(({ changes }) => changes?.['created'] === 5000));
  for (const one of others.slice(1)) void one.next().catch(() => undefined);
  // All rows are read by then, and none is stored.
  for (const one of readers)
    await eventually(
      () => Promise.resolve(one.progress()),
      (list) => list.at(-1)?.rows === 5000,
    );
  expect(await rowOf(uploadId)).toMatchObject({ state: 'READING' });
  await release();
  await other.add(1);
  await others[0]?.until(({ queueId }) => queueId === other.id);
  for (const [index, events] of (await Promise.all(ends)).entries()) {
    expect(events.at(-1)?.changes).toMatchObject({ uploadId, rows: 5000 });
    const progress = readers[index]?.progress() ?? [];
    expect(progress.at(-1)).toEqual({
      ...{ uploadId, queueId: queue.id, queueName: expect.any(String), fileName: 'items.csv' },
      ...{ rows: 5000, bytesRead: file.size, fileBytes: file.size, createdBy: queue.owner.id },
    });
    expect(new Set(progress.map(({ rows, bytesRead }) => `${rows} ${bytesRead}`)).size).toBe(progress.length);
  }
  expect(others.map((one) => one.progress())).toEqual([[], [], [], []]);
});

test('createWorkItemsFromFile keeps no read of its user waiting while the call itself does', async () => {
  const queue = await createQueue(app);
  const release = await holdFiles(app);
  const sent = send(queue, 'Jane', {});
  await isHeld();
  expect((await queue.owner.call.listQueues()).status).toBe(200);
  await release();
  expect((await sent).body).toMatchObject({ created: 1 });
});

let leavers = 0;

/** A queue whose owner owns nothing else. */
async function queueOfLeaver(): Promise<Owned> {
  leavers += 1;
  const owner = await app.user(`leaver ${leavers}`);
  const attributes = [{ name: 'customer' }, { name: 'amount', type: 'NUMBER' as const }];
  const name = `Orders ${leavers}`;
  const { body: model } = await owner.call.createWorkItemModel({ body: { name, attributes } });
  const { body } = await owner.call.createQueue({ body: { name, workItemModelId: model.id as number } });
  return { id: Number(body.id), path: { id: Number(body.id) }, owner };
}

test.each([
  ['has logged out', ({ owner }: Owned) => owner.call.logOut()],
  ['is disabled', (queue: Owned) => app.admin.disableUser({ path: { id: queue.owner.id } })],
])('createWorkItemsFromFile stores what it has accepted, also when its sender %s', async (_, leave) => {
  const queue = await queueOfLeaver();
  const release = await holdFiles(app);
  const [first, second] = [await send(queue, 'Jane'), await send(queue, 'Joe')];
  expect([first.status, second.status]).toEqual([202, 202]);
  // The second waits for the first: it begins to be stored after its sender has gone.
  await isHeld();
  expect((await leave(queue)).status).toBeLessThan(300);
  expect((await queue.owner.call.listQueues()).status).toBe(401);
  await release();
  for (const { body } of [first, second])
    expect(await ended(body.uploadId)).toMatchObject({ state: 'STORED' });
  const [count] = await app.sql<{ items: string }>(
    'select count(*)::text as items from work_items where queue_id = $1',
    [queue.id],
  );
  expect(count).toEqual({ items: '2' });
});

test('createWorkItemsFromFile async tells what the database would not do, and what to do about it', async () => {
  const queue = await createQueue(app);
  await holdFiles(app);
  const { body } = await send(queue, 'Jane');
  // A chore may wait for the same lock: all that wait are cancelled until the file's turn has come.
  const refused = await eventually(
    async () => {
      for (const pid of await waiting()) await app.sql('select pg_cancel_backend($1)', [pid]);
      return rowOf(body.uploadId);
    },
    (row) => row !== undefined && row.state !== 'READING',
  );
  expect(refused).toMatchObject({
    state: 'REFUSED',
    refusal: { code: 'UNAVAILABLE', message: expect.stringContaining('took the database too long') },
  });
});
