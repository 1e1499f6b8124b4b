import type { Schemas } from '@millrace/api';
import { describe, expect, it } from 'vitest';
import { startApp, type Caller } from '../../testing/app.ts';
import { createQueue } from '../../testing/fixtures.ts';
import { createUserPeople } from '../../testing/users.ts';

const app = await startApp();
const { foreigner } = await createUserPeople(app);
const queue = await createQueue(app);
const queueId = queue.id;
const { owner } = queue;

async function join(name: string, role: 'MEMBER' | 'PARTICIPANT') {
  const user = await app.user(name);
  await owner.call.addOrUpdateQueueMember({ path: { ...queue.path, userId: user.id }, body: { role } });
  return user;
}

const member = await join('member of it', 'MEMBER');
const participant = await join('participant of it', 'PARTICIPANT');
const outsider = await app.user('outsider');

let made = 0;
const save = (call: Caller, more: Partial<Schemas['NewView']> = {}) =>
  call.createView({ body: { name: `view ${++made}`, page: 'ITEMS', queueId, ...more } });
const idOf = async (answer: ReturnType<typeof save>) => ({ path: { id: Number((await answer).body.id) } });
const refusal = ({ status, error }: { status: number; error: { code: string } }) => [status, error.code];
const forbidden = [403, 'FORBIDDEN'];
const unseen = [404, 'NOT_FOUND'];

async function newest(operation: string) {
  return (await owner.call.listEvents({ query: { queueId, operation, last: 1 } })).body.list[0];
}

describe('createView', () => {
  it('createView keeps filter, columns and order of a page under a name', async () => {
    const body: Schemas['NewView'] = {
      ...{ name: 'Timeouts', page: 'ITEMS', queueId, query: 'error~"timeout"' },
      ...{ columns: ['status', 'col1'], sort: '-createdOn', shared: false },
    };
    const { body: view } = await participant.call.createView({
      body,
    });
    const who = { createdBy: participant.id, createdByName: 'participant of it', own: true, mayChange: true };
    expect(view).toMatchObject({
      ...body,
      ...who,
      queueName: expect.stringMatching(/^Applications \d+$/),
      version: 0,
    });
    const other = await participant.call.createView({
      body: { name: 'Lost ones', page: 'DEVICES', query: 'lost' },
    });
    expect(other.body).toMatchObject({ page: 'DEVICES', query: 'lost', columns: [], sort: '' });
  });

  it.each([
    ['no queue', 'queueId', { queueId: undefined }],
    ['a queue of another page', 'queueId', { page: 'DEVICES' }],
    ['nobody to share with', 'shared', { page: 'DEVICES', queueId: undefined, shared: true }],
    ['a blank name', 'name', { name: '  ' }],
    ['a name that reads backwards', 'name', { name: 'a\u202eb' }],
    ['an order that is none', 'sort', { sort: 'a b' }],
    ['columns that are none', 'columns', { columns: ['<b>'] }],
    ['an endless filter', 'query', { query: 'x'.repeat(4001) }],
  ])('createView refuses %s and names the member %s', async (_, field, more) => {
    const answer = await save(owner.call, more as object);
    expect([answer.status, answer.error.message]).toEqual([400, expect.stringContaining(field)]);
  });

  it('createView is for queues that the caller sees, and shares in those that the caller repairs', async () => {
    for (const call of [outsider.call, foreigner.call]) expect(refusal(await save(call))).toEqual(unseen);
    expect(refusal(await save(participant.call, { shared: true }))).toEqual(forbidden);
    const consumer = await save(queue.consumer.call, { shared: true });
    expect(refusal(consumer)).toEqual(forbidden);
    expect((await save(member.call, { shared: true })).body.shared).toBe(true);
    expect((await app.as(undefined).createView({ body: { name: 'x', page: 'QUEUES' } })).status).toBe(401);
  });

  it('createView refuses a second one of a name, also where it only looks the same', async () => {
    await save(owner.call, { name: 'Mine' });
    expect(refusal(await save(owner.call, { name: 'Mine' }))).toEqual([409, 'NAME_TAKEN']);
    expect(refusal(await save(owner.call, { name: 'Ｍine' }))).toEqual([409, 'NAME_TAKEN']);
    expect((await save(member.call, { name: 'Mine' })).status).toBe(200);
    expect((await save(owner.call, { name: 'Mine', shared: true })).status).toBe(200);
    expect(refusal(await save(member.call, { name: 'Mine', shared: true }))).toEqual([409, 'NAME_TAKEN']);
  });

  it('createView stops at a hundred of a queue', async () => {
    const many = await app.user('saves without end');
    const { call } = many;
    const own = (name: string) => call.createView({ body: { name, page: 'QUEUES' } });
    for (let count = 0; count < 100; count += 1) expect((await own(`view ${count}`)).status).toBe(200);
    expect(refusal(await own('one more'))).toEqual([409, 'QUOTA_REACHED']);
    expect((await call.listViews()).body.page.total).toBe(100);
  });

  it('createView of a shared one is on record, without the filter, and one of one’s own is not', async () => {
    const { body } = await save(member.call, { name: 'Seen by all', query: 'customer:"Jane"', shared: true });
    await save(member.call, { name: 'Seen by me' });
    const event = await newest('createView');
    expect(event).toMatchObject({
      actorName: 'member of it',
      changes: { viewId: body.id, name: 'Seen by all' },
    });
    expect(JSON.stringify(event)).not.toContain('Jane');
  });
});

