import { beforeAll, describe, expect, it } from 'vitest';
import { startApp, type App, type TestUser } from '../testing/app.ts';
import { createQueue, type QueueFixture, withoutNames } from '../testing/fixtures.ts';

let app: App;
let member: TestUser;
let stranger: TestUser;

beforeAll(async () => {
  app = await startApp();
  member = await app.user('member');
  stranger = await app.user('stranger');
});

/** Has the consumer claim the next item and finish it. */
async function finish(queue: QueueFixture): Promise<void> {
  const { consumer, path } = queue;
  const [item] = await queue.claim();
  const results = [{ id: item?.id as number, version: item?.version as number, status: 'COMPLETE' as const }];
  await consumer.call.finishWorkItems({ path, body: { results } });
}

const newItem = { workItems: [{ json: { customer: 'new' } }] };

describe('archiveQueue', () => {
  it('archiveQueue puts the queue aside as it is, paused and with its items, and says so', async () => {
    const queue = await createQueue(app);
    await queue.add(1, 2);
    await finish(queue);
    const before = (await queue.owner.call.getQueue({ path: queue.path })).body;
    const { status, body } = await queue.owner.call.archiveQueue({
      path: queue.path,
      body: { reason: 'Replaced' },
    });
    expect(status).toBe(200);
    expect(body).toEqual({
      ...before,
      status: 'INACTIVE',
      archived: true,
      pause: { by: queue.owner.id, byName: 'owner', on: body.updatedOn, reason: 'Replaced' },
      version: 1,
      updatedOn: expect.any(String),
    });
    expect((await queue.consumer.call.getQueue({ path: queue.path })).body).toEqual({
      ...body,
      memberships: ['CONSUMER'],
      capabilities: ['view', 'process', 'report'],
    });
    expect((await queue.owner.call.listWorkItems({ path: queue.path })).body.list).toHaveLength(2);
    expect((await queue.owner.call.getQueueStats({ path: queue.path })).body.counts).toMatchObject({
      NEW: 1,
    });
  });

  it('archiveQueue makes the queue read-only: nothing is taken, granted or changed', async () => {
    const queue = await createQueue(app);
    const [item] = await queue.add(1);
    await queue.owner.call.archiveQueue({ path: queue.path });
    const { call } = queue.owner;
    const path = { ...queue.path, workItemId: item?.id as number };
    const body = { id: path.workItemId, queueId: queue.id, version: 0, status: 'COMPLETE' as const };
    const calls = await Promise.all([
      call.createWorkItems({ path: queue.path, body: newItem }),
      call.updateWorkItem({ path, body }),
      call.deleteWorkItem({ path }),
      call.updateQueue({ path: queue.path, body: { version: 1, description: 'x' } }),
      call.pauseQueue({ path: queue.path, body: { reason: 'x' } }),
      call.resumeQueue({ path: queue.path }),
      call.addOrUpdateQueueMember({ path: { ...queue.path, userId: member.id }, body: {} }),
    ]);
    expect(calls.map(({ status, error }) => [status, error.code])).toEqual(
      calls.map(() => [409, 'STATUS_CONFLICT']),
    );
    expect(calls[0].error.message).toContain(`Restore it first: POST /v4/wlm/queues/${queue.id}/restore.`);
    expect(await queue.claim()).toEqual([]);
    expect(withoutNames((await call.getWorkItem({ path })).body)).toEqual(item);
  });

  it('archiveQueue leaves the queue out of lists, unless they ask for archived ones', async () => {
    const [shelved, current] = [await createQueue(app), await createQueue(app)];
    await shelved.owner.call.archiveQueue({ path: shelved.path });
    const ids = async (filter?: object) => {
      const { body } = await shelved.owner.call.listQueues({ body: { ...(filter && { filter }) } as never });
      expect(body.page.totalFilter).toBe(body.list.length);
      return body.list.map(({ id }) => id);
    };
    expect(await ids()).toContain(current.id);
    expect(await ids()).not.toContain(shelved.id);
    const archived = { operator: 'eq', field: 'archived', value: true };
    expect(await ids(archived)).toContain(shelved.id);
    expect(await ids(archived)).not.toContain(current.id);
    const either = {
      operator: 'or',
      operands: [archived, { operator: 'eq', field: 'id', value: current.id }],
    };
    expect(await ids(either)).toEqual(expect.arrayContaining([shelved.id, current.id]));
  });

  it('archiveQueue refuses while items are in progress, and says what to do first', async () => {
    const queue = await createQueue(app);
    await queue.add(1, 2);
    await queue.claim(2);
    const { status, error } = await queue.owner.call.archiveQueue({ path: queue.path });
    expect([status, error.code]).toEqual([409, 'IN_USE']);
    expect(error.message).toContain('2 items of queue');
    expect(error.message).toContain('Pause the queue');
    expect((await queue.owner.call.getQueue({ path: queue.path })).body.archived).toBe(false);
  });

  it('archiveQueue of an archived queue, and restoreQueue of another, change nothing', async () => {
    const queue = await createQueue(app);
    const active = (await queue.owner.call.getQueue({ path: queue.path })).body;
    expect((await queue.owner.call.restoreQueue({ path: queue.path })).body).toEqual(active);
    const { body } = await queue.owner.call.archiveQueue({ path: queue.path });
    expect((await queue.owner.call.archiveQueue({ path: queue.path })).body).toEqual(body);
  });

  it('archiveQueue strands no item that is created or claimed at the same time', async () => {
    for (let round = 0; round < 10; round += 1) {
      const queue = await createQueue(app);
      await queue.add(1, 2);
      const [created, claimed, archived] = await Promise.all([
        queue.owner.call.createWorkItems({ path: queue.path, body: newItem }),
        queue.claim(2),
        queue.owner.call.archiveQueue({ path: queue.path }),
      ]);
      // Whichever came first: nobody holds an item of an archived queue, and all accepted items are there.
      expect(archived.status).toBe(claimed.length > 0 ? 409 : 200);
      const { list } = (await queue.owner.call.listWorkItems({ path: queue.path })).body;
      expect(list).toHaveLength(created.status === 200 ? 3 : 2);
      expect(await queue.claim(3)).toHaveLength(archived.status === 200 ? 0 : list.length - claimed.length);
    }
  });

  it('archiveQueue and restoreQueue are for owners', async () => {
    const queue = await createQueue(app);
    await queue.owner.call.addOrUpdateQueueMember({ path: { ...queue.path, userId: member.id }, body: {} });
    for (const operation of ['archiveQueue', 'restoreQueue'] as const) {
      expect((await member.call[operation]({ path: queue.path })).status).toBe(403);
      expect((await stranger.call[operation]({ path: queue.path })).status).toBe(404);
    }
  });
});

