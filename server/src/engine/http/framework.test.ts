import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { startApp } from '../../testing/app.ts';
import { createQueue } from '../../testing/fixtures.ts';
import { loggedError } from './framework.ts';

const app = await startApp();
const queue = await createQueue(app);
const ofQueue = `/v4/wlm/queues/${queue.id}`;

const send = (method: string, path: string, body?: string, headers: Record<string, string> = {}) =>
  fetch(app.url + path, {
    method,
    headers: { 'x-authorization': queue.owner.token, 'content-type': 'application/json', ...headers },
    ...(body !== undefined && { body }),
  });

test('every answer, also a refusal, tells browsers to take it for what it says it is, and not to keep it', async () => {
  const answers = await Promise.all([
    send('GET', ofQueue),
    send('GET', '/health/live'),
    send('GET', '/docs'),
    send('GET', '/v4/wlm/nothing'),
    send('POST', ofQueue),
    send('POST', '/v4/wlm/queues', '{'),
    send('GET', ofQueue, undefined, { 'x-authorization': 'nobody' }),
  ]);
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 404, 405, 400, 401]);
  for (const { headers } of answers) {
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('cache-control')).toContain('no-cache');
  }
});

test('a body that lacks a member is 400, and the details name the member', async () => {
  const response = await send('POST', '/v4/wlm/queues', '{"workItemModelId":1}');
  expect([response.status, await response.json()]).toEqual([
    400,
    {
      code: 'INVALID_REQUEST',
      message: 'The body does not fit the contract: name is required.',
      details: [{ field: 'name', message: 'is required' }],
    },
  ]);
});

test.each([
  ['GET', '/v4/wlm/queues/%zz', undefined, 'a % that begins no escape'],
  ['GET', `/v4/wlm/queues/${'9'.repeat(200)}`, undefined, 'A part of the address is longer'],
  ['GET', `${ofQueue}?limit=1`, undefined, 'In the query: limit is not a known parameter.'],
  ['POST', '/v4/wlm/queues', '[]', 'The body does not fit the contract: it must be an object.'],
  ['POST', '/v4/wlm/queues/list', '{"filter":1}', 'filter must be an object or null.'],
  ['POST', '/v4/wlm/queues', '{"name":"","workItemModelId":1}', 'name must not be empty.'],
  [
    'POST',
    '/v4/wlm/queues',
    "{'name':'a'}",
    "JSON: it has \"'name':'a'}\" where a name in double quotes or } should be.",
  ],
])(
  'a request that cannot be read is refused in words for people: %s %.60s %s',
  async (method, path, body, words) => {
    const response = await send(method, path, body);
    const { code, message } = (await response.json()) as { code: string; message: string };
    expect([response.status, code, message]).toEqual([
      400,
      'INVALID_REQUEST',
      expect.stringContaining(words),
    ]);
  },
);

test('an unknown path is shown no longer than people read', async () => {
  const response = await send('GET', `/${'a'.repeat(5000)}`);
  const { message } = (await response.json()) as { message: string };
  expect([response.status, message.length]).toEqual([404, expect.any(Number)]);
  expect(message.length).toBeLessThan(400);
});

test.each(['/docs', '/docs/'])('the page at %s has one method, and says so to others', async (path) => {
  const response = await send('POST', path, '{}');
  expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  expect(await response.json()).toMatchObject({ code: 'METHOD_NOT_ALLOWED' });
});

test('a stranger who is refused while still sending is hung up on', async () => {
  const socket = connect(Number(new URL(app.url).port), '127.0.0.1');
  socket.write(
    `PUT ${ofQueue} HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{`,
  );
  let answer = '';
  socket.setEncoding('utf8').on('data', (part: string) => (answer += part));
  await once(socket, 'close');
  expect(answer).toMatch(/^HTTP\/1\.1 401 /);
});

test('the log says what failed and where, but not the rows that PostgreSQL quotes', () => {
  const error = Object.assign(new Error('violates check constraint "x"'), {
    code: '23514',
    constraint: 'x',
    detail: 'Failing row contains (Jane).',
    where: 'unnamed portal parameter $1 = Jane',
  });
  const logged = loggedError(error);
  expect(logged).toMatchObject({ type: 'Error', message: error.message, code: '23514', constraint: 'x' });
  expect(logged.stack).toContain('framework.test.ts');
  expect(JSON.stringify(logged)).not.toContain('Jane');
});
