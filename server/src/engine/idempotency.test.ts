import { createHash } from 'node:crypto';
import { operations, stringifyJson, type OperationId, type Schemas } from '@millrace/api';
import { describe, expect, test } from 'vitest';
import { password, startApp, type App } from '../testing/app.ts';
import { atEnd } from '../testing/endings.ts';
import { createQueue, type QueueFixture } from '../testing/fixtures.ts';
import { openPool, transaction } from './db.ts';
import { forgetIdempotencyKeys } from './forget-keys.ts';
import { keyless } from '../testing/keyless.ts';
import { createCustomers, newMasterKey } from '../testing/secrets.ts';
import { requestHash } from './idempotency.ts';

const app = await startApp();
const pool = openPool(app.connection, 1);
atEnd(() => pool.end());
const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

interface Sent {
  readonly path?: string;
  readonly method?: string;
  readonly body?: unknown;
  readonly key: string;
  readonly token: string;
}

async function call({ path = '', method = 'POST', body, key, token }: Sent, { url }: Pick<App, 'url'> = app) {
  const response = await fetch(`${url}/v4/wlm/${path}`, {
    method,
    headers: { 'x-authorization': token, 'idempotency-key': key, 'content-type': 'application/json' },
    ...(body !== undefined && { body: stringifyJson(body) }),
  });
  const text = await response.text();
  const isReplayed = response.headers.get('idempotency-replayed') === 'true';
  return {
    status: response.status,
    isReplayed,
    text,
    error: (text ? JSON.parse(text) : {}) as Schemas['Error'],
  };
}

let keys = 0;
const newKey = () => `key-${++keys}`;

function create(queue: QueueFixture, amounts: readonly number[], key: string, token = queue.owner.token) {
  const workItems = amounts.map((amount) => ({ json: { customer: `customer ${amount}`, amount } }));
  return call({ path: `queues/${queue.id}/workitems`, body: { workItems }, key, token });
}

const countOf = async (queue: QueueFixture) =>
  (await queue.owner.call.getQueueStats({ path: queue.path })).body.counts.NEW;

