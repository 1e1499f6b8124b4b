import pg from 'pg';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { App, Caller, TestUser } from '../testing/app.ts';
import { seal } from '../testing/audit.ts';
import { eventually } from '../testing/fixtures.ts';
import { keyFile } from '../testing/key-file.ts';
import { createCustomers, mask, startSealedApp, tablesWith } from '../testing/secrets.ts';

const sealingKeyFile = keyFile();
let app: App;
let runner: TestUser;
let auditor: TestUser;
beforeAll(async () => {
  app = await startSealedApp({ sealingKeyFile });
  runner = await app.user('runner', ['AAE_Bot Runner']);
  auditor = await app.user('auditor', ['AAE_Auditor']);
});

const bare = [
  { name: 'customer', type: 'TEXT', isRequired: false },
  { name: 'amount', type: 'NUMBER', isRequired: false },
  { name: 'score', type: 'NUMBER', isRequired: false },
] as const;
const marked = [
  { name: 'customer', sensitivity: 'PERSONAL' },
  { name: 'amount' },
  { name: 'score', sensitivity: 'PERSONAL' },
] as const;

type Customers = Awaited<ReturnType<typeof createCustomers>>;

async function change(queue: Customers, attributes: readonly object[]) {
  const path = { id: queue.modelId };
  const { version } = (await app.admin.getWorkItemModel({ path })).body;
  return app.admin.updateWorkItemModel({ path, body: { version, attributes } as never });
}

let writer: pg.Client | undefined;
/** From now on no item follows a change of its model: a transaction is open that may still write by the former model. */
async function hold(): Promise<void> {
  writer = new pg.Client(app.connection);
  await writer.connect();
  await writer.query('begin; select pg_current_xact_id()');
}
async function release(): Promise<void> {
  await writer?.end();
  writer = undefined;
}
afterEach(release);

const textOf = (body: unknown) => (body as Blob).text();

/** A queue with values in every place, as nothing is sensitive yet. */
async function fill() {
  const queue = await createCustomers(app, runner, {}, bare);
  const file = new Blob(['customer,amount,score\nCanary Row,x,Canary NaN\nCanary Row,1,2,3\n']);
  const { body: upload } = await app.admin.createWorkItemsFromFile({ path: queue.path, body: { file } });
  expect(upload).toMatchObject({ rejected: 2 });
  const [, gone] = await queue.add({ customer: 'Canary Kept' }, { customer: 'Canary Gone' });
  await app.admin.deleteWorkItem({ path: queue.itemPath(gone) });
  const [held] = await queue.claim();
  const lease = { id: held?.id as number, version: held?.version as number };
  const results = [{ ...lease, status: 'FAILED' as const, error: 'x', output: { customer: 'Canary Out' } }];
  await runner.call.finishWorkItems({ path: queue.path, body: { results } });
  await queue.add({ customer: 'Canary Waits' });
  return { queue, uploadId: Number(upload.uploadId), failed: held };
}

/** Everything that a queue shows to a user who may see it and has no right to its sensitive values. */
async function allOf({ queue, uploadId, failed }: Awaited<ReturnType<typeof fill>>, { call }: TestUser) {
  const { path } = queue;
  const item = queue.itemPath(failed);
  const ofUpload = { ...path, uploadId };
  const lists = await Promise.all([
    call.listWorkItems({ path, body: {} }),
    call.listWorkItems({ path, body: { fields: ['json', 'error'] } }),
    call.getWorkItem({ path: item }),
    call.listWorkItemEvents({ path: item }),
    call.listEvents({ query: { queueId: queue.id } }),
    call.listFailureClusters({ query: { queueId: queue.id } }),
    call.listUploads({ path }),
    call.getUpload({ path: ofUpload }),
    call.findWorkItems({ body: { text: 'Canary' } }),
  ]);
  const errors = await call.downloadUploadErrors({ path: ofUpload });
  const rows = errors.status === 200 ? await textOf(errors.body) : errors.error;
  const files: string[] = [];
  for (const format of ['CSV', 'NDJSON'] as const)
    files.push(await textOf((await call.exportWorkItems({ path, body: { format } })).body));
  return JSON.stringify([lists.map(({ body, error }) => [body, error]), files, rows]);
}