describe('getView and listViews', () => {
  it('listViews has one’s own and what is shared in the queues that one sees', async () => {
    const own = await idOf(save(member.call));
    const shared = await idOf(save(member.call, { shared: true }));
    const other = await createQueue(app);
    const elsewhere = await idOf(
      other.owner.call.createView({ body: { name: 'x', page: 'ITEMS', queueId: other.id, shared: true } }),
    );
    const idsOf = async (call: Caller) =>
      (await call.listViews({ body: { page: { length: 1000 } } })).body.list.map(({ id }) => Number(id));
    const seen = await idsOf(participant.call);
    expect(seen).toContain(shared.path.id);
    for (const { path } of [own, elsewhere]) expect(seen).not.toContain(path.id);
    expect(await idsOf(member.call)).toEqual(expect.arrayContaining([own.path.id, shared.path.id]));
    expect(await idsOf(outsider.call)).toEqual([]);
    expect(await idsOf(foreigner.call)).toEqual([]);
    for (const view of [own, shared]) expect(refusal(await outsider.call.getView(view))).toEqual(unseen);
    expect(refusal(await participant.call.getView(own))).toEqual(unseen);
    expect((await participant.call.getView(shared)).body).toMatchObject({ own: false, mayChange: false });
    expect((await owner.call.getView(shared)).body).toMatchObject({ own: false, mayChange: true });
  });

  it('listViews filters and sorts', async () => {
    const { call } = await join('sorts', 'MEMBER');
    for (const name of ['b', 'c', 'a']) await save(call, { name });
    await call.createView({ body: { name: 'd', page: 'QUEUES' } });
    const and = (...fields: [string, string][]) => ({
      operator: 'and',
      operands: fields.map(([field, value]) => ({ operator: 'eq', field, value })),
    });
    const filter = and(['own', 'true'], ['page', 'ITEMS'], ['queueId', String(queueId)]);
    const { body } = await call.listViews({ body: { filter, sort: [{ field: 'name', direction: 'desc' }] } });
    expect(body.list.map(({ name }) => name)).toEqual(['c', 'b', 'a']);
  });

  it('listViews shows no views of a queue to whom has left it, nor to a key that is good for another', async () => {
    const leaving = await join('leaves', 'MEMBER');
    const view = await idOf(save(leaving.call));
    await owner.call.removeQueueMember({ path: { ...queue.path, userId: leaving.id } });
    expect(refusal(await leaving.call.getView(view))).toEqual(unseen);
    expect((await leaving.call.listViews()).body.list).toEqual([]);
    const keeper = await app.user('keeper of a key', ['AAE_Queue Admin']);
    const seen = await idOf(save(keeper.call, { shared: true }));
    const elsewhere = await createQueue(app);
    const { apiKey = '' } = (await keeper.call.createApiKey({ body: { queueIds: [elsewhere.id] } })).body;
    const { token } = (await app.as(undefined).logIn({ body: { username: 'keeper of a key', apiKey } })).body;
    expect(refusal(await app.as(token).getView(seen))).toEqual(unseen);
    expect((await app.as(token).listViews()).body.list).toEqual([]);
    expect(refusal(await save(app.as(token)))).toEqual(unseen);
  });
});

