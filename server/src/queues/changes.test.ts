import { beforeAll, describe, expect, it } from 'vitest';
import type { Schemas } from '@millrace/api';
import { startApp, type App, type Caller, type TestUser } from '../testing/app.ts';
import { createQueue, eventually, type QueueFixture } from '../testing/fixtures.ts';

let app: App;
let member: TestUser;
let stranger: TestUser;

beforeAll(async () => {
  app = await startApp();
  member = await app.user('member');
  stranger = await app.user('stranger');
});

type Settings = Partial<Schemas['QueueUpdate']>;

async function update({ owner, path }: QueueFixture, settings: Settings, call: Caller = owner.call) {
  const { version = 0 } = (await owner.call.getQueue({ path })).body;
  return call.updateQueue({ path, body: { version, ...settings } });
}

const amounts = (items: Schemas['WorkItem'][]) => items.map(({ json }) => json?.['amount']);

describe('updateQueue', () => {
  it('updateQueue changes what is sent, leaves the rest, and raises the version', async () => {
    const queue = await createQueue(app, { description: 'old', manualProcessingTime: 2 });
    const before = (await queue.owner.call.getQueue({ path: queue.path })).body;
    const sent = {
      name: 'Renamed',
      autoRetryLimit: 4,
      displayColumns: ['amount'],
      expiry: { type: 'duration', duration: 1, durationUnit: 'days' },
    };
    const { status, body } = await update(queue, sent, app.admin);
    expect(status).toBe(200);
    const { updatedBy, updatedOn, memberships, capabilities } = body;
    const expiry = { type: 'DURATION', duration: 1, durationUnit: 'DAYS' };
    const after = { ...before, ...sent, expiry, version: 1, updatedBy, updatedOn };
    // A new expiry is applied to the existing items in the background.
    expect(body).toEqual({ ...after, rekeying: true, memberships, capabilities });
    expect(updatedBy).not.toBe(before.updatedBy);
    const read = async () => (await queue.owner.call.getQueue({ path: queue.path })).body;
    await expect.poll(read).toEqual(after);
  });

  it('updateQueue takes back what reading the queue answered', async () => {
    const queue = await createQueue(app, { expiry: { type: 'DATE', date: '2099-01-01T00:00:00Z' } });
    await queue.add(1);
    const { body } = await queue.owner.call.getQueue({ path: queue.path });
    const updated = await queue.owner.call.updateQueue({
      path: queue.path,
      body: body as Schemas['QueueUpdate'],
    });
    expect(updated.status).toBe(200);
    expect(updated.body).toEqual({ ...body, version: 1, updatedOn: updated.body.updatedOn });
  });

  it('updateQueue takes the expiry away with the type NONE', async () => {
    const queue = await createQueue(app, { expiry: { type: 'DURATION', duration: 1, durationUnit: 'DAYS' } });
    expect((await update(queue, { expiry: { type: 'NONE' } })).body).not.toHaveProperty('expiry');
  });

  it('updateQueue refuses another version than the current one, and says which that is', async () => {
    const queue = await createQueue(app);
    await update(queue, { description: 'first' });
    const { status, error } = await update(queue, { version: 0, description: 'second' });
    expect([status, error.code]).toEqual([409, 'VERSION_CONFLICT']);
    expect(error.message).toContain('at version 1 by now, not 0');
    expect((await queue.owner.call.getQueue({ path: queue.path })).body.description).toBe('first');
  });

  it.each([
    ['changes', { description: 'x' }],
    ['new orders', { workItemProcessingOrders: ['amount'] }],
    ['new names', { name: 'One of six' }],
  ])('updateQueue lets one of several simultaneous %s through', async (_, settings) => {
    const queue = await createQueue(app);
    const body = { version: 0, ...settings };
    const updating = Array.from({ length: 6 }, () =>
      queue.owner.call.updateQueue({ path: queue.path, body }),
    );
    const answers = await Promise.all(updating);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([
      200, 409, 409, 409, 409, 409,
    ]);
    const winner = answers.find(({ status }) => status === 200);
    const stored = await eventually(
      async () => (await queue.owner.call.getQueue({ path: queue.path })).body,
      ({ rekeying }) => !rekeying,
    );
    expect(stored).toEqual({ ...winner?.body, rekeying: undefined });
  });

  it.each<[string, (queue: QueueFixture) => Settings, string]>([
    ['another model', () => ({ workItemModelId: 987_654_321 }), 'workItemModelId cannot change'],
    ['the id of another queue', () => ({ id: 987_654_321 }), 'The body is about queue 987654321'],
    ['columns that the model lacks', () => ({ displayColumns: ['colour'] }), 'displayColumns names "colour"'],
    ['a blank name', () => ({ name: ' ' }), 'name must not be blank'],
    ['unknown members', () => ({ colour: 'red' }) as Settings, 'colour is not a known member'],
  ])('updateQueue refuses %s', async (_, settings, message) => {
    const queue = await createQueue(app);
    const { status, error } = await update(queue, settings(queue));
    expect([status, error.code]).toEqual([400, 'INVALID_REQUEST']);
    expect(error.message).toContain(message);
  });

  it('updateQueue needs a version', async () => {
    const queue = await createQueue(app);
    const { status, error } = await queue.owner.call.updateQueue({
      path: queue.path,
      body: { name: 'X' } as never,
    });
    expect(status).toBe(400);
    expect(error.message).toContain('version is required');
  });

  it('updateQueue refuses a name that is taken', async () => {
    const [first, second] = [await createQueue(app), await createQueue(app)];
    const { name = '' } = (await first.owner.call.getQueue({ path: first.path })).body;
    const { status, error } = await update(second, { name });
    expect([status, error.code]).toEqual([409, 'NAME_TAKEN']);
  });

  it('updateQueue is for owners', async () => {
    const queue = await createQueue(app);
    await queue.owner.call.addOrUpdateQueueMember({ path: { ...queue.path, userId: member.id }, body: {} });
    expect((await update(queue, { name: 'Mine' }, member.call)).status).toBe(403);
    expect((await update(queue, { name: 'Mine' }, stranger.call)).status).toBe(404);
  });

  it('updateQueue gives waiting consumers the items of a queue that becomes active', async () => {
    const queue = await createQueue(app, { status: 'INACTIVE' });
    await queue.add(1);
    expect(await queue.claim()).toEqual([]);
    const claiming = queue.claim(1, { waitSeconds: 20 });
    await update(queue, { status: 'ACTIVE' });
    expect(amounts(await claiming)).toEqual([1]);
  });
});