describe('while values are being encrypted', () => {
  it('updateWorkItemModel hides them at once from all who have no right to them, and the holder of an item has them', async () => {
    const filled = await fill();
    const { queue } = filled;
    expect(await allOf(filled, auditor)).toContain('Canary');
    await hold();
    expect((await change(queue, marked)).status).toBe(200);
    expect((await app.admin.getWorkItemModel({ path: { id: queue.modelId } })).body.unsealedItems).toBe(4);
    expect((await tablesWith(app, 'Canary')).length).toBeGreaterThan(0);
    expect(await allOf(filled, auditor)).not.toContain('Canary');
    const find = async (filter: object) => {
      const answer = await auditor.call.listWorkItems({ path: queue.path, body: { filter } as never });
      return answer.body.list.length;
    };
    expect(await find({ operator: 'substring', field: 'any', value: 'Canary' })).toBe(0);
    expect(await find({ operator: 'substring', field: 'error', value: 'Canary' })).toBe(0);
    expect(await find({ operator: 'substring', field: 'error', value: 'Row 2' })).toBe(1);
    const [held] = await queue.claim();
    expect(held?.json).toEqual({ customer: 'Canary Waits' });
    const path = queue.itemPath(held);
    expect((await auditor.call.getWorkItem({ path })).body.json).toEqual({ customer: mask });
    expect((await runner.call.getWorkItem({ path })).body.json).toEqual({ customer: 'Canary Waits' });
    await release();
    await eventually(
      () => tablesWith(app, 'Canary'),
      (tables) => tables.length === 0,
    );
    expect(await allOf(filled, auditor)).not.toContain('Canary');
    const body = { reason: 'a test' };
    const revealed = await app.admin.revealWorkItem({ path: queue.itemPath(filled.failed), body });
    expect(revealed.body.output).toEqual({ customer: 'Canary Out' });
  });

  it('exportAudit waits for them, also those of deleted queues, but for who has a right to them', async () => {
    const { queue } = await fill();
    await seal(app, sealingKeyFile);
    const take = async (caller: Caller) => {
      const answer = await caller.exportAudit({ body: {} });
      return { ...answer, text: answer.status === 200 ? await textOf(answer.body) : answer.error.message };
    };
    expect((await take(auditor.call)).text).toContain('Canary Gone');
    await hold();
    await change(queue, marked);
    const refused = await take(auditor.call);
    expect([refused.status, refused.text]).toEqual([
      409,
      expect.stringContaining(`queue ${queue.id} may still`),
    ]);
    expect(refused.headers.get('retry-after')).toBe('5');
    expect((await take(app.admin)).text).toContain('Canary Gone');
    for (const item of (await app.admin.listWorkItems({ path: queue.path })).body.list)
      await app.admin.deleteWorkItem({ path: queue.itemPath(item) });
    expect((await app.admin.deleteQueue({ path: queue.path })).status).toBe(204);
    expect((await take(auditor.call)).status).toBe(409);
    await release();
    const later = await eventually(
      () => take(auditor.call),
      ({ status }) => status === 200,
    );
    expect(later.text).not.toContain('Canary');
  });

  it('findWorkItems finds no values of an attribute that had the name of another one, and shows them of none', async () => {
    const before = [
      { name: 'customer', type: 'TEXT', isRequired: false },
      { name: 'phone', type: 'TEXT', isRequired: false },
    ] as const;
    const queue = await createCustomers(app, runner, { displayColumns: ['phone'] }, before);
    await queue.add({ phone: 'Bellweather 99' });
    const { body: model } = await app.admin.getWorkItemModel({ path: { id: queue.modelId } });
    const attributeId = model.attributes?.find(({ name }) => name === 'phone')?.id;
    const find = async () => (await auditor.call.findWorkItems({ body: { text: 'Bellweather' } })).body.list;
    expect(await find()).toMatchObject([{ field: 'phone', value: 'Bellweather 99' }]);
    await hold();
    const phone = { name: 'phone', type: 'TEXT', isRequired: false };
    const tel = { name: 'tel', id: attributeId };
    expect((await change(queue, [{ name: 'customer' }, tel])).status).toBe(200);
    expect((await change(queue, [{ name: 'customer' }, { name: 'tel' }, phone])).status).toBe(200);
    const { version } = (await app.admin.getQueue({ path: queue.path })).body;
    const shown = { version, displayColumns: ['phone'] } as never;
    expect((await app.admin.updateQueue({ path: queue.path, body: shown })).status).toBe(200);
    const sealing = [{ name: 'customer' }, { name: 'tel', sensitivity: 'PERSONAL' }, { name: 'phone' }];
    expect((await change(queue, sealing)).status).toBe(200);
    expect(await tablesWith(app, 'Bellweather')).not.toEqual([]);
    expect(await find()).toEqual([]);
    await release();
    await eventually(
      () => tablesWith(app, 'Bellweather'),
      (tables) => tables.length === 0,
    );
    await queue.add({ phone: 'Bellweather 11' });
    expect(await find()).toMatchObject([{ field: 'phone', value: 'Bellweather 11' }]);
  });

  it('updateWorkItemModel keeps an attribute that is sensitive until all of its values are encrypted', async () => {
    const queue = await createCustomers(app, runner, { displayColumns: ['amount'] }, bare);
    const [item] = await queue.add({ customer: 'Canary Leaver' });
    await hold();
    await change(queue, marked);
    const without = [{ name: 'amount' }, { name: 'score', sensitivity: 'PERSONAL' }];
    const early = await change(queue, without);
    expect([early.status, early.error.code]).toEqual([409, 'STATUS_CONFLICT']);
    expect(early.error.message).toContain('some may still have values of customer');
    await release();
    // Then it can be removed like any other: when no open item has a value of it.
    const late = await eventually(
      () => change(queue, without),
      ({ error }) => error.code !== 'STATUS_CONFLICT',
    );
    expect([late.status, late.error.code]).toEqual([409, 'IN_USE']);
    expect((await app.admin.deleteWorkItem({ path: queue.itemPath(item) })).status).toBe(204);
    const removed = await change(queue, without);
    expect(removed.status).toBe(200);
    const model = (await app.admin.getWorkItemModel({ path: { id: queue.modelId } })).body;
    expect(model.attributes?.map(({ name }) => name)).toEqual(['amount', 'score']);
    expect(await tablesWith(app, 'Canary Leaver')).toEqual([]);
  });

  it('updateWorkItem encrypts a value at once that is sent back masked before the job has come to it', async () => {
    const queue = await createCustomers(app, runner, {}, bare);
    const [item] = await queue.add({ customer: 'Canary Edit', amount: 1 });
    await hold();
    await change(queue, marked);
    const path = queue.itemPath(item);
    const read = (await app.admin.getWorkItem({ path })).body;
    const json = { ...read.json, amount: 2 };
    const body = { id: path.workItemId, queueId: queue.id, version: read.version, json };
    expect((await app.admin.updateWorkItem({ path, body: body as never })).status).toBe(200);
    expect(await tablesWith(app, 'Canary Edit')).toEqual([]);
  });
});