describe('restoreQueue', () => {
  it('restoreQueue brings the queue back paused, with all it held; resumed, it grants again', async () => {
    const queue = await createQueue(app);
    await queue.add(7);
    const archived = (await queue.owner.call.archiveQueue({ path: queue.path })).body;
    const { status, body } = await queue.owner.call.restoreQueue({
      path: queue.path,
      body: { reason: 'Audit' },
    });
    expect([status, body]).toEqual([
      200,
      { ...archived, archived: false, version: 2, updatedOn: body.updatedOn },
    ]);
    expect(await queue.claim()).toEqual([]);
    await queue.add(8);
    await queue.owner.call.resumeQueue({ path: queue.path });
    expect((await queue.claim(5)).map(({ json }) => json?.['amount'])).toEqual([7, 8]);
  });

  it('archiveQueue and restoreQueue are on record, with their reasons', async () => {
    const queue = await createQueue(app);
    await queue.owner.call.archiveQueue({ path: queue.path, body: { reason: 'Replaced' } });
    await queue.owner.call.restoreQueue({ path: queue.path, body: { reason: 'Audit' } });
    const events = await app.sql(
      `select operation, actor_id::int as actor, reason from events
       where queue_id = $1 and item_id = 0 and operation in ('archiveQueue', 'restoreQueue') order by id`,
      [queue.id],
    );
    expect(events).toEqual([
      { operation: 'archiveQueue', actor: queue.owner.id, reason: 'Replaced' },
      { operation: 'restoreQueue', actor: queue.owner.id, reason: 'Audit' },
    ]);
  });
});

