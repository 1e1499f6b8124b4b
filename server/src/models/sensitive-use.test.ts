import { beforeAll, describe, expect, it } from 'vitest';
import { password, type App, type TestUser } from '../testing/app.ts';
import { eventually } from '../testing/fixtures.ts';
import { seal, verify } from '../testing/audit.ts';
import { keyFile } from '../testing/key-file.ts';
import { createCustomers, mask, startSealedApp, tablesWith } from '../testing/secrets.ts';

let app: App;
let runner: TestUser;
let adminToken: string;
beforeAll(async () => {
  app = await startSealedApp();
  runner = await app.user('runner', ['AAE_Bot Runner']);
  adminToken = (await app.as(undefined).logIn({ body: { username: 'admin', password } })).body.token;
});

const key = keyFile();

const upload = (queueId: number, text: string, query: object = {}) =>
  app.admin.createWorkItemsFromFile({
    path: { id: queueId },
    query,
    body: { file: new Blob([text]) },
  });

/** A call with a key, by HTTP. */
async function keyed(token: string, idempotencyKey: string, path: string, body: object) {
  const response = await fetch(`${app.url}/v4/wlm/queues/${path}`, {
    method: 'POST',
    headers: {
      'x-authorization': token,
      'idempotency-key': idempotencyKey,
      'content-type': 'application/json',
    },
    body: JSON.stringify(body),
  });
  const isReplayed = response.headers.get('idempotency-replayed') === 'true';
  return { status: response.status, isReplayed, text: await response.text() };
}

const modelDone = (modelId: number) =>
  eventually(
    async () => (await app.admin.getWorkItemModel({ path: { id: modelId } })).body,
    ({ unsealedItems }) => unsealedItems === undefined,
  );

describe('finding by sensitive values', () => {
  it('listWorkItems finds equal values however they are spelled, and refuses all other comparisons', async () => {
    const queue = await createCustomers(app, runner);
    await queue.add({ customer: 'Meier', score: 1.5 }, { customer: 'Schmidt' });
    const find = (filter: object, more: object = {}) =>
      app.admin.listWorkItems({ path: queue.path, body: { filter, ...more } as never });
    const names = async (filter: object) => (await find(filter)).body.list.length;
    expect(await names({ operator: 'eq', field: 'col1', value: 'Meier' })).toBe(1);
    expect(await names({ operator: 'eq', field: 'col1', value: 'meier' })).toBe(0);
    expect(await names({ operator: 'ne', field: 'col1', value: 'Meier' })).toBe(1);
    expect(await names({ operator: 'eq', field: 'col5', value: '1.50' })).toBe(1);
    expect(await names({ operator: 'substring', field: 'any', value: 'eier' })).toBe(0);
    for (const operator of ['substring', 'startsWith', 'lt', 'ge']) {
      const { status, error } = await find({ operator, field: 'col1', value: 'M' });
      expect(status, operator).toBe(400);
      expect(error.message).toContain('its values are encrypted, and are found by eq and ne only');
    }
    const sorted = await find({}, { sort: [{ field: 'col1' }] });
    expect(sorted.error.message).toContain('its values are encrypted, and order nothing');
  });

  it('listWorkItems finds them by an index, which has no value', async () => {
    const queue = await createCustomers(app, runner, { indexedColumns: ['customer', 'score'] });
    await queue.add({ customer: 'Canary Index', score: 998877.5 });
    const rows = await app.sql('select from work_item_values where queue_id = $1 and text is not null', [
      queue.id,
    ]);
    expect(rows).toHaveLength(2);
    expect(await tablesWith(app, 'Canary Index')).toEqual([]);
    expect(await tablesWith(app, '998877')).toEqual([]);
  });

  it('createWorkItems refuses duplicates by sensitive values, from calls and from files', async () => {
    const unique = { disallowDuplicate: true, uniqueBy: ['customer'] };
    const queue = await createCustomers(app, runner, unique);
    await queue.add({ customer: 'Canary Twin' });
    const workItems = [{ json: { customer: 'Canary Twin' } }];
    const again = await app.admin.createWorkItems({ path: queue.path, body: { workItems } });
    expect(again.status).toBe(409);
    const file = await upload(queue.id, 'customer\nCanary Twin\nCanary Other\n', { onError: 'skip' });
    expect(file.body).toMatchObject({ created: 1, duplicates: 1 });
    expect(await tablesWith(app, 'Canary Twin')).toEqual([]);
  });

  it('createQueue orders nothing by a sensitive attribute', async () => {
    const orders = { workItemProcessingOrders: ['customer'] };
    const { modelId } = await createCustomers(app, runner);
    const { status, error } = await app.admin.createQueue({
      body: { name: 'Ordered', workItemModelId: modelId, ...orders },
    });
    expect(status).toBe(400);
    expect(error.message).toContain('"customer", whose values are encrypted and order nothing');
  });
});

