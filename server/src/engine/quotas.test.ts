import { beforeAll, describe, expect, it } from 'vitest';
import { startApp, type App } from '../testing/app.ts';
import { createQueue } from '../testing/fixtures.ts';

let app: App;
let creators: Record<string, (name: string) => Promise<Created>>;

/** The answer to a call that creates something with a name. */
interface Created {
  readonly status: number;
  readonly error: { readonly code: string; readonly message: string };
  readonly body: object;
}

beforeAll(async () => {
  app = await startApp();
  const { id: queueId, consumer } = await createQueue(app);
  const { admin } = app;
  const workItemModelId = Number((await admin.getQueue({ path: { id: queueId } })).body.workItemModelId);
  const poolId = Number((await admin.createPool({ body: { name: 'Pool' } })).body.id);
  const held = { queueId, poolId, botName: 'bot', status: 'STOPPED' as const, statusReason: 'not yet' };
  creators = {
    model: (name) => admin.createWorkItemModel({ body: { name, attributes: [{ name: 'a' }] } }),
    queue: (name) => admin.createQueue({ body: { name, workItemModelId } }),
    pool: (name) => admin.createPool({ body: { name } }),
    automation: (name) => admin.createAutomation({ body: { name, ...held } }),
    device: (hostName) => consumer.call.registerDevice({ body: { hostName } }),
    user: (username) => admin.createUser({ body: { username } }),
    role: (name) => admin.createRole({ body: { name } }),
    key: (name) => admin.createApiKey({ body: { name } }),
  };
});

const create = (kind: string, name: string) => (creators[kind] as (name: string) => Promise<Created>)(name);
const named = ['model', 'queue', 'pool', 'automation', 'device', 'user', 'role'];

describe('a name', () => {
  it.each([...named, 'key'])('of a %s has no characters that cannot be seen', async (kind) => {
    for (const name of ['a\u200bb', 'a\u202eb', 'a\u00adb', 'a\u2028b', 'a\u0007b', '\ufeffa', 'a\u2063']) {
      const { status, error } = await create(kind, name);
      expect([status, error.code], JSON.stringify(name)).toEqual([400, 'INVALID_REQUEST']);
    }
  });

  it.each([...named, 'key'])(
    'of a %s is stored in one form, however its sender composed it',
    async (kind) => {
      const { status, body, error } = await create(kind, 'Zoe\u0308');
      expect(status, JSON.stringify(error)).toBe(200);
      expect(Object.values(body)).toContain('Zo\u00eb');
    },
  );

  it.each(named.filter((kind) => kind !== 'device'))('of a %s is taken in every form', async (kind) => {
    expect((await create(kind, 'Caf\u00e9 A')).status).toBe(200);
    for (const name of ['Cafe\u0301 A', 'Caf\u00e9 \uff21', 'Caf\u00e9\u00a0A']) {
      const { status, error } = await create(kind, name);
      expect([status, error.code], name).toEqual([409, 'NAME_TAKEN']);
    }
  });

  it('of a device is that of a host in every form: registered again, or refused', async () => {
    const first = await create('device', 'Caf\u00e9');
    expect((await create('device', 'Cafe\u0301')).body).toMatchObject({
      id: (first.body as { id: number }).id,
    });
    expect((await create('device', '\uff23af\u00e9')).error.code).toBe('NAME_TAKEN');
  });

  it('of a role does not begin like those of the server in any form', async () => {
    expect((await create('role', '\uff21AE_Admin')).status).toBe(400);
  });

  it.each(['model', 'queue', 'pool', 'automation'])(
    'that a %s takes later is told apart as well',
    async (kind) => {
      await create(kind, `Later ${kind} \u00e9`);
      const { body } = await create(kind, `Other ${kind}`);
      const path = { id: (body as { id: number }).id };
      const change = { path, body: { version: 0, name: `Later ${kind} e\u0301` } };
      const update: Record<string, () => Promise<Created>> = {
        model: () => app.admin.updateWorkItemModel(change),
        queue: () => app.admin.updateQueue(change),
        pool: () => app.admin.updatePool(change),
        automation: () => app.admin.updateAutomation(change),
      };
      const changed = await update[kind]?.();
      expect([changed?.status, changed?.error.code]).toEqual([409, 'NAME_TAKEN']);
    },
  );

  it('that was given before such names were refused stays, and its queue can be changed', async () => {
    const { id } = (await create('queue', 'Old one')).body as { id: number };
    await app.sql('update queues set name = $1 where id = $2', ['Old\u200bone e\u0301', id]);
    const body = { version: 0, name: 'Old\u200bone e\u0301', description: 'changed' };
    const changed = await app.admin.updateQueue({ path: { id }, body });
    expect(changed.body).toMatchObject({ name: body.name, description: 'changed' });
  });
});

