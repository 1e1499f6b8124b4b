import { beforeAll, describe, expect, it } from 'vitest';
import pg from 'pg';
import { readFileSync } from 'node:fs';
import { createDatabase, startApp, type App } from '../testing/app.ts';
import { createQueue } from '../testing/fixtures.ts';

let app: App;

beforeAll(async () => {
  app = await startApp();
});

interface Recorded extends pg.QueryResultRow {
  operation: string;
  actor: number;
  changes: object;
}

function recorded(queueId: number): Promise<Recorded[]> {
  return app.sql(
    `select operation, actor_id::int as actor, changes from events
     where queue_id = $1 and item_id = 0 and tenant_id = (select min(id) from tenants) order by id`,
    [queueId],
  );
}

describe('the record of what is no item', () => {
  it('createQueue, updateQueue and deleteQueue are on record, with what they changed', async () => {
    const { id, path, owner } = await createQueue(app);
    await owner.call.updateQueue({ path, body: { version: 0, description: 'Loans', autoRetryLimit: 0 } });
    await owner.call.deleteQueue({ path });
    const actor = owner.id;
    const [created, , ...others] = await recorded(id);
    expect(created).toMatchObject({ operation: 'createQueue', actor, changes: { name: expect.any(String) } });
    expect(others).toEqual([
      { operation: 'updateQueue', actor, changes: { description: 'Loans' } },
      { operation: 'deleteQueue', actor, changes: { name: expect.any(String) } },
    ]);
  });

  it('updateQueue that takes expiry and back-off away is on record', async () => {
    const expiry = { type: 'DURATION', duration: 1, durationUnit: 'DAYS' };
    const { id, path, owner } = await createQueue(app, {
      expiry,
      retryBackOff: { type: 'FIXED', seconds: 9 },
    });
    const taken = { expiry: { type: 'none' }, retryBackOff: { type: 'None' } };
    for (const version of [0, 1]) await owner.call.updateQueue({ path, body: { version, ...taken } });
    const [, , first, again] = await recorded(id);
    expect([first?.changes, again?.changes]).toEqual([
      { expiry: { type: 'NONE' }, retryBackOff: { type: 'NONE' } },
      {},
    ]);
  });

  it('addQueueConsumer, addQueueParticipant and addOrUpdateQueueMember are on record, with whom they are about', async () => {
    const { id, path, owner } = await createQueue(app);
    const other = await app.user('newcomer');
    await owner.call.addQueueParticipant({ path, body: { userId: other.id } });
    await owner.call.addQueueParticipant({ path, body: { userId: other.id } });
    await owner.call.addOrUpdateQueueMember({ path: { ...path, userId: other.id }, body: { role: 'OWNER' } });
    const actor = owner.id;
    const [, consumer, ...others] = await recorded(id);
    expect(consumer).toMatchObject({
      operation: 'addQueueConsumer',
      actor,
      changes: { roleName: 'AAE_Bot Runner' },
    });
    const from = { address: '127.0.0.1', userAgent: 'node' };
    expect(others).toEqual([
      {
        operation: 'addQueueParticipant',
        actor,
        changes: { userId: other.id, role: 'PARTICIPANT', ...from },
      },
      { operation: 'addOrUpdateQueueMember', actor, changes: { userId: other.id, role: 'OWNER', ...from } },
    ]);
  });

  it('createWorkItemModel is on record, for the tenant and no queue', async () => {
    const body = { name: 'Recorded', attributes: [{ name: 'customer', type: 'TEXT' as const }] };
    const model = (await app.admin.createWorkItemModel({ body })).body;
    const rows = await app.sql(
      "select queue_id::int, changes from events where operation = 'createWorkItemModel' and changes->>'name' = 'Recorded'",
    );
    expect(rows).toEqual([{ queue_id: 0, changes: { workItemModelId: model.id, name: 'Recorded' } }]);
  });
});

describe('the migration of events to the feed', () => {
  const migration = readFileSync(new URL('../../migrations/0005_event_feed.sql', import.meta.url), 'utf8');

  it('gives old events their tenant, of a deleted queue by who acted in it, and puts them before all others', async () => {
    const client = new pg.Client(await createDatabase());
    await client.connect();
    await client.query('drop index events_feed; alter table events drop column tx, drop column tenant_id');
    await client.query(`
      insert into tenants (name) values ('one'), ('two');
      insert into users (tenant_id, username, created_by, created_on, updated_by, updated_on)
        select id, name, 0, now(), 0, now() from tenants;
      insert into work_item_models (tenant_id, name, created_by, created_on, updated_by, updated_on)
        select id, name, 0, now(), 0, now() from tenants;
      insert into queues (id, tenant_id, model_id, name, display_columns, created_by, created_on, updated_by, updated_on)
        overriding system value select 9, tenant_id, id, name, '{}', 0, now(), 0, now() from work_item_models where name = 'two';
      insert into events (queue_id, item_id, operation, actor_id, at)
        select queue, 1, what, (select coalesce(min(id), 0) from users where username = who), now()
        from (values (9, 'kept', ''), (8, 'by one', 'one'), (8, 'by a job', ''), (7, 'by nobody known', '')) as e (queue, what, who)`);
    await client.query(migration);
    const { rows } = await client.query<{ operation: string; tenant: string | null; tx: string }>(`
      select e.operation, t.name as tenant, e.tx::text from events e left join tenants t on t.id = e.tenant_id order by e.id`);
    await client.end();
    expect(rows).toEqual([
      { operation: 'kept', tenant: 'two', tx: '0' },
      { operation: 'by one', tenant: 'one', tx: '0' },
      { operation: 'by a job', tenant: 'one', tx: '0' },
      { operation: 'by nobody known', tenant: null, tx: '0' },
    ]);
  });
});
