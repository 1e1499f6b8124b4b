import pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import { startApp, type App, type TestUser } from '../../testing/app.ts';
import { createQueue, eventually, type QueueFixture } from '../../testing/fixtures.ts';
import { addTenant } from '../../testing/tenant.ts';

let app: App;
let queue: QueueFixture;
let member: TestUser;
let stranger: TestUser;
let foreigner: TestUser;

beforeAll(async () => {
  app = await startApp();
  foreigner = await addTenant(app, 'second');
  member = await app.user('member');
  stranger = await app.user('stranger');
  queue = await createQueue(app);
  await setRole(member.id, 'MEMBER');
});

type Role = 'OWNER' | 'MEMBER' | 'PARTICIPANT';
let newcomers = 0;

async function newcomer(roles?: string[]): Promise<TestUser> {
  newcomers += 1;
  return app.user(`newcomer ${newcomers}`, roles);
}

async function setRole(userId: number, role?: Role, of = queue, call = of.owner.call) {
  return call.addOrUpdateQueueMember({ path: { ...of.path, userId }, body: role ? { role } : {} });
}

async function roleOf(name: string, { call } = { call: app.admin }): Promise<number> {
  const { list } = (await call.listRoles()).body;
  return Number(list.find((role) => role.name === name)?.id);
}

describe('addQueueConsumer', () => {
  it('addQueueConsumer lets the users of a role process items, at once and as often as it is said', async () => {
    const pool = await newcomer(['AAE_Pool Admin']);
    const path = queue.path;
    expect((await pool.call.claimWorkItems({ path, body: {} })).status).toBe(404);
    const roleId = await roleOf('AAE_Pool Admin');
    for (let time = 0; time < 2; time += 1) {
      const { status, body } = await queue.owner.call.addQueueConsumer({ path, body: { roleId } });
      expect([status, body]).toEqual([200, { roleId, roleName: 'AAE_Pool Admin' }]);
    }
    expect((await pool.call.claimWorkItems({ path, body: {} })).status).toBe(200);
    const rows = await app.sql('select from queue_consumers where queue_id = $1 and role_id = $2', [
      queue.id,
      roleId,
    ]);
    expect(rows).toHaveLength(1);
  });

  it('addQueueConsumer knows no role of another tenant, and none that does not exist', async () => {
    for (const roleId of [await roleOf('AAE_Basic', foreigner), 987_654_321]) {
      const { status, error } = await queue.owner.call.addQueueConsumer({
        path: queue.path,
        body: { roleId },
      });
      expect([status, error.code]).toEqual([404, 'NOT_FOUND']);
      expect(error.message).toContain(`no role ${roleId}`);
    }
  });

  it('addQueueConsumer needs a roleId', async () => {
    const none = await queue.owner.call.addQueueConsumer({ path: queue.path, body: {} });
    expect([none.status, none.error.details?.[0]?.field]).toEqual([400, 'roleId']);
    for (const body of [{ roleId: 'x' }, { roleId: null }, { rolId: 1 }, []]) {
      expect(
        (await queue.owner.call.addQueueConsumer({ path: queue.path, body: body as never })).status,
      ).toBe(400);
    }
  });

  it('addQueueConsumer is for owners', async () => {
    const body = { roleId: await roleOf('AAE_Basic') };
    expect((await member.call.addQueueConsumer({ path: queue.path, body })).status).toBe(403);
    expect((await stranger.call.addQueueConsumer({ path: queue.path, body })).status).toBe(404);
  });
});

