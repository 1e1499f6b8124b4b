import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { beforeAll, describe, expect, test } from 'vitest';
import { startApp, type App } from '../../testing/app.ts';
import { createQueue, type QueueFixture } from '../../testing/fixtures.ts';

let app: App;
let queue: QueueFixture;

beforeAll(async () => {
  app = await startApp();
  queue = await createQueue(app);
});

/** Sends text, HTTP or not, and reads the answer until the server hangs up. */
async function sendText(text: string): Promise<string> {
  const socket = connect(Number(new URL(app.url).port), '127.0.0.1');
  const answer = read(socket);
  socket.write(text);
  await once(socket, 'close');
  return answer();
}

/** The text sent by a server so far. */
function read(socket: Socket): () => string {
  let answer = '';
  socket.setEncoding('utf8').on('data', (part: string) => (answer += part));
  return () => answer;
}

describe('the token of a request', () => {
  const get = (lines: string[]) =>
    sendText(['GET /v4/wlm/pools/1 HTTP/1.1', 'host: a', 'connection: close', ...lines, '', ''].join('\r\n'));
  const tokens = () => ({ one: queue.owner.token, other: queue.consumer.token });

  test('may be in both headers, and beside credentials for a proxy', async () => {
    const { one } = tokens();
    for (const authorization of [`Bearer ${one}`, 'Basic YTpi'])
      expect(await get([`authorization: ${authorization}`, `x-authorization: ${one}`])).toMatch(
        /^HTTP\S+ 404/,
      );
  });

  test('is not one of two: the request is refused as nobody’s', async () => {
    const { one, other } = tokens();
    const answer = await get([`authorization: Bearer ${one}`, `x-authorization: ${other}`]);
    expect(answer).toMatch(/^HTTP\S+ 401 [^]*carry different tokens/);
    expect(await get([`authorization: Bearer ${one}, Bearer ${other}`, `x-authorization: ${other}`])).toMatch(
      /^HTTP\S+ 401 /,
    );
  });

  test('is not in a header that is given twice', async () => {
    const { one, other } = tokens();
    for (const [first, second] of [
      [`authorization: Bearer ${one}`, `authorization: Bearer ${other}`],
      [`authorization: Basic YTpi`, `Authorization: Bearer ${one}`],
      [`x-authorization: ${one}`, `x-authorization: ${one}`],
    ] as const)
      expect(await get([first, second])).toMatch(/^HTTP\S+ 401 [^]*is given more than once/);
  });
});

describe('what is no HTTP', () => {
  test.each([
    ['garbage', 'GARBAGE\r\n\r\n', 400, 'INVALID_REQUEST'],
    ['a version that does not exist', 'GET / HTTP/9.9\r\nhost: a\r\n\r\n', 400, 'INVALID_REQUEST'],
    [
      'a length that is no number',
      'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: x\r\n\r\n',
      400,
      'INVALID_REQUEST',
    ],
    [
      'two lengths of one body',
      'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n',
      400,
      'INVALID_REQUEST',
    ],
    ['two hosts', 'GET /health/live HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n', 400, 'INVALID_REQUEST'],
    ['no host', 'GET / HTTP/1.1\r\n\r\n', 400, 'INVALID_REQUEST'],
    [
      'a body whose chunks are none',
      'POST /v2/authentication HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n',
      400,
      'INVALID_REQUEST',
    ],
    [
      'chunks with more said about them than in them',
      `POST /v2/authentication HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1;${'y'.repeat(20_000)}\r\n`,
      413,
      'TOO_LARGE',
    ],
    ['an address without end', `GET /${'y'.repeat(20_000)} HTTP/1.1\r\nhost: a\r\n\r\n`, 431, 'TOO_LARGE'],
    [
      'headers without end',
      `GET / HTTP/1.1\r\nhost: a\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`,
      431,
      'TOO_LARGE',
    ],
  ])('is answered in the contract’s form: %s', async (_, text, status, code) => {
    const [head = '', body = ''] = (await sendText(text)).split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(head).toContain('content-type: application/json');
    for (const name of ['cache-control', 'x-content-type-options', 'content-security-policy'])
      expect(head).toContain(`${name}: `);
    expect(head).toMatch(/^connection: close$/im);
    expect(JSON.parse(body)).toEqual({ code, message: expect.stringMatching(/\w/) });
  });
});

test('an answer that is under way is not broken into by the refusal of what follows it', async () => {
  const socket = connect(Number(new URL(app.url).port), '127.0.0.1');
  const answer = read(socket);
  socket.write(
    `GET /v4/wlm/events/stream?last=1 HTTP/1.1\r\nhost: a\r\nx-authorization: ${queue.owner.token}\r\n\r\n`,
  );
  await expect.poll(answer).toContain('event: ');
  socket.write('GARBAGE\r\n\r\n');
  await once(socket, 'close');
  expect(answer()).not.toContain('HTTP/1.1 400');
});

test('a request that expects what nobody knows is answered as if it expected nothing', async () => {
  const answer = await sendText(
    'GET /health/live HTTP/1.1\r\nhost: a\r\nexpect: x\r\nconnection: close\r\n\r\n',
  );
  expect(answer).toMatch(/^HTTP\/1.1 200 /);
});

test('a request that comes while the server stops is 503, in the contract’s form and with a time to try again', async () => {
  const stopping = await startApp();
  const { id, owner } = await createQueue(stopping);
  const socket = connect(Number(new URL(stopping.url).port), '127.0.0.1');
  const answer = read(socket);
  const head = `HTTP/1.1\r\nhost: a\r\nx-authorization: ${owner.token}\r\n`;
  // A request whose body is still to come keeps the connection open while the server stops.
  socket.write(
    `POST /v4/wlm/queues/${id}/workitems/list ${head}content-type: application/json\r\ncontent-length: 2\r\n\r\n{`,
  );
  await stopping.admin.listQueues();
  const stopped = stopping.stop();
  const alive = () =>
    fetch(`${stopping.url}/health/live`).then(
      ({ status }) => status,
      () => 0,
    );
  await expect.poll(alive).not.toBe(200);
  socket.write(`}GET /v4/wlm/queues/${id} ${head}\r\n`);
  await once(socket, 'close');
  await stopped;
  expect(answer()).toMatch(/^HTTP\/1.1 200 /);
  const [, refused = ''] = answer().split(/(?=HTTP\/1.1 503 )/);
  expect(refused).toMatch(/^retry-after: \d+\r$/m);
  expect(refused).toContain('"code":"UNAVAILABLE"');
});
