import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { ApiError, ConnectionError, createClient } from '../index.ts';

const closing: (() => void)[] = [];
afterEach(() => {
  closing.splice(0).forEach((close) => close());
});

interface Asked {
  readonly url: string | undefined;
  readonly lastId: unknown;
  readonly token: unknown;
}

/** A server with a given behaviour for each connection in turn, and the requests on each. */
async function serving(...connections: ((response: ServerResponse) => void)[]) {
  const asked: Asked[] = [];
  const server = createServer(({ url, headers }: IncomingMessage, response) => {
    if (url === '/v2/authentication') return void response.end(JSON.stringify({ token: 'renewed' }));
    const connection = connections[asked.length];
    asked.push({ url, lastId: headers['last-event-id'], token: headers['x-authorization'] });
    if (connection) connection(response);
    else response.destroy();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(
    () => void server.close(),
    () => server.closeAllConnections(),
  );
  return { url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`, asked };
}

const messageOf = (id: string) =>
  `id: ${id}\nevent: claimWorkItems\ndata: {"id":${id.replace('7-', '')}}\n\n`;
const streaming = (response: ServerResponse) =>
  response.writeHead(200, { 'content-type': 'text/event-stream' });
const sends =
  (...ids: string[]) =>
  (response: ServerResponse) =>
    void streaming(response).end(ids.map(messageOf).join(''));
const breaksAfter = (id: string) => (response: ServerResponse) => {
  streaming(response).write(messageOf(id), () => response.destroy());
};
const refuses =
  (status: number, headers: Record<string, string> = {}) =>
  (response: ServerResponse) =>
    void response.writeHead(status, headers).end(JSON.stringify({ code: 'REFUSED', message: 'refused' }));

async function take(stream: AsyncIterable<{ id: unknown }>, count: number): Promise<unknown[]> {
  const ids: unknown[] = [];
  for await (const { id } of stream) if (ids.push(id) === count) break;
  return ids;
}

describe('client.streamEvents', () => {
  test('hands on what is told beside the events, and goes on behind the last of these', async () => {
    const beside = 'event: uploadProgress\ndata: {"uploadId":4,"rows":12}\n\n';
    const { url, asked } = await serving(
      (response) => void streaming(response).end(messageOf('7-1') + beside),
      sends('7-2'),
    );
    const told: unknown[] = [];
    const client = createClient({ url, token: 'mine' });
    const stream = client.streamEvents({}, { onProgress: (progress) => told.push(progress) });
    expect(await take(stream, 2)).toEqual([1, 2]);
    expect(told).toEqual([{ uploadId: 4, rows: 12 }]);
    expect(asked.map(({ lastId }) => lastId)).toEqual([undefined, '7-1']);
  });

  test('iterates over the events, and goes on where it was when the stream ends or the connection breaks', async () => {
    const { url, asked } = await serving(sends('7-1', '7-2'), breaksAfter('7-3'), refuses(503), sends('7-4'));
    const client = createClient({ url, token: 'known' });
    expect(await take(client.streamEvents({ query: { queueId: 5, last: 2 } }), 4)).toEqual([1, 2, 3, 4]);
    expect(asked).toEqual([
      { url: '/v4/wlm/events/stream?queueId=5&last=2', lastId: undefined, token: 'known' },
      { url: '/v4/wlm/events/stream?queueId=5&last=2', lastId: '7-2', token: 'known' },
      { url: '/v4/wlm/events/stream?queueId=5&last=2', lastId: '7-3', token: 'known' },
      { url: '/v4/wlm/events/stream?queueId=5&last=2', lastId: '7-3', token: 'known' },
    ]);
  });

  test('resumes from the place that the stream told, also when no event came yet', async () => {
    const tellsPlace = (response: ServerResponse) => void streaming(response).end(': waiting\nid: 7-0\n\n');
    const { url, asked } = await serving(tellsPlace, sends('7-1'));
    expect(await take(createClient({ url, token: 'known' }).streamEvents(), 1)).toEqual([1]);
    expect(asked.map(({ lastId }) => lastId)).toEqual([undefined, '7-0']);
  });

  test('reads events however the network cuts them, with all digits of their numbers', async () => {
    const text = `: hello\r\n\r\nid: 7-1\r\ndata: {"id":9007199254740993,\r\ndata: "reason":"für später"}\r\n\r\n`;
    const { url } = await serving((response) => {
      streaming(response);
      const bytes = Buffer.from(text);
      for (let at = 0; at < bytes.length; at += 1) response.write(bytes.subarray(at, at + 1));
      response.end();
    });
    const stream = createClient({ url, token: 'known' }).streamEvents();
    const { value } = await stream.next();
    expect(value).toEqual({ id: 9007199254740993n, reason: 'für später' });
    await stream.return?.();
  });

  test('logs in again when its token is over', async () => {
    const { url, asked } = await serving(sends('7-1'), refuses(401), sends('7-2'));
    const client = createClient({ url, token: 'known', username: 'bot', apiKey: 'key' });
    expect(await take(client.streamEvents(), 2)).toEqual([1, 2]);
    expect(asked.map(({ token }) => token)).toEqual(['known', 'known', 'renewed']);
  });

  test('throws what the server refuses, at the beginning also that it has too many streams', async () => {
    const { url } = await serving(
      refuses(404),
      refuses(503, { 'retry-after': '10' }),
      sends('7-1'),
      refuses(403),
    );
    const client = createClient({ url, token: 'known' });
    await expect(take(client.streamEvents(), 1)).rejects.toMatchObject({ status: 404 });
    const error: unknown = await take(client.streamEvents(), 1).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ status: 503, retryAfter: 10 });
    await expect(take(client.streamEvents(), 2)).rejects.toMatchObject({ status: 403 });
  });

  test('throws when there is no server at the beginning, and when something else answers', async () => {
    const { url } = await serving((response) => void response.end('<html>'));
    await expect(take(createClient({ url, token: 'known' }).streamEvents(), 1)).rejects.toThrow(
      'without the JSON of a Millrace server',
    );
    const nowhere = createClient({ url: 'http://127.0.0.1:1', token: 'known' });
    await expect(take(nowhere.streamEvents(), 1)).rejects.toBeInstanceOf(ConnectionError);
  });

  test('ends the connection when its reader stops, and with the reason of the signal', async () => {
    const left: Promise<unknown>[] = [];
    const stays = (response: ServerResponse) => {
      left.push(once(response, 'close'));
      streaming(response).write(messageOf('7-1'));
    };
    const { url } = await serving(stays, stays);
    const client = createClient({ url, token: 'known' });
    expect(await take(client.streamEvents(), 1)).toEqual([1]);
    await left[0];
    const stop = new AbortController();
    const stream = client.streamEvents({}, { signal: stop.signal });
    const ended = take(stream, 2).catch((reason: unknown) => reason);
    await expect.poll(() => left.length).toBe(2);
    const enough = new Error('enough');
    stop.abort(enough);
    expect(await ended).toBe(enough);
    await left[1];
  });
});