describe('addOrUpdateQueueMember', () => {
  it('addOrUpdateQueueMember makes a user a member, and gives another role when told so', async () => {
    const user = await newcomer();
    expect((await user.call.getQueue({ path: queue.path })).status).toBe(404);
    const added = await setRole(user.id);
    expect([added.status, added.body]).toEqual([200, { userId: user.id, role: 'MEMBER' }]);
    expect((await user.call.getQueue({ path: queue.path })).status).toBe(200);
    for (const role of ['PARTICIPANT', 'OWNER', 'MEMBER'] as const) {
      expect((await setRole(user.id, role)).body).toEqual({ userId: user.id, role });
    }
    expect((await setRole(user.id, 'OWNER')).status).toBe(200);
    expect((await setRole(user.id)).body).toEqual({ userId: user.id, role: 'OWNER' });
  });

  it('addOrUpdateQueueMember leaves the last owner an owner', async () => {
    const own = await createQueue(app);
    const { status, error } = await setRole(own.owner.id, 'MEMBER', own, app.admin);
    expect([status, error.code]).toEqual([409, 'STATUS_CONFLICT']);
    await setRole(member.id, 'OWNER', own);
    expect((await setRole(own.owner.id, 'MEMBER', own)).body.role).toBe('MEMBER');
    expect((await setRole(member.id, 'PARTICIPANT', own, member.call)).status).toBe(409);
  });

  it('addOrUpdateQueueMember and removeQueueMember count no other owner who is disabled', async () => {
    const own = await createQueue(app);
    const second = await newcomer();
    await setRole(second.id, 'OWNER', own);
    await app.admin.disableUser({ path: { id: second.id } });
    const path = { ...own.path, userId: own.owner.id };
    const removed = await app.admin.removeQueueMember({ path });
    expect([removed.status, removed.error.message]).toEqual([
      409,
      expect.stringContaining('the last owner of the queue who is not disabled'),
    ]);
    expect((await setRole(own.owner.id, 'MEMBER', own)).status).toBe(409);
    // A disabled user does not count as another owner.
    expect((await app.admin.removeQueueMember({ path: { ...path, userId: second.id } })).status).toBe(204);
  });

  it('addOrUpdateQueueMember leaves one of two owners who dismiss each other', async () => {
    for (let round = 0; round < 5; round += 1) {
      const own = await createQueue(app);
      await setRole(member.id, 'OWNER', own);
      const answers = await Promise.all([
        setRole(member.id, 'MEMBER', own, app.admin),
        setRole(own.owner.id, 'MEMBER', own, app.admin),
      ]);
      expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409]);
      const owners = await app.sql("select from queue_members where queue_id = $1 and role = 'OWNER'", [
        own.id,
      ]);
      expect(owners).toHaveLength(1);
    }
  });

  it('addOrUpdateQueueMember knows no user of another tenant, and none that does not exist', async () => {
    for (const userId of [foreigner.id, 987_654_321]) {
      const { status, error } = await setRole(userId, 'MEMBER');
      expect([status, error.code]).toEqual([404, 'NOT_FOUND']);
      expect(error.message).toContain(`no user ${userId}`);
    }
  });

  it('addOrUpdateQueueMember refuses what the contract does not know', async () => {
    const path = { ...queue.path, userId: member.id };
    for (const body of [{ role: 'KING' }, { role: 'owner' }, { rloe: 'OWNER' }, [], undefined]) {
      expect((await queue.owner.call.addOrUpdateQueueMember({ path, body: body as never })).status).toBe(400);
    }
  });

  it('addOrUpdateQueueMember is for owners', async () => {
    expect((await setRole(member.id, 'OWNER', queue, member.call)).status).toBe(403);
    expect((await setRole(stranger.id, 'OWNER', queue, stranger.call)).status).toBe(404);
  });
});

describe('addQueueParticipant', () => {
  const add = (userId: unknown, call = queue.owner.call) =>
    call.addQueueParticipant({ path: queue.path, body: { userId } as never });

  it('addQueueParticipant lets a user see the queue and add items', async () => {
    const user = await newcomer();
    const { status, body } = await add(user.id);
    expect([status, body]).toEqual([200, { userId: user.id, role: 'PARTICIPANT' }]);
    const workItems = [{ json: { customer: 'x' } }];
    expect((await user.call.createWorkItems({ path: queue.path, body: { workItems } })).status).toBe(200);
  });

  it('addQueueParticipant leaves owners and members what they are', async () => {
    expect((await add(queue.owner.id)).body.role).toBe('OWNER');
    expect((await add(member.id)).body.role).toBe('MEMBER');
  });

  it('addQueueParticipant knows no user of another tenant, and none that does not exist', async () => {
    for (const userId of [foreigner.id, 987_654_321]) {
      const { status, error } = await add(userId);
      expect([status, error.code]).toEqual([404, 'NOT_FOUND']);
    }
  });

  it('addQueueParticipant needs a userId, and none that is misspelt', async () => {
    const { status, error } = await add(undefined);
    expect([status, error.details?.[0]?.field]).toEqual([400, 'userId']);
    const body = { userid: member.id } as never;
    expect((await queue.owner.call.addQueueParticipant({ path: queue.path, body })).status).toBe(400);
  });

  it('addQueueParticipant is for owners', async () => {
    expect((await add(stranger.id, member.call)).status).toBe(403);
    expect((await add(stranger.id, stranger.call)).status).toBe(404);
  });
});