describe('files', () => {
  it('createWorkItemsFromFile encrypts good and bad rows, and keeps no value of those to correct', async () => {
    const queue = await createCustomers(app, runner);
    const text = 'customer,amount,score\nCanary File,1,2\nCanary Bad,x,3\nCanary Score,1,Canary NaN\n';
    const { body } = await upload(queue.id, text, { onError: 'dataError' });
    expect(body).toMatchObject({ created: 1, rejected: 2 });
    expect(JSON.stringify(body)).not.toContain('Canary');
    for (const canary of ['Canary File', 'Canary Bad', 'Canary NaN'])
      expect(await tablesWith(app, canary)).toEqual([]);
    const path = { ...queue.path, uploadId: Number(body.uploadId) };
    const errors = await app.admin.downloadUploadErrors({ path });
    const file = await (errors.body as unknown as Blob).text();
    expect(file).toContain('•••,x,•••');
    const again = await upload(queue.id, file.replace(',x,', ',1,'), { onError: 'skip' });
    expect(again.body).toMatchObject({ created: 0, rejected: 2 });
    expect(JSON.stringify(again.body)).toContain('is masked');
  });

  it('previewFile shows no value', async () => {
    const queue = await createCustomers(app, runner);
    const file = new Blob(['customer,amount\nCanary Preview,1\n']);
    const { body } = await app.admin.previewFile({ path: queue.path, body: { file } });
    expect(body.rows[0]).toMatchObject({ cells: ['•••', '1'], json: { customer: mask, amount: 1 } });
    expect(JSON.stringify(body)).not.toContain('Canary');
  });

  it.each(['CSV', 'NDJSON'] as const)(
    'exportWorkItems as %s shows values only if it is asked to',
    async (format) => {
      const queue = await createCustomers(app, runner);
      await queue.add({ customer: 'Canary Export', amount: 1 });
      const filter = { operator: 'eq', field: 'col1', value: 'Canary Export' };
      const read = async (body: object) => {
        const answer = await app.admin.exportWorkItems({
          path: queue.path,
          body: { format, filter, fields: ['json'], ...body } as never,
        });
        return (answer.body as unknown as Blob).text();
      };
      const masked = await read({});
      expect(masked).toContain('•••');
      expect(masked).not.toContain('Canary');
      expect(await read({ plain: true })).toContain('Canary Export');
      const query = { queueId: queue.id, operation: 'exportWorkItems' };
      // The feed waits for older transactions.
      await eventually(
        async () => (await app.admin.listEvents({ query })).body.list,
        (list) => list.filter(({ changes }) => changes?.['plain'] === true).length === 2,
      );
      expect(await tablesWith(app, 'Canary Export')).toEqual([]);
    },
  );

  it('exportWorkItems in plain needs the permission revealSensitive', async () => {
    const queue = await createCustomers(app, runner);
    const { status, error } = await runner.call.exportWorkItems({
      path: queue.path,
      body: { plain: true },
    });
    expect(status).toBe(403);
    expect(error.message).toContain('revealSensitive');
  });
});

