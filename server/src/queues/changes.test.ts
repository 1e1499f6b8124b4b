import { beforeAll, describe, expect, it } from 'vitest';
import type { Schemas } from '@millrace/api';
import { startApp, type App, type Caller, type TestUser } from '../testing/app.ts';
import { createQueue, type QueueFixture } from '../testing/fixtures.ts';

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

async function finishAll(queue: QueueFixture, count: number): Promise<void> {
  const results = (await queue.claim(count)).map(({ id, version }) => ({ id, version, status: 'COMPLETE' }));
  await queue.consumer.call.finishWorkItems({ path: queue.path, body: { results } as never });
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
    const { updatedBy, updatedOn } = body;
    const expiry = { type: 'DURATION', duration: 1, durationUnit: 'DAYS' };
    expect(body).toEqual({ ...before, ...sent, expiry, version: 1, updatedBy, updatedOn });
    expect(updatedBy).not.toBe(before.updatedBy);
    expect((await queue.owner.call.getQueue({ path: queue.path })).body).toEqual(body);
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
    expect((await queue.owner.call.getQueue({ path: queue.path })).body).toEqual(winner?.body);
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
    expect(error.message).toContain("'version'");
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

  it('updateQueue refuses another order while an item is open, whatever its status', async () => {
    const queue = await createQueue(app, { workItemProcessingOrders: ['amount'] });
    const reorder = () => update(queue, { workItemProcessingOrders: ['-amount'] });
    const [item] = await queue.add(1);
    const refused = await reorder();
    expect([refused.status, refused.error.code]).toEqual([409, 'IN_USE']);
    expect(refused.error.message).toContain('(1 now)');
    expect(
      (await update(queue, { workItemProcessingOrders: ['amount'], description: 'same order' })).status,
    ).toBe(200);
    const body = { id: item?.id as number, queueId: queue.id, version: 0, status: 'DEFERRED' as const };
    await queue.owner.call.updateWorkItem({ path: { ...queue.path, workItemId: body.id }, body });
    expect((await reorder()).status).toBe(409);
    await queue.add(2);
    await queue.claim();
    expect((await reorder()).error.message).toContain('(2 now)');
  });

  it('updateQueue changes the order when all items are done, and claims follow it', async () => {
    const queue = await createQueue(app, { workItemProcessingOrders: ['amount'] });
    await queue.add(1, 2);
    await finishAll(queue, 2);
    expect((await update(queue, { workItemProcessingOrders: ['-amount'] })).status).toBe(200);
    await queue.add(3, 5, 4);
    expect(amounts(await queue.claim(3))).toEqual([5, 4, 3]);
  });

  it('updateQueue changes the order under no item that is created at the same time', async () => {
    for (let round = 0; round < 5; round += 1) {
      const queue = await createQueue(app, { workItemProcessingOrders: ['amount'] });
      const adding = [3, 1, 2, 4].map((amount) => queue.add(amount));
      const { status } = await update(queue, { workItemProcessingOrders: ['-amount'] });
      await Promise.all(adding);
      const claimed = amounts(await queue.claim(4));
      expect(claimed).toEqual(status === 200 ? [4, 3, 2, 1] : [1, 2, 3, 4]);
    }
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