describe('a user who is deleted at the same moment', () => {
  const waiting = () =>
    app.sql("select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'");

  it('addOrUpdateQueueMember and addQueueParticipant make them nothing in the queue', async () => {
    for (const add of [
      (userId: number) => setRole(userId, 'OWNER'),
      (userId: number) => queue.owner.call.addQueueParticipant({ path: queue.path, body: { userId } }),
    ]) {
      const user = await newcomer();
      const deleter = new pg.Client(app.connection);
      await deleter.connect();
      await deleter.query('begin');
      await deleter.query('update users set deleted_on = now(), disabled = true where id = $1', [user.id]);
      const adding = add(user.id);
      await Promise.race([adding, eventually(waiting, ({ length }) => length > 0)]);
      await deleter.query('commit');
      await deleter.end();
      expect((await adding).error.code).toBe('NOT_FOUND');
    }
  });
});

describe('listQueueMembers', () => {
  it('listQueueMembers shows who belongs to the queue as what, filtered, sorted and by the page', async () => {
    const own = await createQueue(app);
    const user = await newcomer();
    await setRole(user.id, 'PARTICIPANT', own);
    const { status, body } = await user.call.listQueueMembers({ path: own.path });
    expect(status).toBe(200);
    expect(body.page).toEqual({ offset: 0, total: 2, totalFilter: 2 });
    expect(body.list).toContainEqual({ userId: own.owner.id, username: 'owner', role: 'OWNER' });
    const filter = { operator: 'eq', field: 'role', value: 'PARTICIPANT' };
    for (const field of ['userId', 'username', 'role']) {
      const request = { filter, sort: [{ field, direction: 'desc' }], page: { length: 1 } };
      const { list } = (await user.call.listQueueMembers({ path: own.path, body: request })).body;
      expect(list.map(({ userId }) => userId)).toEqual([user.id]);
    }
  });
});

describe('removeQueueMember', () => {
  const remove = (userId: number, of = queue, call = of.owner.call) =>
    call.removeQueueMember({ path: { ...of.path, userId } });

  it('removeQueueMember takes a user off the queue at once, and is on record with the role', async () => {
    const user = await newcomer();
    await setRole(user.id, 'MEMBER');
    expect((await remove(user.id)).status).toBe(204);
    expect((await user.call.getQueue({ path: queue.path })).status).toBe(404);
    const query = { operation: 'removeQueueMember', last: 1 };
    const { list } = (await queue.owner.call.listEvents({ query })).body;
    expect(list).toMatchObject([{ queueId: queue.id, changes: { userId: user.id, role: 'MEMBER' } }]);
  });

  it('removeQueueMember leaves the last owner, also of two who remove each other', async () => {
    const own = await createQueue(app);
    const { status, error } = await remove(own.owner.id, own, app.admin);
    expect([status, error.code]).toEqual([409, 'STATUS_CONFLICT']);
    await setRole(member.id, 'OWNER', own);
    const answers = await Promise.all([
      remove(member.id, own, app.admin),
      remove(own.owner.id, own, app.admin),
    ]);
    expect(answers.map((answer) => answer.status).toSorted((a, b) => a - b)).toEqual([204, 409]);
  });

  it('removeQueueMember finds nobody who does not belong to the queue, and nobody of another tenant', async () => {
    for (const userId of [stranger.id, foreigner.id, 987_654_321])
      expect((await remove(userId)).error.code).toBe('NOT_FOUND');
  });
});

describe('listQueueConsumers and removeQueueConsumer', () => {
  it('listQueueConsumers shows the roles, and removeQueueConsumer has their users claim nothing any more', async () => {
    const own = await createQueue(app);
    await own.add(1, 2);
    expect(await own.claim()).toHaveLength(1);
    const roleId = await roleOf('AAE_Bot Runner');
    const { body } = await own.consumer.call.listQueueConsumers({ path: own.path });
    expect(body.list).toEqual([{ roleId, roleName: 'AAE_Bot Runner' }]);
    const path = { ...own.path, roleId };
    expect((await own.owner.call.removeQueueConsumer({ path })).status).toBe(204);
    expect((await own.consumer.call.claimWorkItems({ path: own.path, body: {} })).status).toBe(404);
    expect((await own.owner.call.listQueueConsumers({ path: own.path })).body.list).toEqual([]);
    expect((await own.owner.call.removeQueueConsumer({ path })).error.code).toBe('NOT_FOUND');
    const foreign = { ...own.path, roleId: await roleOf('AAE_Basic', foreigner) };
    expect((await own.owner.call.removeQueueConsumer({ path: foreign })).error.code).toBe('NOT_FOUND');
  });

  it('listQueueConsumers filters and sorts on every member that it promises', async () => {
    for (const [field, value] of Object.entries({ roleId: '1', roleName: 'a' })) {
      const request = { filter: { operator: 'eq', field, value }, sort: [{ field }] };
      const { status } = await queue.owner.call.listQueueConsumers({ path: queue.path, body: request });
      expect(status).toBe(200);
    }
  });
});