describe('models in use', () => {
  const bare = [
    { name: 'customer', type: 'TEXT' },
    { name: 'amount', type: 'NUMBER', isRequired: false },
  ] as const;
  const change = async (id: number, attributes: readonly object[], more: object = {}) => {
    const { body: model } = await app.admin.getWorkItemModel({ path: { id } });
    return app.admin.updateWorkItemModel({
      path: { id },
      body: { version: model.version, attributes, ...more } as never,
    });
  };

  it('updateWorkItemModel encrypts what is there in the background, and opens it again', async () => {
    const unique = { disallowDuplicate: true, indexedColumns: ['customer'] };
    const queue = await createCustomers(app, runner, unique, bare);
    const [one, gone] = await queue.add({ customer: 'Canary Old' }, { customer: 'Canary Gone' });
    await app.admin.deleteWorkItem({ path: queue.itemPath(gone) });
    const path = queue.itemPath(one);
    const body = { id: one?.id, queueId: queue.id, version: 0, json: { customer: 'Canary Old', amount: 2 } };
    await app.admin.updateWorkItem({ path, body: body as never });
    const marked = [{ name: 'customer', sensitivity: 'PERSONAL' }, { name: 'amount' }];
    expect((await change(queue.modelId, marked, { dryRun: true })).status).toBe(200);
    expect((await change(queue.modelId, marked)).status).toBe(200);
    await modelDone(queue.modelId);
    expect(await tablesWith(app, 'Canary Old')).toEqual([]);
    expect(await tablesWith(app, 'Canary Gone')).toEqual([]);
    const workItems = [{ json: { customer: 'Canary Old', amount: 2 } }];
    expect((await app.admin.createWorkItems({ path: queue.path, body: { workItems } })).status).toBe(409);
    expect((await app.admin.getWorkItem({ path })).body.json).toEqual({ customer: mask, amount: 2 });
    const retyped = [{ name: 'customer', type: 'NUMBER' }, { name: 'amount' }];
    expect((await change(queue.modelId, retyped)).error.message).toContain('stays TEXT');
    await change(queue.modelId, [{ name: 'customer', sensitivity: 'NONE' }, { name: 'amount' }]);
    await modelDone(queue.modelId);
    expect((await app.admin.getWorkItem({ path })).body.json).toEqual({ customer: 'Canary Old', amount: 2 });
    expect((await app.admin.createWorkItems({ path: queue.path, body: { workItems } })).status).toBe(409);
  });

  it('updateWorkItemModel takes a mark away only for who may see the values', async () => {
    const maker = await app.user('maker');
    const { body: model } = await maker.call.createWorkItemModel({
      body: { name: 'Own', attributes: [{ name: 'x', sensitivity: 'SECRET' }] },
    });
    const { status, error } = await maker.call.updateWorkItemModel({
      path: { id: Number(model.id) },
      body: { version: 0, attributes: [{ name: 'x', sensitivity: 'NONE' }] } as never,
    });
    expect(status).toBe(403);
    expect(error.message).toContain('revealSensitive');
  });

  it('rotateTenantKey encrypts with a new key while values are read', async () => {
    const queue = await createCustomers(app, runner);
    const [item] = await queue.add({ customer: 'Meier' });
    const path = queue.itemPath(item);
    const body = { id: path.workItemId, queueId: queue.id, version: item?.version as number };
    await app.admin.updateWorkItem({ path, body: { ...body, json: { customer: 'Meier', amount: 1 } } });
    await seal(app, key);
    const { body: made } = await app.admin.rotateTenantKey();
    const reveal = async () =>
      (await app.admin.revealWorkItem({ path, body: { reason: 'a test' } })).body.json['customer'];
    expect(await reveal()).toBe('Meier');
    await modelDone(queue.modelId);
    expect(await reveal()).toBe('Meier');
    const [row] = await app.sql<{ sealed: string }>(
      `select json -> 'customer' ->> '$sealed' as sealed from work_item_data where item_id = $1`,
      [item?.id],
    );
    expect(row?.sealed).toMatch(new RegExp(`^1\\.${made.version}\\.`));
    const { problems, erased: rewritten } = await verify(app.admin);
    expect(problems).toEqual([]);
    expect(rewritten).toBeGreaterThan(0);
  });
});

