import { once } from 'node:events';
import { request, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { text } from 'node:stream/consumers';
import { beforeAll, describe, expect, test } from 'vitest';
import { startApp, type App, type TestUser } from '../../testing/app.ts';
import { createQueue, type QueueFixture } from '../../testing/fixtures.ts';

let app: App;
let queue: QueueFixture;
let stranger: TestUser;

beforeAll(async () => {
  app = await startApp();
  queue = await createQueue(app);
  stranger = await app.user('stranger');
});

interface Announced {
  readonly as: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly method?: string;
}

/** Sends the head of a request whose body never comes, and waits for the answer: a server that read the body first would wait, too. */
async function announce(path: string, { as, headers, method = 'POST' }: Announced) {
  const type = path.endsWith('/file') ? 'multipart/form-data; boundary=x' : 'application/json';
  const call = request(app.url + path, {
    method,
    headers: { 'x-authorization': as, 'content-type': type, 'content-length': 10_000_000, ...headers },
  });
  call.flushHeaders();
  const [response] = (await once(call, 'response')) as [IncomingMessage];
  const error = JSON.parse(await text(response)) as { code: string; message: string };
  call.on('error', () => undefined).destroy();
  return { status: response.statusCode, ...error };
}

const ofQueue = (rest: string) => `/v4/wlm/queues/${queue.id}${rest}`;

describe('a large body', () => {
  test.each([
    ['createWorkItems', '/workitems'],
    ['createWorkItemsFromFile', '/file'],
    ['finishWorkItems', '/workitems/finish'],
    ['listWorkItems', '/workitems/list'],
  ])('%s does not read of somebody who does not belong to the queue', async (_, path) => {
    const headers = path.endsWith('list') ? { 'content-length': 1_000_000 } : {};
    const refusal = await announce(ofQueue(path), { as: stranger.token, headers });
    expect(refusal).toMatchObject({ status: 404, code: 'NOT_FOUND' });
  });

  test('createWorkItems does not read in pieces of unknown number either', async () => {
    const call = request(app.url + ofQueue('/workitems'), {
      method: 'POST',
      headers: { 'x-authorization': stranger.token, 'content-type': 'application/json' },
    });
    call.write('{"workItems":[');
    const [response] = (await once(call, 'response')) as [IncomingMessage];
    expect(response.statusCode).toBe(404);
    call.on('error', () => undefined).destroy();
  });

  test('createWorkItems does not read of somebody who may only process items', async () => {
    const refusal = await announce(ofQueue('/workitems'), { as: queue.consumer.token });
    expect(refusal).toMatchObject({ status: 403, code: 'FORBIDDEN' });
  });

  test('createWorkItemModel does not read without the permission', async () => {
    const headers = { 'content-length': 1_000_000 };
    const refusal = await announce('/v4/wlm/workitemmodels', { as: queue.consumer.token, headers });
    expect(refusal).toMatchObject({ status: 403, message: expect.stringContaining('createQueues') });
  });

  test('createWorkItems does not read for a token that was revoked', async () => {
    const leaving = await app.user('leaving');
    await leaving.call.logOut();
    expect(await announce(ofQueue('/workitems'), { as: leaving.token })).toMatchObject({ status: 401 });
  });

  test('createWorkItems does not read for an archived queue', async () => {
    const archived = await createQueue(app);
    await archived.owner.call.archiveQueue({ path: archived.path, body: { reason: 'done' } });
    const path = `/v4/wlm/queues/${archived.id}/workitems`;
    expect(await announce(path, { as: archived.owner.token })).toMatchObject({
      status: 409,
      message: expect.stringContaining('archived'),
    });
  });

  test('finishWorkItems reads of a user who may have a device that was sent the items', async () => {
    await app.admin.createRole({ body: { name: 'Agents', permissions: ['useQueues', 'runDevice'] } });
    const agent = await app.user('agent', ['Agents']);
    const results = [{ id: 1, version: 1, status: 'COMPLETE' as const, output: { a: 'x'.repeat(90_000) } }];
    const { status, error } = await agent.call.finishWorkItems({ path: queue.path, body: { results } });
    expect([status, error.message]).toEqual([404, expect.stringContaining('no device of yours was sent')]);
  });
});

describe('a body of another kind', () => {
  test.each([
    ['createWorkItems', '/workitems', { 'content-encoding': 'gzip' }, 'Content-Encoding'],
    ['createWorkItemsFromFile', '/file', { 'content-type': 'text/csv' }, 'multipart/form-data'],
    [
      'createWorkItemsFromFile',
      '/file',
      { 'content-type': 'multipart/mixed; boundary=x' },
      'in a part named',
    ],
  ])('%s says how to send it instead, unread', async (_, path, headers, message) => {
    const refusal = await announce(ofQueue(path), { as: queue.owner.token, headers });
    expect(refusal).toMatchObject({ status: 415, message: expect.stringContaining(message) });
  });
});

describe('a body beyond the bound of its operation', () => {
  test.each([
    ['pauseQueue', '/pause', 65_536],
    ['listWorkItems', '/workitems/list', 1_048_576],
    ['createWorkItems', '/workitems', 16_777_216],
  ])('%s refuses by its announced length', async (_, path, bound) => {
    const headers = { 'content-length': bound + 1 };
    const refusal = await announce(ofQueue(path), { as: queue.owner.token, headers });
    expect(refusal).toMatchObject({
      status: 413,
      message: expect.stringContaining(`larger than ${bound} bytes`),
    });
  });

  test('createWorkItemsFromFile refuses by the announced length of the form', async () => {
    const headers = { 'content-length': 300_000_000 };
    expect(await announce(ofQueue('/file'), { as: queue.owner.token, headers })).toMatchObject({
      status: 413,
      message: expect.stringContaining('MILLRACE_MAX_FILE_BYTES'),
    });
  });

  test('createWorkItems answers a sender who does not listen before all is sent', async () => {
    const response = await fetch(app.url + ofQueue('/workitems'), {
      method: 'POST',
      headers: { 'x-authorization': queue.owner.token, 'content-type': 'application/json' },
      body: new Uint8Array(17_000_000),
    });
    expect([response.status, await response.text()]).toEqual([413, expect.stringContaining('in parts')]);
  });
});
