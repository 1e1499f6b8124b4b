import { operations, parseJson, type Schemas } from '@millrace/api';
import { expect } from 'vitest';
import { responseCheck } from '../engine/contract.ts';
import { atEnd } from './endings.ts';

/** The messages of each stream. */
interface Messages {
  readonly streamEvents: Schemas['Event'];
  readonly streamQueueStats: Schemas['QueueStatsMessage'];
}

/** A stream read by a program that knows nothing but the format of server-sent events. */
export interface EventReader<Message = Schemas['Event']> {
  readonly status: number;
  readonly headers: Headers;
  /** The next event; undefined when the stream has ended properly. */
  next(): Promise<Message | undefined>;
  /** Events up to the first one that satisfies the condition, including it. */
  until(isLast: (event: Message) => boolean): Promise<Message[]>;
  /** The id to resume from. */
  lastId(): string;
  /** The received comments. */
  comments(): readonly string[];
  /** The progress of uploads, as sent beside the events that were read. */
  progress(): readonly Schemas['UploadProgress'][];
  /** Leaves abruptly, like a program that is ended. */
  leave(): void;
}

/** Opens the stream of events. Each is checked against the contract. */
export function openStream(
  at: { url: string; token: string },
  query: object = {},
  lastId?: string,
): Promise<EventReader> {
  return open('streamEvents', at, query, lastId);
}

/** Opens the stream of the figures of queues. */
export function openStats(
  at: { url: string; token: string },
  query: object = {},
  lastId?: string,
): Promise<EventReader<Schemas['QueueStatsMessage']>> {
  return open('streamQueueStats', at, query, lastId);
}

async function open<O extends keyof Messages>(
  operationId: O,
  { url, token }: { url: string; token: string },
  query: object,
  lastId: string | undefined,
): Promise<EventReader<Messages[O]>> {
  const leaving = new AbortController();
  // A server that stops waits for readers that are still connected.
  atEnd(() => leaving.abort());
  const search = new URLSearchParams(query as Record<string, string>).toString();
  const headers = {
    authorization: `Bearer ${token}`,
    ...(lastId !== undefined && { 'last-event-id': lastId }),
  };
  const { path } = operations[operationId];
  const response = await fetch(`${url}${path}?${search}`, { headers, signal: leaving.signal });
  const { status } = response;
  const state: State = { lastId: '', comments: [], progress: [] };
  const messages = status === 200 ? readMessages(operationId, response, state) : none<Messages[O]>();
  const next = async () => (await messages.next()).value;
  return {
    status,
    headers: response.headers,
    next,
    until: (isLast) => readUntil(next, isLast),
    lastId: () => state.lastId,
    comments: () => state.comments,
    progress: () => state.progress,
    leave: () => leaving.abort(),
  };
}

async function readUntil<Message extends Messages[keyof Messages]>(
  next: () => Promise<Message | undefined>,
  isLast: (message: Message) => boolean,
): Promise<Message[]> {
  const seen: Message[] = [];
  for (let message = await next(); message; message = await next()) {
    seen.push(message);
    if (isLast(message)) return seen;
  }
  throw new Error(`the stream ended after ${seen.map(({ operation }) => operation).join(', ') || 'nothing'}`);
}

async function* none<Message>(): AsyncGenerator<Message, undefined> {}

/** The state of a reader besides the events. */
interface State {
  lastId: string;
  readonly comments: string[];
  readonly progress: Schemas['UploadProgress'][];
}

async function* readMessages<O extends keyof Messages>(
  operationId: O,
  response: Response,
  state: State,
): AsyncGenerator<Messages[O], undefined> {
  for await (const block of blocks(response)) {
    const lines = block.split('\n').map((line) => /^(\w*): ?(.*)$/.exec(line)?.slice(1) ?? []);
    const fields = new Map(lines.map(([name = '', value = '']) => [name, value]));
    const comment = fields.get('');
    if (comment !== undefined) state.comments.push(comment);
    state.lastId = fields.get('id') ?? state.lastId;
    const data = fields.get('data');
    if (data === undefined) continue;
    if (fields.get('event') === 'uploadProgress') {
      expect(fields.has('id'), data).toBe(false);
      state.progress.push(parseJson(data) as Schemas['UploadProgress']);
      continue;
    }
    const message = parseJson(data) as Messages[O];
    expect(responseCheck(operationId, 200)(message), data).toEqual([]);
    expect([fields.get('id'), fields.get('event')]).toEqual([message.cursor, message.operation]);
    yield message;
  }
}

async function* blocks(response: Response): AsyncGenerator<string> {
  let rest = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    const parts = (rest + decoder.decode(chunk as Uint8Array, { stream: true })).split('\n\n');
    rest = parts.pop() ?? '';
    yield* parts;
  }
  expect(rest, 'the stream ended in the middle of an event').toBe('');
}
