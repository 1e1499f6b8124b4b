import { describe, expect, it } from 'vitest';
import { password, startApp } from '../../testing/app.ts';
import { createQueue } from '../../testing/fixtures.ts';
import { createUserPeople } from '../../testing/users.ts';

const app = await startApp();
const { manager } = await createUserPeople(app);

/** A queue with a role that consumes it, and a user who has the role. */
async function consumed(name: string) {
  const queue = await createQueue(app);
  const role = (await app.admin.createRole({ body: { name, permissions: ['useQueues', 'generateApiKey'] } }))
    .body;
  await queue.owner.call.addQueueConsumer({ path: queue.path, body: { roleId: role.id } });
  return { queue, roles: [{ id: Number(role.id) }], consumer: await app.user(`has ${name}`, [name]) };
}

/** Makes the manager of users an owner of the queue. */
const join = ({ owner, path }: Awaited<ReturnType<typeof createQueue>>) =>
  owner.call.addOrUpdateQueueMember({ path: { ...path, userId: manager.id }, body: { role: 'OWNER' } });

const beyond = [403, expect.stringMatching(/queue.*Ask an owner of the queue/)];

describe('rights in queues', () => {
  it('updateUser and createUser give no role that processes a queue where the caller has no say', async () => {
    const { queue, roles, consumer } = await consumed('Payers');
    const give = (id: number, version = 0) =>
      manager.call.updateUser({ path: { id }, body: { version, roles } });
    const toOneself = await give(manager.id);
    expect([toOneself.status, toOneself.error.message]).toEqual(beyond);
    const made = await manager.call.createUser({ body: { username: 'made to enter', password, roles } });
    expect([made.status, made.error.message]).toEqual(beyond);
    expect((await manager.call.getQueue({ path: queue.path })).status).toBe(404);
    // A user who has the role already keeps it when something else changes.
    expect((await give(consumer.id)).status).toBe(200);
    await join(queue);
    const body = { username: 'made by an owner', password, roles };
    expect((await manager.call.createUser({ body })).status).toBe(200);
  });

  it('createApiKey for somebody else opens no queue where the caller has no say', async () => {
    const { queue, consumer } = await consumed('Key holders');
    const make = () => manager.call.createApiKey({ body: { userId: consumer.id, name: 'way in' } });
    const refused = await make();
    expect([refused.status, refused.error.message]).toEqual(beyond);
    const own = (await consumer.call.createApiKey({ body: { name: 'own' } })).body;
    expect((await manager.call.rotateApiKey({ path: { id: own.id } })).status).toBe(403);
    expect((await app.admin.createApiKey({ body: { userId: consumer.id, name: 'x' } })).status).toBe(200);
    await join(queue);
    expect((await make()).status).toBe(200);
  });

  it('createApiKey for somebody else opens no queue that its user comes into later, but for who manages all', async () => {
    const [first, later] = [await consumed('First'), await consumed('Later')];
    const { consumer } = first;
    await join(first.queue);
    await later.queue.owner.call.addQueueParticipant({
      path: later.queue.path,
      body: { userId: manager.id },
    });
    const queueIds = [first.queue.id, later.queue.id];
    const wide = await manager.call.createApiKey({ body: { userId: consumer.id, queueIds } });
    expect([wide.status, wide.error.message]).toEqual(beyond);
    const made = (await manager.call.createApiKey({ body: { userId: consumer.id } })).body;
    expect(made.queueIds).toEqual([first.queue.id]);
    const byAdmin = (await app.admin.createApiKey({ body: { userId: consumer.id } })).body;
    const path = { ...later.queue.path, userId: consumer.id };
    await later.queue.owner.call.addOrUpdateQueueMember({ path, body: { role: 'MEMBER' } });
    const seenWith = async (apiKey = '') => {
      const { token } = (await app.as(undefined).logIn({ body: { username: 'has First', apiKey } })).body;
      const shown = [first, later].map(({ queue }) => app.as(token).getQueue({ path: queue.path }));
      return (await Promise.all(shown)).map(({ status }) => status);
    };
    expect(await seenWith(made.apiKey)).toEqual([200, 403]);
    expect(await seenWith(byAdmin.apiKey)).toEqual([200, 200]);
  });

  it('resetUserPassword tells the queues of the user, when who resets it has no say there', async () => {
    const { queue, consumer } = await consumed('Forgetful');
    const told = async () => {
      const query = { queueId: queue.id, operation: 'resetUserPassword' };
      return (await queue.owner.call.listEvents({ query })).body.list;
    };
    expect((await app.admin.resetUserPassword({ path: { id: consumer.id } })).status).toBe(200);
    expect(await told()).toEqual([]);
    expect((await manager.call.resetUserPassword({ path: { id: consumer.id } })).status).toBe(200);
    expect(await told()).toMatchObject([{ actorName: 'manager', changes: { userId: consumer.id } }]);
  });

  it('createPool, updatePool and deletePool are on record with from where', async () => {
    const pool = (await app.admin.createPool({ body: { name: 'Machines' } })).body;
    const path = { id: Number(pool.id) };
    await app.admin.updatePool({ path, body: { version: 0, ownerIds: [manager.id] } });
    await app.admin.deletePool({ path });
    for (const operation of ['createPool', 'updatePool', 'deletePool']) {
      const { list } = (await app.admin.listEvents({ query: { operation, last: 1 } })).body;
      expect(list).toMatchObject([{ changes: { poolId: path.id, address: '127.0.0.1' } }]);
    }
  });
});
