import { beforeAll, describe, expect, it } from 'vitest';
import { startApp, type App, type TestUser } from '../testing/app.ts';
import { addTenant } from '../testing/tenant.ts';

let app: App;
let maker: TestUser;
let stranger: TestUser;
let foreigner: TestUser;
let made = 0;

beforeAll(async () => {
  app = await startApp();
  maker = await app.user('maker');
  stranger = await app.user('stranger');
  foreigner = await addTenant(app, 'second');
});

async function createModel() {
  made += 1;
  const body = { name: `Model ${made}`, attributes: [{ name: 'a' }] };
  return (await maker.call.createWorkItemModel({ body })).body;
}

const createQueue = (workItemModelId: unknown, name: string) =>
  maker.call.createQueue({ body: { name, workItemModelId: workItemModelId as number } });

async function recorded(id: unknown) {
  const rows = await app.sql<{ operation: string }>(
    "select operation from events where changes->>'workItemModelId' = $1 and queue_id = 0 order by id",
    [String(id)],
  );
  return rows.map(({ operation }) => operation);
}

describe('archiveWorkItemModel', () => {
  it('archiveWorkItemModel leaves the model to its queues and lets no other use it, until it is restored', async () => {
    const model = await createModel();
    const path = { id: model.id as number };
    const queue = (await createQueue(model.id, 'Before')).body;
    const { status, body } = await maker.call.archiveWorkItemModel({ path });
    expect([status, body]).toEqual([200, { ...model, archived: true, updatedOn: body.updatedOn }]);
    const late = await createQueue(model.id, 'After');
    expect([late.status, late.error.message]).toEqual([400, expect.stringContaining('which is archived')]);
    const workItems = [{ json: { a: 'x' } }];
    const queuePath = { id: queue.id as number };
    expect((await maker.call.createWorkItems({ path: queuePath, body: { workItems } })).status).toBe(200);
    const restored = (await maker.call.restoreWorkItemModel({ path })).body;
    expect(restored).toEqual({ ...model, updatedOn: restored.updatedOn });
    expect((await createQueue(model.id, 'After')).status).toBe(200);
    expect(await recorded(model.id)).toEqual([
      'createWorkItemModel',
      'archiveWorkItemModel',
      'restoreWorkItemModel',
    ]);
  });

  it('archiveWorkItemModel leaves the model out of lists, unless they ask for archived ones', async () => {
    const { id } = await createModel();
    await maker.call.archiveWorkItemModel({ path: { id: id as number } });
    const ids = async (filter?: object) =>
      (await maker.call.listWorkItemModels({ body: { ...(filter && { filter }) } as never })).body.list.map(
        (model) => model.id,
      );
    expect(await ids()).not.toContain(id);
    expect(await ids({ operator: 'eq', field: 'archived', value: true })).toContain(id);
  });

  it('archiveWorkItemModel of an archived model, and restoreWorkItemModel of another, change nothing', async () => {
    const model = await createModel();
    const path = { id: model.id as number };
    expect((await maker.call.restoreWorkItemModel({ path })).body).toEqual(model);
    const { body } = await maker.call.archiveWorkItemModel({ path });
    expect((await maker.call.archiveWorkItemModel({ path })).body).toEqual(body);
    expect(await recorded(model.id)).toEqual(['createWorkItemModel', 'archiveWorkItemModel']);
  });
});

describe('deleteWorkItemModel', () => {
  it('deleteWorkItemModel deletes a model that no queue uses, and frees its name', async () => {
    const model = await createModel();
    const path = { id: model.id as number };
    expect((await maker.call.deleteWorkItemModel({ path })).status).toBe(204);
    expect((await maker.call.getWorkItemModel({ path })).status).toBe(404);
    const again = { name: model.name as string, attributes: [{ name: 'a' }] };
    expect((await maker.call.createWorkItemModel({ body: again })).status).toBe(200);
    expect(await recorded(model.id)).toEqual(['createWorkItemModel', 'deleteWorkItemModel']);
  });

  it('deleteWorkItemModel refuses while queues use it, and names them and what to do instead', async () => {
    const { id } = await createModel();
    const path = { id: id as number };
    const queue = (await createQueue(id, 'In the way')).body;
    const { status, error } = await maker.call.deleteWorkItemModel({ path });
    expect([status, error.code]).toEqual([409, 'IN_USE']);
    expect(error.message).toContain(`used by queue "In the way" (${queue.id})`);
    expect(error.message).toContain(`POST /v4/wlm/workitemmodels/${id}/archive`);
    expect(error.details).toEqual([{ queueId: queue.id, message: 'In the way' }]);
    await maker.call.deleteQueue({ path: { id: queue.id as number } });
    expect((await maker.call.deleteWorkItemModel({ path })).status).toBe(204);
  });

  it('deleteWorkItemModel leaves no queue without a model when one is created at the same time', async () => {
    for (let round = 0; round < 10; round += 1) {
      const { id } = await createModel();
      const [created, deleted] = await Promise.all([
        createQueue(id, `Beside ${round}`),
        maker.call.deleteWorkItemModel({ path: { id: id as number } }),
      ]);
      expect([
        [200, 409],
        [400, 204],
      ]).toContainEqual([created.status, deleted.status]);
    }
  });

  it.each(['deleteWorkItemModel', 'archiveWorkItemModel', 'restoreWorkItemModel'] as const)(
    '%s is not for those who neither made the model nor own its queues, nor for other tenants',
    async (operation) => {
      const path = { id: (await createModel()).id as number };
      expect((await stranger.call[operation]({ path })).status).toBe(403);
      expect((await foreigner.call[operation]({ path })).status).toBe(404);
      expect((await app.as(undefined)[operation]({ path })).status).toBe(401);
      expect((await app.admin[operation]({ path })).status).toBeLessThan(300);
    },
  );
});