describe('eraseSensitiveValues', () => {
  it('eraseSensitiveValues erases a person everywhere, while items, times and counts stay', async () => {
    const queue = await createCustomers(app, runner, { disallowDuplicate: true });
    await queue.add({ customer: 'Erased', iban: 'DE1', amount: 5 }, { customer: 'Other', amount: 6 });
    const [item] = await queue.claim();
    const lease = { id: item?.id as number, version: item?.version as number };
    const busy = { queueIds: [queue.id], attribute: 'customer', value: 'Erased', reason: 'request 9' };
    expect((await app.admin.eraseSensitiveValues({ body: busy })).body).toMatchObject({
      items: 0,
      inProgress: 1,
    });
    const report = {
      ...lease,
      status: 'FAILED' as const,
      error: 'Erased has no account',
      output: { note: 'Erased' },
    };
    await runner.call.finishWorkItems({ path: queue.path, body: { results: [report] } });
    await seal(app, key);
    const trial = await app.admin.eraseSensitiveValues({ body: { ...busy, dryRun: true } });
    expect(trial.body).toMatchObject({ dryRun: true, items: 1 });
    const path = queue.itemPath(item);
    expect((await app.admin.getWorkItem({ path })).body.error).toContain('Erased');
    expect((await app.admin.eraseSensitiveValues({ body: busy })).body).toMatchObject({
      items: 1,
      inProgress: 0,
    });
    const { body: erased } = await app.admin.getWorkItem({ path });
    expect(erased).toMatchObject({ status: 'FAILED', json: { amount: 5 } });
    expect([erased.error, erased.output, Object.keys(erased.json ?? {})]).toEqual([
      undefined,
      undefined,
      ['amount'],
    ]);
    expect(await tablesWith(app, 'Erased')).toEqual([]);
    expect(await verify(app.admin)).toMatchObject({ problems: [], erased: expect.any(Number) });
    const { body: events } = await app.admin.listWorkItemEvents({ path });
    expect(events.list.at(-1)).toMatchObject({ operation: 'eraseSensitiveValues', reason: 'request 9' });
    const { body: rest } = await app.admin.listWorkItems({ path: queue.path });
    expect(rest.list).toHaveLength(2);
    expect((await app.admin.getQueueStats({ path: queue.path })).body).toMatchObject({
      counts: { FAILED: 1 },
    });
    await queue.add({ customer: 'Erased', iban: 'DE1', amount: 5 });
  });

  it('eraseSensitiveValues finds a value that an item had before', async () => {
    const queue = await createCustomers(app, runner);
    const [item] = await queue.add({ customer: 'Somebody' });
    const path = queue.itemPath(item);
    const update = async (version: number, customer: string) =>
      app.admin.updateWorkItem({
        path,
        body: { id: item?.id, queueId: queue.id, version, json: { customer } } as never,
      });
    await update(0, 'Former');
    await update(1, 'Somebody');
    const body = { queueIds: [queue.id], attribute: 'customer', value: 'Former', reason: 'a request' };
    expect((await app.admin.eraseSensitiveValues({ body })).body).toMatchObject({ items: 0, events: 2 });
    expect((await app.admin.eraseSensitiveValues({ body })).body).toMatchObject({ items: 0, events: 0 });
  });

  it('eraseSensitiveValues refuses what it cannot find by, and who may not', async () => {
    const queue = await createCustomers(app, runner);
    const body = { queueIds: [queue.id], attribute: 'amount', value: 5, reason: 'a request' };
    const { error } = await app.admin.eraseSensitiveValues({ body });
    expect(error.message).toContain('they are customer, iban, born, score');
    expect((await runner.call.eraseSensitiveValues({ body })).status).toBe(403);
  });
});

