import { operations, type Operation, type OperationId } from '@millrace/api';
import { describe, expect, it } from 'vitest';
import { startApp, type Caller } from '../../testing/app.ts';
import { createQueue } from '../../testing/fixtures.ts';
import { inputOf } from '../../testing/inputs.ts';
import { addTenant } from '../../testing/tenant.ts';

const app = await startApp();
const first = await createQueue(app);
const second = await createQueue(app);
const admin = await app.user('key admin', ['AAE_Admin']);
const foreigner = await addTenant(app, 'second');

const refusal = ({ status, error }: { status: number; error: { code: string } }) => [status, error.code];
const forbidden = [403, 'FORBIDDEN'];
type KeyBody = NonNullable<NonNullable<Parameters<Caller['createApiKey']>[0]>['body']>;

/** Logs in as the administrator with a new key. */
async function withKey(body: KeyBody) {
  const { id, apiKey = '' } = (await admin.call.createApiKey({ body })).body;
  const session = (await app.as(undefined).logIn({ body: { username: 'key admin', apiKey } })).body;
  return { id: id as number, apiKey, session, call: app.as(session.token) };
}

async function keyById(id: number) {
  const filter = { operator: 'eq', field: 'id', value: String(id) };
  return (await admin.call.listApiKeys({ body: { filter } })).body.list[0];
}

describe('an API key for some permissions', () => {
  it('opens what these allow and nothing else, though its user may do more', async () => {
    const { session, call } = await withKey({ permissions: ['useQueues', 'viewUsers'] });
    expect(session.user.permissions.map(({ name }) => name)).toEqual(['useQueues', 'viewUsers']);
    expect((await call.getMe()).body.permissions).toEqual(session.user.permissions);
    expect((await call.listUsers()).status).toBe(200);
    const input = { body: { username: 'by key', roles: [] } };
    expect(refusal(await call.createUser(input))).toEqual(forbidden);
    // Without manageAllQueues the queues of others are out of sight.
    expect(refusal(await call.getQueue({ path: first.path }))).toEqual([404, 'NOT_FOUND']);
    expect((await call.listQueues()).body.list).toEqual([]);
    const renewed = app.as((await call.refreshToken()).body.token);
    expect(refusal(await renewed.createUser(input))).toEqual(forbidden);
  });

  it('makes no keys, so that it cannot become more', async () => {
    const { call } = await withKey({ permissions: ['useQueues', 'manageUsers'] });
    expect(refusal(await call.createApiKey())).toEqual(forbidden);
    const { status, error } = await admin.call.createApiKey({ body: { permissions: ['generateApiKey'] } });
    expect([status, error.details?.[0]?.field]).toEqual([400, 'permissions']);
    expect((await admin.call.createApiKey({ body: { permissions: ['nothing'] } })).status).toBe(400);
    expect((await admin.call.createApiKey({ body: { permissions: [] } })).status).toBe(400);
  });
});

const key = await withKey({ queueIds: [first.id] });

