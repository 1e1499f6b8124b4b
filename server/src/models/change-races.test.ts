import type { Schemas } from '@millrace/api';
import pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import { startApp, type App } from '../testing/app.ts';
import { createQueue, eventually, type QueueFixture } from '../testing/fixtures.ts';

let app: App;

beforeAll(async () => {
  app = await startApp();
});

async function modelOf({ owner, path }: QueueFixture) {
  const { workItemModelId = 0 } = (await owner.call.getQueue({ path })).body;
  return (await owner.call.getWorkItemModel({ path: { id: workItemModelId } })).body;
}

type Change = Partial<NonNullable<Schemas['WorkItemModelUpdate']['attributes']>[number]>;

/** Changes one attribute of the model, which was not changed before. */
async function change(queue: QueueFixture, attribute: string, to: Change) {
  const { id = 0, attributes = [] } = await modelOf(queue);
  const wanted = attributes.map((one) => ({ id: one.id as number, ...(one.name === attribute && to) }));
  return queue.owner.call.updateWorkItemModel({
    path: { id },
    body: { version: 0, attributes: wanted },
  });
}

const create = ({ owner, path }: QueueFixture, json: object) =>
  owner.call.createWorkItems({ path, body: { workItems: [{ json }] as never } });

const settled = ({ owner, path }: QueueFixture) =>
  eventually(
    async () => (await owner.call.getQueue({ path })).body,
    ({ rekeying }) => !rekeying,
  );

describe('updateWorkItemModel', () => {
  it('updateWorkItemModel renames while items are created and claimed: none is lost, and each claim has names of one version', async () => {
    const queue = await createQueue(app);
    await queue.add(...Array.from({ length: 1200 }, (_, amount) => amount));
    const work = { isOver: false };
    const granted: Schemas['WorkItem'][] = [];
    const created: number[] = [];
    const consuming = Array.from({ length: 2 }, async () => {
      while (!work.isOver) granted.push(...(await queue.claim(4)));
    });
    const producing = ['customer', 'client'].map(async (name) => {
      while (!work.isOver) {
        const { status } = await create(queue, { [name]: 'new' });
        expect([200, 400]).toContain(status);
        if (status === 200) created.push(status);
      }
    });
    expect((await change(queue, 'customer', { name: 'client' })).status).toBe(200);
    await settled(queue).finally(() => (work.isOver = true));
    await Promise.all([...consuming, ...producing]);
    for (;;) {
      const claimed = await queue.claim(500);
      if (claimed.length === 0) break;
      for (const { json, modelVersion } of claimed) {
        expect([modelVersion, Object.keys(json ?? {})[0]]).toEqual([1, 'client']);
      }
      granted.push(...claimed);
    }
    expect(new Set(granted.map(({ id }) => id)).size).toBe(1200 + created.length);
    expect(granted).toHaveLength(1200 + created.length);
    for (const { json, modelVersion } of granted)
      expect(Object.keys(json ?? {})).toContain(modelVersion === 0 ? 'customer' : 'client');
  });

  it('updateWorkItemModel makes an attribute required under no item that is created or edited at the same time', async () => {
    for (let round = 0; round < 8; round += 1) {
      const queue = await createQueue(app);
      const [item] = await queue.add(1);
      const id = item?.id as number;
      const body = { id, queueId: queue.id, version: 0, json: { customer: 'edited' } };
      const [created, edited, changed] = await Promise.all([
        create(queue, { customer: 'without amount' }),
        queue.owner.call.updateWorkItem({ path: { ...queue.path, workItemId: id }, body }),
        change(queue, 'amount', { isRequired: true }),
      ]);
      const isAnyWithout = created.status === 200 || edited.status === 200;
      expect(changed.status).toBe(isAnyWithout ? 409 : 200);
      expect((await modelOf(queue)).version).toBe(isAnyWithout ? 0 : 1);
    }
  });

  it('updateWorkItemModel waits for a call that is about to store an item that fits the model of before', async () => {
    const queue = await createQueue(app);
    const writer = new pg.Client(app.connection);
    await writer.connect();
    await writer.query('begin');
    await writer.query('select from queues where id = $1 for key share', [queue.id]);
    const changing = change(queue, 'amount', { isRequired: true });
    const isHeldUp = () => app.sql("select from pg_stat_activity where wait_event_type = 'Lock'");
    await Promise.race([changing, eventually(isHeldUp, (rows) => rows.length > 0)]);
    await writer.query(
      `with item as (
         insert into work_items (queue_id, status, sort_key, priority, created_by, created_on, updated_by, updated_on)
         values ($1, 'NEW', '', 4, 1, now(), 1, now()) returning id)
       insert into work_item_data (queue_id, item_id, json) select $1, id, '{"customer":"late"}' from item`,
      [queue.id],
    );
    await writer.query('commit');
    await writer.end();
    const { status, error } = await changing;
    expect([status, error.details?.[0]?.field]).toEqual([409, 'amount']);
  });

  it('updateWorkItemModel lets one of several simultaneous changes through', async () => {
    const queue = await createQueue(app);
    const names = ['a', 'b', 'c', 'd'];
    const answers = await Promise.all(names.map((name) => change(queue, 'customer', { name })));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409, 409, 409]);
    const winner = names[answers.findIndex(({ status }) => status === 200)];
    expect((await queue.owner.call.getQueue({ path: queue.path })).body.displayColumns?.[0]).toBe(winner);
  });

  it('updateWorkItemModel and createQueue at the same time agree on the names', async () => {
    for (let round = 0; round < 5; round += 1) {
      const queue = await createQueue(app);
      const { id: workItemModelId = 0 } = await modelOf(queue);
      const body = { name: `Beside ${round}`, workItemModelId, displayColumns: ['customer'] };
      const [made, changed] = await Promise.all([
        queue.owner.call.createQueue({ body }),
        change(queue, 'customer', { name: 'client' }),
      ]);
      expect(changed.status).toBe(200);
      // Either it came first and was updated, or it came too late for the name.
      expect([200, 400]).toContain(made.status);
      if (made.status === 400) continue;
      const path = { id: made.body.id as number };
      expect((await queue.owner.call.getQueue({ path })).body.displayColumns).toEqual(['client']);
    }
  });
});
