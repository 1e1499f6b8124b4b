import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { startApp, type App, type TestUser } from '../testing/app.ts';
import { createQueue, eventually, type QueueFixture } from '../testing/fixtures.ts';
import { openStream } from '../testing/stream.ts';
import { addTenant } from '../testing/tenant.ts';

let app: App;
let admin: TestUser;

beforeAll(async () => {
  app = await startApp();
  admin = await app.user('watcher', ['AAE_Admin']);
});

const watch = (query: object = {}, lastId?: string, { token } = admin) =>
  openStream({ url: app.url, token }, query, lastId);

describe('streamEvents', () => {
  it('streamEvents sends what happens from now on, each event once and in order', async () => {
    const queue = await createQueue(app);
    await queue.add(1);
    const stream = await watch({ queueId: queue.id });
    expect(stream.status).toBe(200);
    expect(stream.headers.get('content-type')).toMatch(/^text\/event-stream/);
    expect(stream.headers.get('x-accel-buffering')).toBe('no');
    expect(stream.headers.get('connection')).toBe('close');
    const items = await queue.add(2, 3);
    await queue.claim();
    const events = await stream.until(({ operation }) => operation === 'claimWorkItems');
    expect(events.map(({ operation }) => operation)).toEqual([
      'createWorkItems',
      'createWorkItems',
      'claimWorkItems',
    ]);
    expect(events.slice(0, 2).map(({ itemId }) => itemId)).toEqual(items.map(({ id }) => id));
    stream.leave();
  });

  it('streamEvents answers its beginning at once, so that a reader who got nothing yet can resume', async () => {
    const queue = await createQueue(app);
    const stream = await watch({ queueId: queue.id });
    const waiting = stream.next();
    await eventually(async () => stream.lastId(), Boolean);
    stream.leave();
    await expect(waiting).rejects.toThrow('aborted');
    const [item] = await queue.add(1);
    const resumed = await watch({ queueId: queue.id }, stream.lastId());
    expect((await resumed.next())?.itemId).toBe(item?.id);
    resumed.leave();
  });

  it('streamEvents resumes behind the event that Last-Event-ID names, whatever it began with', async () => {
    const queue = await createQueue(app);
    const items = await queue.add(1, 2, 3);
    const query = { queueId: queue.id, operation: 'createWorkItems', last: 3 };
    const stream = await watch(query);
    expect((await stream.next())?.itemId).toBe(items[0]?.id);
    stream.leave();
    // A browser repeats the address with which it began.
    const resumed = await watch(query, stream.lastId());
    const events = await resumed.until(({ itemId }) => itemId === items[2]?.id);
    expect(events.map(({ itemId }) => itemId)).toEqual(items.slice(1).map(({ id }) => id));
    resumed.leave();
    const fromCursor = await watch({ queueId: query.queueId, after: events[0]?.cursor });
    expect((await fromCursor.next())?.itemId).toBe(items[2]?.id);
    fromCursor.leave();
  });

  it('streamEvents filters as listEvents does', async () => {
    const queue = await createQueue(app);
    const [one, two] = await queue.add(1, 2);
    const stream = await watch({ queueId: queue.id, itemId: two?.id });
    await queue.claim(2);
    const event = await stream.next();
    expect([event?.operation, event?.itemId]).toEqual(['claimWorkItems', two?.id]);
    expect(one?.id).not.toBe(two?.id);
    stream.leave();
  });

  it('streamEvents refuses what listEvents refuses, before anything is sent', async () => {
    const queue = await createQueue(app);
    const outsider = await app.user('outsider');
    expect((await watch({ queueId: queue.id }, undefined, outsider)).status).toBe(404);
    expect((await watch({ itemId: 1 })).status).toBe(400);
    expect((await watch({}, 'nonsense')).status).toBe(400);
    expect((await watch({}, '99999999999-0')).status).toBe(400);
    expect((await watch({ limit: 5 })).status).toBe(400);
    expect((await watch({}, undefined, { ...admin, token: 'forged' })).status).toBe(401);
  });

  it('streamEvents sends nothing of another tenant', async () => {
    const stranger = await addTenant(app, 'Elsewhere');
    const stream = await watch({}, undefined, stranger);
    await createQueue(app);
    const model = { name: 'Theirs', attributes: [{ name: 'customer', type: 'TEXT' as const }] };
    await stranger.call.createWorkItemModel({ body: model });
    expect((await stream.next())?.changes).toMatchObject({ name: 'Theirs' });
    stream.leave();
  });
});