describe('deleteQueue', () => {
  it('deleteQueue deletes an empty queue with all that belongs to it, and keeps what happened', async () => {
    const queue = await createQueue(app, { disallowDuplicate: true });
    const [item] = await queue.add(1);
    await queue.owner.call.deleteWorkItem({ path: { ...queue.path, workItemId: item?.id as number } });
    const { status } = await queue.owner.call.deleteQueue({ path: queue.path });
    expect(status).toBe(204);
    expect((await app.admin.getQueue({ path: queue.path })).status).toBe(404);
    const tables = ['queue_members', 'queue_consumers', 'queue_tallies', 'work_item_hashes', 'events'];
    const counts = tables.map(
      (table) => `(select count(*)::int from ${table} where queue_id = $1) as ${table}`,
    );
    const [rows] = await app.sql(`select ${counts.join(', ')}`, [queue.id]);
    expect(rows).toMatchObject({
      queue_members: 0,
      queue_consumers: 0,
      queue_tallies: 0,
      work_item_hashes: 0,
    });
    expect(rows?.['events']).toBeGreaterThan(0);
  });

  it('deleteQueue frees the name', async () => {
    const queue = await createQueue(app);
    const { name = '', workItemModelId = 0 } = (await queue.owner.call.getQueue({ path: queue.path })).body;
    await queue.owner.call.deleteQueue({ path: queue.path });
    expect((await queue.owner.call.createQueue({ body: { name, workItemModelId } })).status).toBe(200);
  });

  it('deleteQueue refuses while there are items, and says how many in which status', async () => {
    const queue = await createQueue(app);
    await queue.add(1);
    await finish(queue);
    const { status, error } = await queue.owner.call.deleteQueue({ path: queue.path });
    expect([status, error.code]).toEqual([409, 'IN_USE']);
    expect(error.message).toContain('holds 1 item (1 COMPLETE). Delete them first, or archive');
    await queue.add(...Array.from({ length: 1200 }, (_, amount) => amount));
    const full = (await queue.owner.call.deleteQueue({ path: queue.path })).error;
    expect(full.message).toContain('holds 1201 items (1200 NEW, 1 COMPLETE)');
    expect(full.details).toEqual([
      { field: 'NEW', message: '1200 items' },
      { field: 'COMPLETE', message: '1 item' },
    ]);
    expect((await queue.owner.call.getQueue({ path: queue.path })).status).toBe(200);
  });

  it('deleteQueue lets one of several simultaneous callers delete', async () => {
    const queue = await createQueue(app);
    const deleting = Array.from({ length: 6 }, () => queue.owner.call.deleteQueue({ path: queue.path }));
    const statuses = (await Promise.all(deleting)).map(({ status }) => status);
    expect(statuses.toSorted((a, b) => a - b)).toEqual([204, 404, 404, 404, 404, 404]);
  });

  it('deleteQueue leaves no item without a queue when one is created at the same time', async () => {
    for (let round = 0; round < 10; round += 1) {
      const queue = await createQueue(app);
      const workItems = [{ json: { customer: 'x' } }];
      const [created, deleted] = await Promise.all([
        queue.owner.call.createWorkItems({ path: queue.path, body: { workItems } }),
        queue.owner.call.deleteQueue({ path: queue.path }),
      ]);
      expect([
        [200, 409],
        [404, 204],
      ]).toContainEqual([created.status, deleted.status]);
    }
    const orphans = await app.sql('select id from work_items where queue_id not in (select id from queues)');
    expect(orphans).toEqual([]);
  });

  it('deleteQueue is for owners', async () => {
    const queue = await createQueue(app);
    await queue.owner.call.addOrUpdateQueueMember({ path: { ...queue.path, userId: member.id }, body: {} });
    expect((await member.call.deleteQueue({ path: queue.path })).status).toBe(403);
    expect((await stranger.call.deleteQueue({ path: queue.path })).status).toBe(404);
    expect((await queue.owner.call.getQueue({ path: queue.path })).status).toBe(200);
  });
});