describe('an API key for some queues', () => {
  it('opens these with their items, and lists them', async () => {
    const { call } = await withKey({ queueIds: [first.id] });
    expect((await call.listQueues()).body.list.map(({ id }) => id)).toEqual([first.id]);
    const body = { workItems: [{ json: { customer: 'x' } }] };
    expect((await call.createWorkItems({ path: first.path, body })).status).toBe(200);
    expect((await call.claimWorkItems({ path: first.path, body: {} })).status).toBe(200);
    expect((await call.getMe()).status).toBe(200);
  });

  it('lists and ends the sessions of its user alone, though the user may do so with all', async () => {
    const { call, session } = await withKey({ queueIds: [first.id] });
    const { body } = await call.listSessions();
    expect(new Set(body.list.map(({ userId }) => userId))).toEqual(new Set([session.user.id]));
    const { list } = (await admin.call.listSessions()).body;
    const others = list.find(({ userId }) => userId !== session.user.id);
    const ended = await call.endSession({ path: { sessionId: String(others?.id) } });
    expect(refusal(ended)).toEqual([404, 'NOT_FOUND']);
  });

  it('opens saved views of its queues alone, and no preferences of its user', async () => {
    const { call } = await withKey({ queueIds: [first.id] });
    const view = (queueId?: number) => ({
      name: `of ${queueId}`,
      page: 'ITEMS' as const,
      queueId,
      query: '',
    });
    const made = async (body: object) => (await admin.call.createView({ body: body as never })).body;
    const [mine, other, general] = await Promise.all([
      made(view(first.id)),
      made(view(second.id)),
      made({ ...view(), page: 'DEVICES' }),
    ]);
    expect((await call.listViews()).body.list.map(({ id }) => id)).toEqual([mine.id]);
    expect((await call.getView({ path: { id: Number(mine.id) } })).status).toBe(200);
    for (const { id, version } of [other, general]) {
      const path = { id: Number(id) };
      expect(refusal(await call.getView({ path }))).toEqual([404, 'NOT_FOUND']);
      const changed = { path, body: { version, name: 'taken' } };
      expect(refusal(await call.updateView(changed))).toEqual([404, 'NOT_FOUND']);
      expect(refusal(await call.deleteView({ path }))).toEqual([404, 'NOT_FOUND']);
      expect((await admin.call.getView({ path })).status).toBe(200);
    }
    const more = { name: 'more', query: '' };
    const devices = await call.createView({ body: { ...more, page: 'DEVICES' } });
    expect(refusal(devices)).toEqual(forbidden);
    const beside = await call.createView({ body: { ...more, page: 'ITEMS', queueId: second.id } });
    expect(refusal(beside)).toEqual([404, 'NOT_FOUND']);
    const within = await call.createView({ body: { ...more, page: 'ITEMS', queueId: first.id } });
    expect(within.status).toBe(200);
    expect(refusal(await call.getPreferences())).toEqual(forbidden);
    expect(refusal(await call.updatePreferences({ body: { theme: 'DARK' } }))).toEqual(forbidden);
  });

  it('moves no item into another queue', async () => {
    const { workItemModelId } = (await admin.call.getQueue({ path: first.path })).body;
    const alike = { name: 'alike', workItemModelId: workItemModelId as number };
    const other = (await admin.call.createQueue({ body: alike })).body;
    const [item] = await first.add(1);
    const body = { action: 'MOVE' as const, ids: [item?.id as number], queueId: other.id as number };
    const { call } = await withKey({ queueIds: [first.id] });
    const move = (caller: Caller) => caller.updateWorkItemStatus({ path: first.path, body });
    const { status, error } = await move(call);
    expect([status, error.code], error.message).toEqual([404, 'NOT_FOUND']);
    expect((await move(admin.call)).body).toMatchObject({ changed: 1 });
  });

  const closed = Object.entries<Operation>(operations).filter(
    ([name, { permission }]) => !['public', 'oneself'].includes(permission) && name !== 'listQueues',
  ) as [OperationId, Operation][];
  it.each(closed)('is refused for %s of anything else', async (operationId, { effect }) => {
    if (effect === 'stream') {
      const response = await fetch(app.url + operations[operationId].path, {
        headers: { 'x-authorization': key.session.token },
      });
      expect(response.status).toBe(403);
      return;
    }
    const call = key.call[operationId] as (
      input: object,
    ) => Promise<{ status: number; error: { code: string } }>;
    expect(refusal(await call(inputOf(operationId, { known: { id: second.id } })))).toEqual(forbidden);
  });

  it('is made for queues that its maker sees only', async () => {
    await app.admin.createRole({
      body: { name: 'Key holder', permissions: ['useQueues', 'generateApiKey'] },
    });
    for (const [call, queueIds] of [
      [admin.call, [first.id, 987_654_321]],
      [foreigner.call, [first.id]],
      [(await app.user('stranger', ['Key holder'])).call, [second.id]],
    ] as const) {
      const { status, error } = await call.createApiKey({ body: { queueIds: [...queueIds] } });
      expect([status, error.details?.[0]?.message]).toEqual([400, `there is no queue ${queueIds.at(-1)}`]);
    }
    const member = first.consumer.call;
    expect((await member.createApiKey({ body: { queueIds: [first.id] } })).status).toBe(200);
  });
});