describe('Idempotency-Key', () => {
  test('createWorkItems with the same key and body answers the first time again, and creates nothing', async () => {
    const queue = await createQueue(app);
    const key = newKey();
    const [first, second] = [await create(queue, [1, 2], key), await create(queue, [1, 2], key)];
    expect([first.status, first.isReplayed, second.status, second.isReplayed]).toEqual([
      200,
      false,
      200,
      true,
    ]);
    expect(JSON.parse(second.text)).toEqual(JSON.parse(first.text));
    expect(await countOf(queue)).toBe(2);
  });

  test('createWorkItems with the key of another body, queue or operation is refused, and with another key or user it is done', async () => {
    const [queue, other] = [await createQueue(app), await createQueue(app)];
    const key = newKey();
    await create(queue, [1], key);
    expect(await create(queue, [2], key)).toMatchObject({ status: 409, error: { code: 'KEY_REUSED' } });
    expect(await create(other, [1], key)).toMatchObject({ status: 409, error: { code: 'KEY_REUSED' } });
    const pause = { path: `queues/${queue.id}/pause`, body: { reason: 'x' }, key, token: queue.owner.token };
    expect(await call(pause)).toMatchObject({ status: 409, error: { code: 'KEY_REUSED' } });
    expect((await create(queue, [1], newKey())).isReplayed).toBe(false);
    const member = await app.user(`member ${keys}`);
    await queue.owner.call.addOrUpdateQueueMember({
      path: { ...queue.path, userId: member.id },
      body: { role: 'MEMBER' },
    });
    expect(await create(queue, [1], key, member.token)).toMatchObject({ status: 200, isReplayed: false });
    expect(await countOf(queue)).toBe(3);
  });

  test('createWorkItems of many calls at once with one key is done once, whether they share a transaction or not', async () => {
    const queue = await createQueue(app);
    const key = newKey();
    const answers = await Promise.all(Array.from({ length: 12 }, () => create(queue, [1], key)));
    const done = answers.filter(({ status }) => status === 200);
    const busy = answers.filter(({ error }) => error.code === 'KEY_IN_USE');
    expect(done.length).toBeGreaterThan(0);
    expect(done.length + busy.length).toBe(answers.length);
    expect(done.filter(({ isReplayed }) => !isReplayed).length).toBe(1);
    expect(await countOf(queue)).toBe(1);
    expect(await create(queue, [1], key)).toMatchObject({ status: 200, isReplayed: true });
  });

  test('createWorkItems that was refused keeps nothing: with the same key and a better body it is done', async () => {
    const queue = await createQueue(app, { disallowDuplicate: true });
    const key = newKey();
    await queue.add(1);
    expect((await create(queue, [1], key)).error.code).toBe('DUPLICATE');
    expect(await create(queue, [2], key)).toMatchObject({ status: 200, isReplayed: false });
  });

  test('createWorkItems keeps of a large answer the ids of its items', async () => {
    const queue = await createQueue(app);
    const key = newKey();
    const amounts = Array.from({ length: 2000 }, (_, amount) => amount);
    const [first, second] = [await create(queue, amounts, key), await create(queue, amounts, key)];
    const ids = (text: string) => (JSON.parse(text) as Schemas['WorkItemList']).list.map(({ id }) => id);
    expect(first.text.length).toBeGreaterThan(256 * 1024);
    expect(ids(second.text)).toEqual(ids(first.text));
    expect(await countOf(queue)).toBe(2000);
  });

  test('finishWorkItems with the same key answers the first outcome, though the lease is gone', async () => {
    const queue = await createQueue(app);
    await queue.add(1);
    const [item] = await queue.claim();
    const body = { results: [{ id: item?.id, version: item?.version, status: 'COMPLETE' }] };
    const sent = {
      path: `queues/${queue.id}/workitems/finish`,
      body,
      key: newKey(),
      token: queue.consumer.token,
    };
    const [first, second] = [await call(sent), await call(sent)];
    expect([first.status, second.status, second.isReplayed]).toEqual([200, 200, true]);
    expect(second.text).toBe(first.text);
  });

  test('pauseQueue and updateWorkItemStatus, alone in a transaction or in several, are done once', async () => {
    const queue = await createQueue(app);
    const token = queue.owner.token;
    const pause = { path: `queues/${queue.id}/pause`, body: { reason: 'x' }, key: newKey(), token };
    expect([(await call(pause)).isReplayed, (await call(pause)).isReplayed]).toEqual([false, true]);
    await queue.add(1, 2, 3);
    const filter = { operator: 'eq', field: 'status', value: 'NEW' };
    const defer = {
      path: `queues/${queue.id}/workitems/updateStatus`,
      body: { action: 'DELETE', filter },
      key: newKey(),
      token,
    };
    const first = await call(defer);
    await queue.add(4);
    const second = await call(defer);
    expect([first.error, second.error, second.isReplayed]).toEqual([
      expect.objectContaining({ changed: 3 }),
      expect.objectContaining({ changed: 3 }),
      true,
    ]);
    expect(await countOf(queue)).toBe(1);
  });

  test('updateWorkItemStatus that was refused, or interrupted by the end of its server, is told apart', async () => {
    const queue = await createQueue(app);
    const sent = {
      path: `queues/${queue.id}/workitems/updateStatus`,
      key: newKey(),
      token: queue.owner.token,
    };
    expect((await call({ ...sent, body: { action: 'MOVE', ids: [1], queueId: queue.id } })).status).toBe(400);
    const body = { action: 'DELETE', ids: [1] };
    expect(await call({ ...sent, body })).toMatchObject({ status: 200, isReplayed: false });
    await app.sql(`update idempotency_keys set is_done = false where key = $1`, [sent.key]);
    const again = await call({ ...sent, body });
    expect([again.status, again.error.code, again.error.message]).toEqual([
      409,
      'KEY_IN_USE',
      expect.stringContaining('was interrupted'),
    ]);
  });

  test('a key is forgotten after a day', async () => {
    const queue = await createQueue(app);
    const key = newKey();
    await create(queue, [1], key);
    await app.sql(`update idempotency_keys set created_on = now() - interval '25 hours' where key = $1`, [
      key,
    ]);
    expect(await create(queue, [2], key)).toMatchObject({ status: 200, isReplayed: false });
    await app.sql(`update idempotency_keys set created_on = now() - interval '25 hours' where key = $1`, [
      key,
    ]);
    const other = newKey();
    await create(queue, [3], other);
    await transaction(pool, (db) =>
      forgetIdempotencyKeys.run({ db, now: new Date(), log, wake: () => undefined, ...keyless }),
    );
    expect(await app.sql(`select key from idempotency_keys where key in ($1, $2)`, [key, other])).toEqual([
      { key: other },
    ]);
  });

  test.each([
    ['has a space', 'a b', 'visible characters'],
    ['is too long', 'x'.repeat(256), 'visible characters'],
    ['is given twice', 'a, b', 'visible characters'],
  ])('a key that %s is refused', async (_, key, message) => {
    const queue = await createQueue(app);
    const { status, error } = await create(queue, [1], key);
    expect([status, error.message]).toEqual([400, expect.stringContaining(message)]);
  });

  test('a key does not go with a file, and changes nothing for a read', async () => {
    const queue = await createQueue(app);
    const headers = { 'x-authorization': queue.owner.token, 'idempotency-key': newKey() };
    const form = new FormData();
    form.append('file', new Blob(['customer\nx\n']), 'x.csv');
    const address = `${app.url}/v4/wlm/queues/${queue.id}`;
    const file = await fetch(`${address}/file`, { method: 'POST', headers, body: form });
    expect(file.status).toBe(400);
    expect((await fetch(address, { headers })).status).toBe(200);
    expect(await countOf(queue)).toBe(0);
  });

  test('a key goes with every write of version 4 but files, which the contract says', () => {
    const taking = Object.entries(operations).filter(([, { takesKey }]) => takesKey);
    const writes = Object.entries(operations).filter(
      ([, { path, effect, body }]) =>
        path.startsWith('/v4/') && ['write', 'batch', 'steps'].includes(effect) && body !== 'file',
    );
    expect(taking.map(([id]) => id as OperationId)).toEqual(writes.map(([id]) => id));
    expect(taking.length).toBeGreaterThan(30);
  });
});

