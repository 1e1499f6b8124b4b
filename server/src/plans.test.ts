import pg from 'pg';
import { beforeAll, describe, expect, test } from 'vitest';
import { createDatabase, startApp, type App } from './testing/app.ts';
import { createPool } from './testing/devices.ts';
import { createDevice, createLine } from './testing/dispatch.ts';
import { atEnd } from './testing/endings.ts';
import { createQueue, eventually } from './testing/fixtures.ts';
import { functionsThatCount, functionsWithTurnedPlans, turnOver } from './testing/plans.ts';
import { beat, finish, held } from './testing/work.ts';

// The sessions of the server plan nearly everything by indexes, whose order makes up for a forgotten `order by`, as long as the planner
// goes that way. Here statements get plans of the other kind.

let app: App;
let there: App;
let other: pg.Client;

beforeAll(async () => {
  const database = await createDatabase();
  app = await startApp({}, database, functionsWithTurnedPlans);
  there = await startApp({}, database, functionsWithTurnedPlans);
  other = new pg.Client(database);
  await other.connect();
  atEnd(() => other.end());
});

const waitingForLocks = () =>
  app.sql(`select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`);

/** Expects that a call, while it waits for the first row, has locked none of the others, though they lie before it. */
async function expectOrderOfLocks(
  table: 'pools' | 'automations' | 'work_items',
  [first, ...others]: readonly number[],
  call: () => Promise<unknown>,
): Promise<void> {
  await turnOver((text) => app.sql(text), table);
  await other.query('begin');
  await other.query(`select from ${table} where id = $1 for update`, [first]);
  const answer = call();
  await eventually(waitingForLocks, ({ length }) => length > 0);
  const free = `select id from ${table} where id = any($1) for update skip locked`;
  const { rows } = await other.query(free, [others]);
  await other.query('rollback');
  await answer;
  expect(rows).toHaveLength(others.length);
}

const many = (count: number) => Array.from({ length: count }, (_, index) => index);