describe('what is left of sensitive values elsewhere', () => {
  const erase = (queueId: number, value: string) =>
    app.admin.eraseSensitiveValues({
      body: { queueIds: [queueId], attribute: 'customer', value, reason: 'request 9' },
    });

  it('eraseSensitiveValues leaves no answer with a value, and revealWorkItem is done anew with each key', async () => {
    const queue = await createCustomers(app, runner);
    const [item] = await queue.add({ customer: 'Canary Kept' });
    const reveal = () =>
      keyed(adminToken, 'reveal-1', `${queue.id}/workitems/${item?.id}/reveal`, { reason: 'a test' });
    expect((await reveal()).text).toContain('Canary Kept');
    expect(await reveal()).toMatchObject({ status: 200, isReplayed: false });
    const path = queue.itemPath(item);
    const { body: events } = await app.admin.listWorkItemEvents({ path });
    expect(events.list.filter(({ operation }) => operation === 'revealWorkItem')).toHaveLength(2);
    const claim = () => keyed(runner.token, 'claim-1', `${queue.id}/workitems/claim`, { count: 1 });
    expect((await claim()).text).toContain('Canary Kept');
    expect(await claim()).toMatchObject({ status: 200, isReplayed: true });
    const { body: busy } = await app.admin.getWorkItem({ path });
    const report = { id: path.workItemId, version: Number(busy.version), status: 'COMPLETE' as const };
    await runner.call.finishWorkItems({ path: queue.path, body: { results: [report] } });
    expect((await erase(queue.id, 'Canary Kept')).body).toMatchObject({ items: 1 });
    expect((await reveal()).text).not.toContain('Canary');
    expect((await claim()).text).not.toContain('Canary');
    const kept = await app.sql(`select from idempotency_keys where answer ->> '$sealed' is not null`);
    expect(kept).toEqual([]);
  });

  it('updateWorkItemModel leaves no answer in plain of calls before a mark', async () => {
    const attributes = [{ name: 'customer', type: 'TEXT' }] as const;
    const queue = await createCustomers(app, runner, {}, attributes);
    const workItems = [{ json: { customer: 'Canary Before' } }];
    const create = () => keyed(adminToken, 'create-1', `${queue.id}/workitems`, { workItems });
    expect((await create()).text).toContain('Canary Before');
    await app.admin.updateWorkItemModel({
      path: { id: queue.modelId },
      body: { version: 0, attributes: [{ name: 'customer', sensitivity: 'PERSONAL' }] } as never,
    });
    await modelDone(queue.modelId);
    expect(await tablesWith(app, 'Canary Before')).toEqual([]);
    const again = await create();
    expect(again.status).toBe(409);
    expect(again.text).toContain('whose answer was erased');
    const { body } = await app.admin.listWorkItems({ path: queue.path });
    expect(body.list).toHaveLength(1);
  });

  it('eraseSensitiveValues erases late reports, names of bulk actions and notes about former failures', async () => {
    const queue = await createCustomers(app, runner);
    await queue.add({ customer: 'Sparrow Trace' });
    const [item] = await queue.claim();
    const lease = { id: Number(item?.id), version: Number(item?.version) };
    const finish = (report: object) =>
      runner.call.finishWorkItems({ path: queue.path, body: { results: [report as never] } });
    await finish({ ...lease, status: 'FAILED', failureKind: 'BUSINESS', error: 'Mr Sparrow has no account' });
    await finish({ ...lease, status: 'COMPLETE', reason: 'Sparrow again', tags: ['Sparrow'] });
    const cause = { signature: 'Mr Sparrow has no account', failureKind: 'BUSINESS' } as const;
    await app.admin.noteFailureCluster({ path: queue.path, body: { ...cause, note: 'ask Sparrow' } });
    expect(await tablesWith(app, 'ask Sparrow')).toEqual(['events', 'failure_notes']);
    for (const reason of ['Sparrow is back', 'and Sparrow'])
      await app.admin.updateWorkItemStatus({
        path: queue.path,
        body: { action: reason.startsWith('and') ? 'DEFER' : 'RESTART', ids: [lease.id], reason },
      });
    // Of its first failure, the item itself knows no more than its events do.
    await app.sql('update work_items set remedy_id = null where id = $1', [lease.id]);
    await seal(app, key);
    expect((await erase(queue.id, 'Sparrow Trace')).body).toMatchObject({ items: 1 });
    expect(await tablesWith(app, 'Sparrow')).toEqual([]);
    expect(await verify(app.admin)).toMatchObject({ problems: [] });
    const names = await app.sql('select name from batches where queue_id = $1', [queue.id]);
    expect(names).toEqual([{ name: 'updateWorkItemStatus' }, { name: 'updateWorkItemStatus' }]);
  });

  it('exportWorkItems has no value of a record on record, marked or not', async () => {
    const attributes = [{ name: 'customer', type: 'TEXT' }] as const;
    const queue = await createCustomers(app, runner, {}, attributes);
    const operands = ['col1', 'any'].map((field) => {
      return { operator: field === 'any' ? 'substring' : 'eq', field, value: 'Canary Filter' };
    });
    const body = { filter: { operator: 'or', operands } } as const;
    const answer = await app.admin.exportWorkItems({ path: queue.path, body });
    await (answer.body as unknown as Blob).text();
    expect(await tablesWith(app, 'Canary Filter')).toEqual([]);
  });
});