describe('streamEvents, when the right to it ends', () => {
  let queue: QueueFixture;

  beforeAll(async () => {
    queue = await createQueue(app);
  });

  /** A member of the queue who watches it, with proof that the stream works. */
  async function watchingMember(name: string, query: object = {}) {
    const member = await app.user(name);
    await queue.owner.call.addOrUpdateQueueMember({ path: { ...queue.path, userId: member.id }, body: {} });
    const stream = await watch(query, undefined, member);
    await queue.add(1);
    expect((await stream.next())?.operation).toBe('createWorkItems');
    return { member, stream };
  }

  it('streamEvents ends when the token is revoked', async () => {
    const { member, stream } = await watchingMember('leaver');
    expect((await member.call.logOut()).status).toBe(204);
    expect(await stream.next()).toBeUndefined();
    expect(stream.comments().at(-1)).toBe('This token is not valid any more. Log in again.');
  });

  it('streamEvents ends when the user is disabled', async () => {
    const { member, stream } = await watchingMember('suspect');
    await app.sql('update users set disabled = true where id = $1', [member.id]);
    expect(await stream.next()).toBeUndefined();
  });

  it('streamEvents ends when the queue that it is about is not visible any more', async () => {
    const { member, stream } = await watchingMember('former member', { queueId: queue.id });
    await app.sql('delete from queue_members where user_id = $1', [member.id]);
    await queue.add(2);
    expect(await stream.next()).toBeUndefined();
    expect(stream.comments().at(-1)).toContain(`There is no queue ${queue.id}, or you do not belong to it.`);
  });

  it('streamEvents leaves out a queue from the moment on that its reader does not belong to it', async () => {
    const other = await createQueue(app);
    const { member, stream } = await watchingMember('member of two');
    await other.owner.call.addOrUpdateQueueMember({ path: { ...other.path, userId: member.id }, body: {} });
    await app.sql('delete from queue_members where user_id = $1 and queue_id = $2', [member.id, queue.id]);
    await queue.add(3);
    await other.add(4);
    const events = await stream.until(({ operation }) => operation === 'createWorkItems');
    expect(events.map(({ queueId }) => queueId)).toEqual([other.id, other.id]);
    stream.leave();
  });
});

describe('streamEvents, by the server', () => {
  it('streamEvents refuses more streams than the server carries, and takes one when another has gone', async () => {
    const small = await startApp({ maxStreams: 1 });
    const { token } = await small.user('watcher', ['AAE_Admin']);
    const at = { url: small.url, token };
    const first = await openStream(at);
    const refused = await openStream(at);
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toBe('10');
    first.leave();
    const next = await eventually(
      () => openStream(at),
      ({ status }) => status === 200,
    );
    next.leave();
    // A stream refused for another reason takes no place from others.
    expect((await openStream(at, { itemId: 1 })).status).not.toBe(200);
    const last = await eventually(
      () => openStream(at),
      ({ status }) => status === 200,
    );
    last.leave();
  });

  it('streamEvents carries 20 streams of a user, and of a tenant three quarters of what the server carries', async () => {
    const busy = await startApp({ maxStreams: 28 });
    const warnings: string[] = [];
    const note = ({ name }: Error) => warnings.push(name);
    process.on('warning', note);
    onTestFinished(() => void process.off('warning', note));
    const at = async (call: Promise<TestUser>) => ({ url: busy.url, token: (await call).token });
    const [one, two, guest] = await Promise.all([
      at(busy.user('one', ['AAE_Admin'])),
      at(busy.user('two', ['AAE_Admin'])),
      at(addTenant(busy, 'guests')),
    ]);
    const streams = [];
    for (let count = 0; count < 20; count += 1) streams.push(await openStream(one));
    expect((await openStream(one)).status).toBe(503);
    streams.push(await openStream(two));
    expect((await openStream(two)).status).toBe(503);
    streams.push(await openStream(guest));
    expect(streams.map(({ status }) => status)).toEqual(streams.map(() => 200));
    for (const stream of streams) stream.leave();
    // This number of listeners is no leak, of which Node would warn the operator.
    expect(warnings).not.toContain('MaxListenersExceededWarning');
  });

  it('streamEvents ends its streams in good order when the server stops, and lets a new server go on from there', async () => {
    const stopping = await startApp({}, app.connection);
    const { token } = admin;
    const queue = await createQueue(app);
    const stream = await openStream({ url: stopping.url, token }, { queueId: queue.id });
    await queue.add(1);
    await stream.until(({ operation }) => operation === 'createWorkItems');
    const ended = stream.next();
    await stopping.stop();
    expect(await ended).toBeUndefined();
    const [item] = await queue.add(2);
    const resumed = await watch({ queueId: queue.id }, stream.lastId());
    expect((await resumed.next())?.itemId).toBe(item?.id);
    resumed.leave();
  });
});
