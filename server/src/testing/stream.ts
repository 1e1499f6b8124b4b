import { parseJson, type Schemas } from '@millrace/api';
import { expect } from 'vitest';
import { responseCheck } from '../contract.ts';

/** A stream of events as a program reads it that knows nothing but the format of server-sent events. */
export interface EventReader {
  readonly status: number;
  readonly headers: Headers;
  /** The next event; undefined when the stream has ended in good order. */
  next(): Promise<Schemas['Event'] | undefined>;
  /** Events until one satisfies the condition, that one included. */
  until(isLast: (event: Schemas['Event']) => boolean): Promise<Schemas['Event'][]>;
  /** The id to resume from. */
  lastId(): string;
  /** The comments that came. */
  comments(): readonly string[];
  /** Goes away, as a program that is ended. */
  leave(): void;
}

/** Opens a stream. Each event is held against the contract. */
export async function openStream(
  { url, token }: { url: string; token: string },
  query: object = {},
  lastId?: string,
): Promise<EventReader> {
  const leaving = new AbortController();
  const search = new URLSearchParams(query as Record<string, string>).toString();
  const headers = {
    authorization: `Bearer ${token}`,
    ...(lastId !== undefined && { 'last-event-id': lastId }),
  };
  const response = await fetch(`${url}/v4/wlm/events/stream?${search}`, { headers, signal: leaving.signal });
  const { status } = response;
  const state = { lastId: '', comments: [] as string[] };
  const events = status === 200 ? readEvents(response, state) : noEvents();
  const next = async () => (await events.next()).value;
  return {
    status,
    headers: response.headers,
    next,
    until: (isLast) => readUntil(next, isLast),
    lastId: () => state.lastId,
    comments: () => state.comments,
    leave: () => leaving.abort(),
  };
}

async function readUntil(
  next: EventReader['next'],
  isLast: (event: Schemas['Event']) => boolean,
): Promise<Schemas['Event'][]> {
  const seen: Schemas['Event'][] = [];
  for (let event = await next(); event; event = await next()) {
    seen.push(event);
    if (isLast(event)) return seen;
  }
  throw new Error(`the stream ended after ${seen.map(({ operation }) => operation).join(', ') || 'nothing'}`);
}

async function* noEvents(): AsyncGenerator<Schemas['Event'], undefined> {}

async function* readEvents(
  response: Response,
  state: { lastId: string; comments: string[] },
): AsyncGenerator<Schemas['Event'], undefined> {
  for await (const block of blocks(response)) {
    const lines = block.split('\n').map((line) => /^(\w*): ?(.*)$/.exec(line)?.slice(1) ?? []);
    const fields = new Map(lines.map(([name = '', value = '']) => [name, value]));
    const comment = fields.get('');
    if (comment !== undefined) state.comments.push(comment);
    state.lastId = fields.get('id') ?? state.lastId;
    const data = fields.get('data');
    if (data === undefined) continue;
    const event = parseJson(data) as Schemas['Event'];
    expect(responseCheck('streamEvents', 200)(event), data).toEqual([]);
    expect([fields.get('id'), fields.get('event')]).toEqual([event.cursor, event.operation]);
    yield event;
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