describe('a quota', () => {
  const author = '1, now(), 1, now()';
  const columns = 'created_by, created_on, updated_by, updated_on';
  const fill: Record<string, { quota: number; statement: string }> = {
    key: {
      quota: 100,
      statement: `insert into api_keys (user_id, hash, created_by, created_on) select 1, sha256(n::text::bytea), 1, now()`,
    },
    role: {
      quota: 1000,
      statement: `insert into roles (tenant_id, permissions, name, ${columns}) select 1, '{}', 'many ' || n, ${author}`,
    },
    automation: {
      quota: 10_000,
      statement: `insert into automations (tenant_id, name, description, queue_id, pool_id, bot_name, labels, priority, weight,
        status, ${columns}) select 1, 'many ' || n, '', q.id, p.id, 'x', '{}', 1, 1, 'STOPPED', ${author}
        from (select min(id) as id from queues) q, (select min(id) as id from pools) p,`,
    },
    pool: {
      quota: 10_000,
      statement: `insert into pools (tenant_id, name, description, scheme, time_slice_seconds, ${columns})
        select 1, 'many ' || n, '', 'FAIR', 300, ${author}`,
    },
    queue: {
      quota: 10_000,
      statement: `insert into queues (tenant_id, model_id, name, display_columns, ${columns})
        select 1, m.id, 'many ' || n, '{}', ${author} from (select min(id) as id from work_item_models) m,`,
    },
    model: {
      quota: 10_000,
      statement: `insert into work_item_models (tenant_id, name, ${columns}) select 1, 'many ' || n, ${author}`,
    },
    device: {
      quota: 100_000,
      statement: `insert into devices (tenant_id, user_id, host_name, nickname, labels, bots, slots, agent_version, last_seen_on,
        is_connected, ${columns}) select 1, 1, 'many ' || n, '', '{}', '{}', 1, '', now(), false, ${author}`,
    },
    user: {
      quota: 100_000,
      statement: `insert into users (tenant_id, username, ${columns}) select 1, 'many ' || n, ${author}`,
    },
  };

  it.each(Object.entries(fill))(
    'bounds each %s, and the refusal says how many there are',
    async (kind, { quota, statement }) => {
      const table = /into (\w+)/.exec(statement)?.[1];
      const scope = kind === 'key' ? 'user_id = 1' : 'tenant_id = 1';
      const count = async () =>
        Number((await app.sql<{ n: string }>(`select count(*) as n from ${table} where ${scope}`))[0]?.n);
      const from = statement.endsWith(',') ? '' : ' from';
      await app.sql(`${statement}${from} generate_series(1, ${quota - 1 - (await count())}) n`);
      expect((await create(kind, `last ${kind}`)).status).toBe(200);
      const { status, error } = await create(kind, `beyond ${kind}`);
      expect([status, error.code]).toEqual([409, 'QUOTA_REACHED']);
      expect(error.message).toMatch(
        new RegExp(`^There are ${quota} .* and ${quota} is the most that there may be\\. \\w`),
      );
      expect(await count()).toBe(quota);
    },
  );

  it('does not keep a device that is registered from registering again', async () => {
    expect((await create('device', 'last device')).status).toBe(200);
  });
});
