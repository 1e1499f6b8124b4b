import { beforeAll, describe, expect, test } from 'vitest';
import { password, startApp, type App } from '../../testing/app.ts';
import { createQueue, type QueueFixture } from '../../testing/fixtures.ts';

// The first integer that a double cannot represent; as a number it would be its even neighbour.
const first = 2n ** 53n + 1n;

let app: App;
let queue: QueueFixture;
/** The paths of the queue and of an item, with all their digits. */
let path: { id: number };
const itemPath = (workItemId: unknown) => ({ ...path, workItemId: workItemId as number });

beforeAll(async () => {
  app = await startApp();
  queue = await createQueue(app);
  const tables = await app.sql<{ name: string; id: string }>(
    `select table_name as name, column_name as id from information_schema.columns
     where table_schema = 'public' and is_identity = 'YES'`,
  );
  for (const { name, id } of tables)
    await app.sql(`alter table ${name} alter column ${id} restart with ${first}`);
  const { owner } = queue;
  const attributes = [{ name: 'customer' }];
  const model = await owner.call.createWorkItemModel({ body: { name: 'Large', attributes } });
  const settings = { name: 'Large', workItemModelId: model.body.id as number };
  const { body } = await owner.call.createQueue({ body: settings });
  path = { id: body.id as number };
  const role = (await app.admin.listRoles()).body.list.find(({ name }) => name === 'AAE_Bot Runner');
  await owner.call.addQueueConsumer({ path, body: { roleId: role?.id as number } });
});

describe('ids beyond 2^53', () => {
  test('createQueue and getQueue answer them to the last digit', async () => {
    const { body } = await queue.owner.call.getQueue({ path });
    expect([path.id, body.id, body.workItemModelId]).toEqual([first, first, first]);
  });

  test('createWorkItems, claimWorkItems, heartbeatWorkItems and finishWorkItems tell neighbours apart', async () => {
    const workItems = ['a', 'b', 'c'].map((customer) => ({ json: { customer } }));
    const created = (await queue.owner.call.createWorkItems({ path, body: { workItems } })).body.list;
    const ids = created.map(({ id }) => BigInt(id as number));
    expect(ids).toEqual([first, first + 1n, first + 2n]);
    const claimed = (await queue.consumer.call.claimWorkItems({ path, body: { count: 2 } })).body.list;
    expect(claimed.map(({ id }) => BigInt(id as number))).toEqual(ids.slice(0, 2));
    const leases = claimed.map(({ id, version }) => ({ id: id as number, version: version as number }));
    const kept = (await queue.consumer.call.heartbeatWorkItems({ path, body: { leases } })).body.list;
    expect(kept.map(({ id, error }) => [id, error])).toEqual(leases.map(({ id }) => [id, undefined]));
    const results = leases.map((lease) => ({ ...lease, status: 'COMPLETE' as const }));
    const done = (await queue.consumer.call.finishWorkItems({ path, body: { results } })).body.list;
    expect(done.map(({ id, status }) => [id, status])).toEqual(leases.map(({ id }) => [id, 'COMPLETE']));
    const read = await Promise.all(
      created.map(({ id }) => queue.owner.call.getWorkItem({ path: itemPath(id) })),
    );
    expect(read.map(({ body }) => body.status)).toEqual(['COMPLETE', 'COMPLETE', 'NEW']);
  });

  test('updateWorkItem, listWorkItems, listWorkItemEvents and deleteWorkItem find the one that is meant', async () => {
    const [item] = (
      await queue.owner.call.createWorkItems({ path, body: { workItems: [{ json: { customer: 'y' } }] } })
    ).body.list;
    const id = item?.id as number;
    const body = { id, queueId: path.id, version: 0, json: { customer: 'z' } };
    const updated = await queue.owner.call.updateWorkItem({ path: itemPath(id), body });
    expect([updated.status, updated.body.id]).toEqual([200, id]);
    const beside = { ...body, id: (BigInt(id) + 1n) as unknown as number, version: 1 };
    expect((await queue.owner.call.updateWorkItem({ path: itemPath(id), body: beside })).status).toBe(400);
    for (const value of [id, String(id)]) {
      const filter = { operator: 'eq', field: 'id', value };
      const { list } = (await queue.owner.call.listWorkItems({ path, body: { filter } })).body;
      expect(list.map((one) => one.id)).toEqual([id]);
    }
    const events = (await queue.owner.call.listWorkItemEvents({ path: itemPath(id) })).body.list;
    expect(events.map(({ operation }) => operation)).toEqual(['createWorkItems', 'updateWorkItem']);
    expect((await queue.owner.call.deleteWorkItem({ path: itemPath(id) })).status).toBe(204);
    expect((await queue.owner.call.getWorkItem({ path: itemPath(id) })).status).toBe(404);
  });

  test('createUser, addOrUpdateQueueMember and logIn take users of such ids', async () => {
    const role = (await app.admin.listRoles()).body.list.find(({ name }) => name === 'AAE_Basic');
    const roles = [{ id: role?.id as number }];
    const user = (await app.admin.createUser({ body: { username: 'large', password, roles } })).body;
    expect(user.id).toBe(first);
    const member = { ...path, userId: user.id as number };
    const { status, body } = await queue.owner.call.addOrUpdateQueueMember({
      path: member,
      body: { role: 'MEMBER' },
    });
    expect([status, body.userId]).toEqual([200, user.id]);
    const session = (await app.as(undefined).logIn({ body: { username: 'large', password } })).body;
    expect(session.user.id).toBe(user.id);
    expect((await app.as(session.token).getQueue({ path })).body.id).toBe(path.id);
  });
});