describe('listApiKeys', () => {
  it('listApiKeys tells what a key is good for, how it begins and when it was last used, and never the key', async () => {
    const made = await withKey({ name: 'seen', permissions: ['useQueues'], queueIds: [first.id] });
    const { body } = await admin.call.listApiKeys();
    const listed = body.list.find(({ id }) => id === made.id);
    expect(listed).toMatchObject({
      prefix: made.apiKey.slice(0, 6),
      permissions: ['useQueues'],
      queueIds: [first.id],
    });
    expect(Date.now() - new Date(String(listed?.lastUsedOn)).getTime()).toBeLessThan(600_000);
    expect(JSON.stringify(body)).not.toContain(made.apiKey.slice(0, 8));
    const unused = (await admin.call.createApiKey()).body;
    expect(await keyById(unused.id as number)).not.toHaveProperty('lastUsedOn');
  });

  it('listApiKeys has the last use to the minute: further ones within it write nothing', async () => {
    const { id, apiKey } = await withKey({});
    const before = (await keyById(id))?.lastUsedOn;
    const logIn = () => app.as(undefined).logIn({ body: { username: 'key admin', apiKey } });
    expect((await logIn()).status).toBe(200);
    expect((await keyById(id))?.lastUsedOn).toBe(before);
    await app.sql(`update api_keys set last_used_on = last_used_on - interval '61 seconds' where id = $1`, [
      id,
    ]);
    expect((await logIn()).status).toBe(200);
    expect(String((await keyById(id))?.lastUsedOn) >= String(before)).toBe(true);
  });
});

describe('rotateApiKey', () => {
  const logIn = async (apiKey: string) =>
    (await app.as(undefined).logIn({ body: { username: 'key admin', apiKey } })).status;

  it('rotateApiKey gives a new key that is good for the same, and leaves the old one good for a while', async () => {
    const old = await withKey({ name: 'ERP', permissions: ['useQueues'], expiresOn: '2999-01-01T00:00:00Z' });
    const overlapUntil = new Date(Date.now() + 3_600_000).toISOString();
    const { status, body } = await admin.call.rotateApiKey({ path: { id: old.id }, body: { overlapUntil } });
    expect([status, body.name, body.permissions, body.replaces]).toEqual([200, 'ERP', ['useQueues'], old.id]);
    expect(body.expiresOn?.slice(0, 4)).toBe('2999');
    const { apiKey = '' } = body;
    expect([await logIn(old.apiKey), await logIn(apiKey)]).toEqual([200, 200]);
    expect((await keyById(old.id))?.expiresOn).toBe(overlapUntil);
    // The time has come.
    await app.sql('update api_keys set expires_on = now() where id = $1', [old.id]);
    expect([await logIn(old.apiKey), await logIn(apiKey)]).toEqual([401, 200]);
    expect(refusal(await old.call.listQueues())).toEqual([401, 'UNAUTHENTICATED']);
    const { list } = (await app.admin.listEvents({ query: { operation: 'rotateApiKey', last: 1 } })).body;
    expect(list).toMatchObject([{ changes: { apiKeyId: body.id, replaces: old.id, address: '127.0.0.1' } }]);
    expect(JSON.stringify(list)).not.toContain(apiKey);
  });

  it('rotateApiKey leaves the old key a day unless told otherwise, and never longer than it had', async () => {
    const old = await withKey({});
    await admin.call.rotateApiKey({ path: { id: old.id } });
    const left = new Date(String((await keyById(old.id))?.expiresOn)).getTime() - Date.now();
    expect(Math.round(left / 3_600_000)).toBe(24);
    const expiresOn = new Date(Date.now() + 600_000).toISOString();
    const short = await withKey({ expiresOn });
    await admin.call.rotateApiKey({ path: { id: short.id }, body: { overlapUntil: '2999-01-01T00:00:00Z' } });
    expect((await keyById(short.id))?.expiresOn).toBe(expiresOn);
    const past = { overlapUntil: '2020-01-01T00:00:00Z' };
    expect((await admin.call.rotateApiKey({ path: { id: old.id }, body: past })).status).toBe(400);
  });

  it('rotateApiKey finds one’s own keys only, or with manageUsers those of users who may do no more', async () => {
    const { id } = await withKey({});
    const runner = await app.user('rotating runner', ['AAE_Bot Runner']);
    const own = (await runner.call.createApiKey()).body.id as number;
    for (const call of [runner.call, foreigner.call])
      expect(refusal(await call.rotateApiKey({ path: { id } }))).toEqual([404, 'NOT_FOUND']);
    expect((await runner.call.rotateApiKey({ path: { id: own } })).body.userId).toBe(runner.id);
    expect((await admin.call.rotateApiKey({ path: { id: own } })).body.userId).toBe(runner.id);
    await app.admin.createRole({ body: { name: 'Keys', permissions: ['manageUsers', 'generateApiKey'] } });
    const manager = await app.user('manager of keys', ['Keys']);
    expect(refusal(await manager.call.rotateApiKey({ path: { id } }))).toEqual(forbidden);
    await app.sql('update api_keys set expires_on = now() where id = $1', [id]);
    expect(refusal(await admin.call.rotateApiKey({ path: { id } }))).toEqual([404, 'NOT_FOUND']);
  });
});