describe('whatever the plans', () => {
  test('claimWorkItems grants items in their order', async () => {
    const queue = await createQueue(app);
    const workItems = many(10).map((priority) => ({ json: { customer: 'x', amount: priority }, priority }));
    await queue.owner.call.createWorkItems({ path: queue.path, body: { workItems } });
    const granted: unknown[] = [];
    for (const count of [1, 2, 1])
      granted.push(...(await queue.claim(count)).map(({ priority }) => priority));
    expect(granted).toEqual([9, 8, 7, 6]);
  });

  test('requestWork grants items in their order', async () => {
    const device = await createDevice(await app.user('agent', ['AAE_Bot Runner']), { slots: 9 });
    const { lines } = await createLine(app, [device]);
    const line = lines[0]?.queue;
    const workItems = many(6).map((priority) => ({ json: { customer: 'x' }, priority }));
    await line?.owner.call.createWorkItems({ path: line.path, body: { workItems } });
    const granted = [await device.ask({ count: 1 }), await device.ask({ count: 2 })];
    expect(granted.flat().map(({ priority }) => priority)).toEqual([5, 4, 3]);
  });

  test('claimWorkItems at two servers at once grants each item once, and neither waits for the other', async () => {
    const queue = await createQueue(app);
    const [first, second] = await queue.add(1, 2);
    // Consumers were noted already: claims would wait for one another's note.
    await app.sql(`insert into queue_claims (queue_id, asked_on) values ($1, now() + interval '1 hour')`, [
      queue.id,
    ]);
    // The first claim stands still between choosing its item and leasing it.
    await app.sql(`
      create function stand_still() returns trigger language plpgsql as $$
        begin perform pg_advisory_xact_lock(12); return new; end $$;
      create trigger stand_still before update on work_items for each row
        when (old.id = ${first?.id} and new.status = 'IN_PROGRESS') execute function stand_still()`);
    await other.query('begin; select pg_advisory_xact_lock(12)');
    const slow = queue.claim();
    await eventually(waitingForLocks, ({ length }) => length > 0);
    const quick = await there.as(queue.consumer.token).claimWorkItems({ path: queue.path, body: {} });
    await other.query('rollback');
    expect(quick.status, JSON.stringify(quick.error)).toBe(200);
    const ids = [...quick.body.list, ...(await slow)].map(({ id }) => id);
    expect(ids).toEqual([second?.id, first?.id]);
  });

  test('requestWork locks pools in the order of their turns', async () => {
    const device = await createDevice(await app.user('agent of pools', ['AAE_Bot Runner']));
    const ids: number[] = [];
    for (const _ of many(9)) ids.push(Number((await createPool(app, [device.device])).id));
    await expectOrderOfLocks('pools', ids, () => device.ask());
  });

  test('requestWork locks automations in the order of their ids', async () => {
    const device = await createDevice(await app.user('agent of automations', ['AAE_Bot Runner']));
    const { lines } = await createLine(app, [device], { queues: 9 });
    const ids = lines.map(({ automation }) => Number(automation.id));
    await expectOrderOfLocks('automations', ids, () => device.ask());
  });

  test('updateWorkItemStatus locks items in the order of their ids', async () => {
    const queue = await createQueue(app);
    const ids = (await queue.add(1, 2, 3)).map(({ id }) => id as number);
    const body = { action: 'DEFER', ids } as const;
    const call = async () => {
      const answer = await queue.owner.call.updateWorkItemStatus({ path: queue.path, body });
      expect(answer.body).toMatchObject({ changed: 3 });
    };
    await expectOrderOfLocks('work_items', ids, call);
  });

  test('updateWorkItemStatus changes all that match a filter, portion by portion', async () => {
    const queue = await createQueue(app);
    await queue.add(...many(1100));
    await turnOver((text) => app.sql(text), 'work_items');
    const filter = { operator: 'gt', field: 'id', value: '0' } as const;
    const body = { action: 'DEFER', filter } as const;
    const answer = await queue.owner.call.updateWorkItemStatus({ path: queue.path, body });
    expect(answer.body).toMatchObject({ selected: 1100, changed: 1100 });
  });

  test('listWorkItems answers pages in the order that was asked for', async () => {
    const queue = await createQueue(app);
    const items = await queue.add(1, 2, 3, 4, 5);
    await turnOver((text) => app.sql(text), 'work_items');
    const pagesOf = async (direction: 'asc' | 'desc') => {
      const ids: unknown[] = [];
      for (const offset of [0, 2, 4]) {
        const body = { sort: [{ field: 'id', direction }], page: { offset, length: 2 } };
        const { list } = (await queue.owner.call.listWorkItems({ path: queue.path, body })).body;
        ids.push(...list.map(({ id }) => id));
      }
      return ids;
    };
    const ids = items.map(({ id }) => id);
    // Whichever table a plan reads first, rows do not lie in both of these orders.
    expect([await pagesOf('asc'), await pagesOf('desc')]).toEqual([ids, ids.toReversed()]);
  });

  test('listEvents and listWorkItemEvents answer the oldest events first, part by part', async () => {
    const queue = await createQueue(app);
    const [item] = await queue.add(1, 2, 3);
    // The younger user acts before the older one.
    for (const _ of many(3)) {
      const [waiting] = await queue.claim();
      await queue.owner.call.cancelWorkItem({
        path: { ...queue.path, workItemId: waiting?.id as number },
        body: {},
      });
    }
    const ofQueue = 'from events where queue_id = $1 order by tx, id';
    const events = await app.sql<{ cursor: string }>(`select tx::text || '-' || id as cursor ${ofQueue}`, [
      queue.id,
    ]);
    await turnOver((text) => app.sql(text), 'events');
    // In a join with many users, the few events of a part come in the order of their table.
    await app.sql(`insert into users (tenant_id, username, created_by, created_on, updated_by, updated_on)
      select tenant_id, username || number, created_by, created_on, updated_by, updated_on
      from users, generate_series(1, 500) as number`);
    const readAll = async () => {
      const cursors: unknown[] = [];
      for (let after = '0-0'; ; after = String(cursors.at(-1))) {
        const query = { after, queueId: queue.id, limit: 3 };
        const { list } = (await app.admin.listEvents({ query })).body;
        cursors.push(...list.map(({ cursor }) => cursor));
        if (list.length < 3 || cursors.length > events.length) return cursors;
      }
    };
    // The feed goes no further than the oldest transaction.
    const read = await eventually(readAll, ({ length }) => length >= events.length);
    expect(read).toEqual(events.map(({ cursor }) => cursor));
    const path = { ...queue.path, workItemId: item?.id as number };
    const { list } = (await queue.owner.call.listWorkItemEvents({ path, query: { limit: 1 } })).body;
    expect(list.map(({ operation }) => operation)).toEqual(['createWorkItems']);
  });
});

test('claimWorkItems, heartbeatWorkItems and finishWorkItems read no more of a queue whose table was empty when they were planned', async () => {
  const read: Record<string, number> = {};
  const counting = functionsThatCount((operation, entries) => (read[operation] = entries));
  const young = await startApp({}, await createDatabase(), counting);
  const queue = await createQueue(young);
  const cycle = async () => {
    const [item] = await queue.claim();
    await beat(queue, held(item));
    await finish(queue, { ...held(item), status: 'COMPLETE' });
  };
  for (const amount of many(3)) {
    await queue.add(amount);
    await cycle();
  }
  await queue.add(...many(2000));
  await cycle();
  expect(Object.keys(read)).toEqual(
    expect.arrayContaining(['claimWorkItems', 'heartbeatWorkItems', 'finishWorkItems']),
  );
  for (const operation of ['claimWorkItems', 'heartbeatWorkItems', 'finishWorkItems'])
    expect(read[operation], operation).toBeLessThan(50);
});