describe('updateView', () => {
  it('updateView changes what is named, by version, and shares', async () => {
    const view = await idOf(save(member.call, { query: 'a', sort: '-id', columns: ['status'] }));
    const changed = await member.call.updateView({
      ...view,
      body: { version: 0, name: 'Renamed', sort: '' },
    });
    expect(changed.body).toMatchObject({
      name: 'Renamed',
      query: 'a',
      sort: '',
      columns: ['status'],
      version: 1,
    });
    const stale = await member.call.updateView({ ...view, body: { version: 0, query: 'b' } });
    expect(refusal(stale)).toEqual([409, 'VERSION_CONFLICT']);
    const shared = await member.call.updateView({ ...view, body: { version: 1, shared: true, query: 'c' } });
    expect(shared.body).toMatchObject({ shared: true, query: 'c', version: 2 });
    expect(await newest('updateView')).toMatchObject({
      changes: { name: 'Renamed', changed: ['query', 'shared'] },
    });
  });

  it('updateView is for the creator, and of a shared one for owners, who cannot take it for the creator', async () => {
    const own = await idOf(save(member.call));
    const shared = await idOf(save(member.call, { shared: true }));
    const body = { version: 0, query: 'x' };
    expect(refusal(await participant.call.updateView({ ...own, body }))).toEqual(unseen);
    expect(refusal(await participant.call.updateView({ ...shared, body }))).toEqual(forbidden);
    expect((await owner.call.updateView({ ...shared, body })).body).toMatchObject({ query: 'x', own: false });
    const unshare = { version: 1, shared: false };
    expect(refusal(await owner.call.updateView({ ...shared, body: unshare }))).toEqual(forbidden);
    expect((await member.call.updateView({ ...shared, body: unshare })).body.shared).toBe(false);
    expect(refusal(await participant.call.updateView({ ...shared, body: unshare }))).toEqual(unseen);
  });

  it('updateView shares nothing for whom the queue’s members no longer are', async () => {
    const demoted = await join('demoted', 'MEMBER');
    const view = await idOf(save(demoted.call));
    await owner.call.addOrUpdateQueueMember({
      path: { ...queue.path, userId: demoted.id },
      body: { role: 'PARTICIPANT' },
    });
    const answer = await demoted.call.updateView({ ...view, body: { version: 0, shared: true } });
    expect(refusal(answer)).toEqual(forbidden);
  });
});

describe('deleteView', () => {
  it('deleteView is for the creator, and of a shared one for owners', async () => {
    const own = await idOf(save(member.call));
    const shared = await idOf(save(member.call, { name: 'To go', shared: true }));
    expect(refusal(await participant.call.deleteView(own))).toEqual(unseen);
    expect(refusal(await participant.call.deleteView(shared))).toEqual(forbidden);
    expect((await owner.call.deleteView(shared)).status).toBe(204);
    expect(await newest('deleteView')).toMatchObject({ actorName: 'owner', changes: { name: 'To go' } });
    expect((await member.call.deleteView(own)).status).toBe(204);
    expect(refusal(await member.call.getView(own))).toEqual(unseen);
  });

  it('deleteQueue takes the views of the queue away, and deleteUser those that only the user saw', async () => {
    const other = await createQueue(app);
    const gone = await idOf(
      other.owner.call.createView({ body: { name: 'x', page: 'ITEMS', queueId: other.id } }),
    );
    expect((await other.owner.call.deleteQueue({ path: other.path })).status).toBe(204);
    expect(refusal(await other.owner.call.getView(gone))).toEqual(unseen);
    const leaving = await join('is deleted', 'MEMBER');
    const own = await save(leaving.call);
    const shared = await idOf(save(leaving.call, { shared: true }));
    await leaving.call.updatePreferences({ body: { theme: 'DARK' } });
    expect((await app.admin.deleteUser({ path: { id: leaving.id } })).status).toBe(204);
    expect((await member.call.getView(shared)).body.createdByName).toBe('is deleted');
    expect(await app.sql('select from views where id = $1', [own.body.id])).toEqual([]);
    expect(await app.sql('select from user_preferences where user_id = $1', [leaving.id])).toEqual([]);
  });
});