describe('what files have kept', () => {
  it('updateWorkItemModel takes the sums of attributes that become sensitive out of batches', async () => {
    const queue = await createCustomers(app, runner, {}, bare);
    const { path } = queue;
    const expected = { items: 1, sums: { score: 918273.25, amount: 5 } };
    const { body: batch } = await app.admin.createBatch({ path, body: { name: 'One', expected } });
    const workItems = [{ json: { score: 918273.25, amount: 5 } }];
    await app.admin.createWorkItems({ path, body: { batchId: Number(batch.id), workItems } });
    await change(queue, marked);
    const { body } = await app.admin.getBatch({ path: { ...path, batchId: Number(batch.id) } });
    expect(body).toMatchObject({ expected: { sums: { amount: 5 } }, sums: { amount: 5 }, matches: true });
    expect(await tablesWith(app, '918273')).not.toContain('batches');
  });

  it('downloadUploadErrors keeps rows from before a mark from all, and says to send the file again', async () => {
    const { queue, uploadId } = await fill();
    const path = { ...queue.path, uploadId };
    expect(await textOf((await app.admin.downloadUploadErrors({ path })).body)).toContain('Canary');
    await change(queue, marked);
    const { status, error } = await app.admin.downloadUploadErrors({ path });
    expect([status, error.message]).toEqual([404, expect.stringContaining('Send the file again')]);
    const { body } = await app.admin.getUpload({ path });
    expect(body.errors).toContainEqual({
      row: 2,
      itemId: expect.any(Number),
      column: 'amount',
      field: 'amount',
      value: 'x',
      reason: 'must be a number',
    });
    expect(body.errors).toContainEqual({
      row: 2,
      itemId: expect.any(Number),
      column: 'score',
      field: 'score',
      reason: 'does not fit; its values are not shown',
    });
  });
});

