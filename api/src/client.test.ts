import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test, vi } from 'vitest';
import { ApiError, ConnectionError, ExactNumber, createClient, type Client } from './index.ts';

interface Seen {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly token: string | undefined;
  readonly type: string | undefined;
  readonly text: string;
}
interface Answer {
  readonly status?: number;
  readonly text?: string;
}
type Respond = (seen: Seen) => Answer | Promise<Answer>;

const closing: (() => void)[] = [];
afterEach(() => {
  vi.useRealTimers();
  closing.splice(0).forEach((close) => close());
});

/** An HTTP server with given answers, and the requests it got. */
async function answering(respond: Respond) {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      const { method, url, headers } = request;
      const token = headers['x-authorization'] as string;
      const one = { method, url, token, type: headers['content-type'], text: await readAll(request) };
      seen.push(one);
      const answer = await respond(one);
      response.writeHead(answer.status ?? 200).end(answer.text ?? '{}');
    })();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(
    () => void server.close(),
    () => server.closeAllConnections(),
  );
  return { url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`, seen };
}

async function readAll(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}

function tokenOf(name: string, issuedOn = Date.now(), seconds = 1200): string {
  const iat = Math.floor(issuedOn / 1000);
  return `x.${btoa(JSON.stringify({ sub: name, iat, exp: iat + seconds }))}.${name}`;
}
const sessionOf = (token: string): Answer => ({
  text: JSON.stringify({ token, tokenExpiresIn: 1200, user: {} }),
});
const isLogIn = (seen: Seen): boolean => seen.url === '/v2/authentication';
const error = (status: number, code: string): Answer => ({
  status,
  text: JSON.stringify({ code, message: `is ${code}` }),
});
const credentials = { username: 'bot', apiKey: 'key' };

test('an operation is a method that fills in the path and the query and sends the body as JSON', async () => {
  const { url, seen } = await answering(() => ({ text: '{"list":[]}' }));
  const client = createClient({ url: `${url}/`, token: 'known' });
  expect(await client.claimWorkItems({ path: { id: 17 }, body: { count: 2 } })).toEqual({ list: [] });
  await client.validateToken({ query: { token: 'a b&c' } });
  expect(seen.map(({ method, url: at, text }) => [method, at, text])).toEqual([
    ['POST', '/v4/wlm/queues/17/workitems/claim', '{"count":2}'],
    ['GET', '/v2/authentication/token?token=a+b%26c', ''],
  ]);
  expect(seen[0]).toMatchObject({ token: 'known', type: 'application/json' });
});

test('ids and numbers beyond a double arrive as they were sent', async () => {
  const { url, seen } = await answering(() => ({
    text: '{"list":[{"id":9007199254740993,"json":{"a":0.10000000000000000001}}]}',
  }));
  const client = createClient({ url, token: 'known' });
  const { list } = await client.createWorkItems({
    path: { id: 9007199254740993n },
    body: { workItems: [{ json: { a: 2n ** 60n } }] },
  });
  expect(list[0]?.id).toBe(9007199254740993n);
  expect(list[0]?.json?.['a']).toEqual(new ExactNumber('0.10000000000000000001'));
  expect(seen[0]?.url).toBe('/v4/wlm/queues/9007199254740993/workitems');
  expect(seen[0]?.text).toBe('{"workItems":[{"json":{"a":1152921504606846976}}]}');
});

test('a missing part of the path is named before anything is sent', async () => {
  const { url, seen } = await answering(() => ({}));
  await expect(createClient({ url }).call('getQueue', {})).rejects.toThrow(/path\.id is missing/);
  expect(seen).toEqual([]);
});

test('calls made at the same time share one log-in', async () => {
  const { url, seen } = await answering((one) => (isLogIn(one) ? sessionOf('first') : { text: '{}' }));
  const kept: string[] = [];
  const client = createClient({ url, ...credentials, onToken: (token) => kept.push(token) });
  await Promise.all([client.listQueues(), client.listQueues(), client.listUsers()]);
  expect(seen.filter(isLogIn).map((one) => one.text)).toEqual(['{"username":"bot","apiKey":"key"}']);
  expect(seen.filter((one) => !isLogIn(one)).map((one) => one.token)).toEqual(['first', 'first', 'first']);
  expect(kept).toEqual(['first']);
});

test('after a 401 the client logs in again and repeats the call once', async () => {
  const { url, seen } = await answering((one) => {
    if (isLogIn(one)) return sessionOf('good');
    return one.token === 'good' ? { text: '{"id":1}' } : error(401, 'UM1117');
  });
  const client = createClient({ url, ...credentials, token: 'revoked' });
  expect(await client.getQueue({ path: { id: 1 } })).toEqual({ id: 1 });
  expect(seen.map((one) => one.token)).toEqual(['revoked', undefined, 'good']);
});

test('a second 401 is the answer', async () => {
  const { url, seen } = await answering((one) => (isLogIn(one) ? sessionOf('bad') : error(401, 'UM1117')));
  const failure = createClient({ url, ...credentials }).listQueues();
  await expect(failure).rejects.toMatchObject({ name: 'ApiError', status: 401, code: 'UM1117' });
  expect(seen.filter((one) => !isLogIn(one))).toHaveLength(2);
});

test('without credentials a 401 is the answer at once', async () => {
  const { url, seen } = await answering(() => error(401, 'UM1117'));
  await expect(createClient({ url, token: 'old' }).listQueues()).rejects.toThrow('is UM1117');
  expect(seen).toHaveLength(1);
});

test('a token is renewed before it expires', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  const tokens = [tokenOf('first'), tokenOf('second', Date.now() + 1_150_000)];
  const { url, seen } = await answering((one) => {
    if (isLogIn(one)) return sessionOf(tokens[0] ?? '');
    return one.url === '/v2/authentication/token' ? sessionOf(tokens[1] ?? '') : {};
  });
  const client = createClient({ url, ...credentials });
  await client.listQueues();
  vi.setSystemTime(Date.now() + 1_000_000);
  await client.listQueues();
  vi.setSystemTime(Date.now() + 150_000);
  await client.listQueues();
  const refreshed = seen.filter((one) => one.url === '/v2/authentication/token');
  expect(refreshed.map((one) => one.token)).toEqual([tokens[0]]);
  expect(seen.filter((one) => one.url?.endsWith('/list')).map((one) => one.token)).toEqual([
    tokens[0],
    tokens[0],
    tokens[1],
  ]);
});

test('an expired token that cannot be renewed leads to a log-in', async () => {
  const { url, seen } = await answering((one) => {
    if (isLogIn(one)) return sessionOf('good');
    return one.url === '/v2/authentication/token' ? error(401, 'UM1117') : {};
  });
  await createClient({ url, ...credentials, token: tokenOf('old', Date.now() - 2_000_000) }).listQueues();
  expect(seen.map((one) => one.url)).toEqual([
    '/v2/authentication/token',
    '/v2/authentication',
    '/v4/wlm/queues/list',
  ]);
});

test('logging out forgets the token', async () => {
  const { url, seen } = await answering((one) =>
    one.url === '/v2/authentication/logout' ? { status: 204, text: '' } : {},
  );
  const client = createClient({ url, token: 'mine' });
  expect(await client.logOut()).toBeUndefined();
  await client.listQueues();
  expect(seen.map((one) => one.token)).toEqual(['mine', undefined]);
});

test('a file goes as multipart', async () => {
  const { url, seen } = await answering(() => ({ text: '{"created":1}' }));
  const file = new File(['name\nJane\n'], 'people.csv');
  const client = createClient({ url, token: 'known' });
  expect(await client.createWorkItemsFromFile({ path: { id: 1 }, body: { file } })).toEqual({ created: 1 });
  expect(seen[0]?.type).toMatch(/^multipart\/form-data; boundary=/);
  expect(seen[0]?.text).toMatch(/name="file"; filename="people.csv"[^]*name\nJane\n/);
});

test('a refusal carries status, code, message and details', async () => {
  const details = [{ index: 3, field: 'Amount', message: 'is no number' }];
  const { url } = await answering(() => ({
    status: 400,
    text: JSON.stringify({ code: 'INVALID', message: 'no', details }),
  }));
  const failure = await failureOf((client) => client.listQueues(), url);
  expect(failure).toBeInstanceOf(ApiError);
  expect(failure).toMatchObject({ status: 400, code: 'INVALID', message: 'no', details });
});

test.each([502, 200])('an answer of status %i that is not from Millrace says so', async (status) => {
  const { url } = await answering(() => ({ status, text: '<html>' }));
  const failure = await failureOf((client) => client.listQueues(), url);
  expect(failure).toMatchObject({ status, code: `HTTP_${String(status)}` });
  expect((failure as Error).message).toMatch(/Check the URL/);
});

test('a server that cannot be reached is named, with what to check', async () => {
  const failure = await failureOf((client) => client.listQueues(), 'http://127.0.0.1:1');
  expect(failure).toBeInstanceOf(ConnectionError);
  expect((failure as Error).message).toMatch(
    /^No answer from http:\/\/127\.0\.0\.1:1: .+ Check that the server runs/,
  );
});

test('a call may have a time limit', async () => {
  const { url } = await answering(() => new Promise<Answer>(() => {}));
  const failure = await failureOf((client) => client.listQueues({}, { timeoutSeconds: 0.05 }), url);
  expect(failure).toBeInstanceOf(ConnectionError);
  expect((failure as Error).message).toMatch(/nothing came within 0\.05 seconds/);
});

test('the time limit of a call covers the log-in before it', async () => {
  const { url, seen } = await answering(() => new Promise<Answer>(() => {}));
  const call = createClient({ url, ...credentials }).listQueues({}, { timeoutSeconds: 0.2 });
  await expect(call).rejects.toThrow(/nothing came within 0\.2 seconds/);
  expect(seen.every(isLogIn)).toBe(true);
});

test('a call that is given up rejects with the reason of the signal', async () => {
  const controller = new AbortController();
  const { url } = await answering(() => {
    controller.abort(new Error('changed my mind'));
    return new Promise<Answer>(() => {});
  });
  const failure = await failureOf((client) => client.listQueues({}, { signal: controller.signal }), url);
  expect(failure).toEqual(new Error('changed my mind'));
});

test.each(['', 'localhost:8080', 'ftp://host'])('the URL "%s" is refused', (url) => {
  expect(() => createClient({ url })).toThrow(/must be like http/);
});

async function failureOf(use: (client: Client) => Promise<unknown>, url: string): Promise<unknown> {
  return use(createClient({ url, token: 'known' })).then(
    () => expect.unreachable('the call must fail'),
    (failure: unknown) => failure,
  );
}