async function storedHash(at: App, key: string): Promise<string | undefined> {
  const statement = `select encode(request_hash, 'hex') as hash from idempotency_keys where key = $1`;
  const [row] = await at.sql<{ hash: string }>(statement, [key]);
  return row?.hash;
}

const plainHash = (queueId: number, body: object) =>
  requestHash('createWorkItems', { path: { id: queueId }, query: {} }, body);

describe('Idempotency-Key where the tenant has keys', () => {
  test('createWorkItems keeps a hash that nobody makes without the key of the tenant, and every server knows repeats by it', async () => {
    const settings = { masterKey: newMasterKey() };
    const sealed = await startApp(settings);
    const runner = await sealed.user('runner', ['AAE_Basic', 'AAE_Bot Runner']);
    const queue = await createCustomers(sealed, runner);
    const { token } = (await sealed.as(undefined).logIn({ body: { username: 'admin', password } })).body;
    const sent = (customer: string) => ({
      path: `queues/${queue.id}/workitems`,
      body: { workItems: [{ json: { customer } }] },
      key: 'of-a-sealed-tenant',
      token,
    });
    const first = await call(sent('Ada'), sealed);
    expect([first.status, first.isReplayed]).toEqual([200, false]);
    const hash = await storedHash(sealed, 'of-a-sealed-tenant');
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
    expect(hash).not.toBe(await plainHash(queue.id, sent('Ada').body));
    expect(hash).not.toBe(
      createHash('sha256')
        .update(stringifyJson(sent('Ada').body))
        .digest('hex'),
    );
    // A tenant without a key has the plain hash, so that this test can know it.
    const open = await createQueue(app);
    await create(open, [1], 'of-an-open-tenant');
    const openBody = { workItems: [{ json: { customer: 'customer 1', amount: 1 } }] };
    expect(await storedHash(app, 'of-an-open-tenant')).toBe(await plainHash(open.id, openBody));
    const other = await startApp(settings, sealed.connection);
    await sealed.stop();
    const repeated = await call(sent('Ada'), other);
    expect([repeated.status, repeated.isReplayed, repeated.text]).toEqual([200, true, first.text]);
    const { status, error } = await call(sent('Bob'), other);
    expect([status, error.code]).toEqual([409, 'KEY_REUSED']);
  });
});