describe('queues that were deleted', () => {
  async function deleted() {
    const queue = await createCustomers(app, runner, {}, bare);
    const items = await queue.add({ customer: 'Canary Past' }, { customer: 'Canary Other' });
    for (const item of items) await app.admin.deleteWorkItem({ path: queue.itemPath(item) });
    expect((await app.admin.deleteQueue({ path: queue.path })).status).toBe(204);
    return { queue, query: { queueId: queue.id } };
  }

  it('updateWorkItemModel hides values in events of deleted queues at once, and encrypts them', async () => {
    const { queue, query } = await deleted();
    const read = async () => JSON.stringify((await auditor.call.listEvents({ query })).body);
    expect(await read()).toContain('Canary Past');
    await change(queue, marked);
    expect(await read()).not.toContain('Canary');
    await eventually(
      () => tablesWith(app, 'Canary Past'),
      (tables) => tables.length === 0,
    );
    const rows = `select changes ->> 'json' as json from events where queue_id = $1 and changes ->> 'json' is not null`;
    const before = await app.sql(rows, [queue.id]);
    await app.admin.rotateTenantKey();
    await eventually(
      () => app.sql<{ json: string }>(rows, [queue.id]),
      (after) => after.every(({ json }) => json.includes('"1.2.')) && after.length === before.length,
    );
  });

  it('eraseSensitiveValues erases in events of deleted queues, for who manages all queues', async () => {
    const { queue } = await deleted();
    await change(queue, marked);
    await eventually(
      () => tablesWith(app, 'Canary Past'),
      (tables) => tables.length === 0,
    );
    const body = { queueIds: [queue.id], attribute: 'customer', value: 'Canary Past', reason: 'a request' };
    const eraser = await app.user('eraser', [await role(['eraseSensitive', 'viewAllQueues'])]);
    expect((await eraser.call.eraseSensitiveValues({ body })).status).toBe(404);
    const tried = await app.admin.eraseSensitiveValues({ body: { ...body, dryRun: true } });
    expect(tried.body).toMatchObject({ items: 0, events: 1, queues: [{ queueId: queue.id }] });
    expect((await app.admin.eraseSensitiveValues({ body })).body).toMatchObject({ events: 1 });
    expect((await app.admin.eraseSensitiveValues({ body })).body).toMatchObject({ events: 0 });
    const sealed = await app.sql(
      `select from events where queue_id = $1 and changes -> 'json' -> 'customer' is not null`,
      [queue.id],
    );
    expect(sealed).toHaveLength(1);
  });

  const role = async (permissions: string[]) => {
    const name = permissions.join(' ');
    await app.admin.createRole({ body: { name, permissions } });
    return name;
  };
});

describe('outputs that pretend to be encrypted', () => {
  const forged = { $sealed: '1.1.AAAA', hash: '' };

  it('finishWorkItems refuses them, one report for itself, and updateWorkItem as well', async () => {
    const queue = await createCustomers(app, runner);
    await queue.add({ customer: 'Meier' }, { customer: 'Schmidt' });
    const [one, other] = await queue.claim(2);
    const report = (item: typeof one, output: object) => {
      return {
        id: item?.id as number,
        version: item?.version as number,
        status: 'COMPLETE' as const,
        output,
      };
    };
    const results = [report(one, { note: forged }), report(other, { note: 'fine' })];
    const { body } = await runner.call.finishWorkItems({ path: queue.path, body: { results } as never });
    expect(body.list).toMatchObject([{ error: { code: 'INVALID_REQUEST' } }, { status: 'COMPLETE' }]);
    const path = queue.itemPath(one);
    const again = { id: one?.id, queueId: queue.id, version: one?.version, output: { iban: forged } };
    for (const more of [{}, { status: 'COMPLETE' }]) {
      const answer = await runner.call.updateWorkItem({ path, body: { ...again, ...more } as never });
      expect([answer.status, answer.error.message]).toEqual([
        400,
        expect.stringContaining('has "iban" in the form'),
      ]);
    }
  });
});
