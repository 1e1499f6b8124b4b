import { Readable, Writable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import type { Schemas } from '@millrace/api';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { StreamPart } from '../stream-part.ts';
import { eventStream } from './streams.ts';

afterEach(() => {
  vi.useRealTimers();
});

const eventAt = (id: number, reason = ''): Schemas['Event'] => {
  const on = '2026-03-02T08:15:00.000Z';
  return { cursor: `7-${id}`, id, operation: 'claimWorkItems', actorId: 0, reason, on };
};
const part = (...list: Schemas['Event'][]): StreamPart => ({
  list,
  cursor: `8-${list.length}`,
  isMore: false,
  isBehind: false,
});
const silence = part();
const tellWhy = (error: unknown) => (error as Error).message;

async function* from(...parts: StreamPart[]): AsyncGenerator<StreamPart> {
  yield* parts;
}

async function chunksOf(parts: AsyncIterable<StreamPart>): Promise<string[]> {
  const chunks: string[] = [];
  for await (const chunk of eventStream(parts, tellWhy)) chunks.push(chunk);
  return chunks;
}

describe('eventStream', () => {
  test('writes each event with its cursor, its operation and itself as JSON on one line', async () => {
    const [one, two] = [eventAt(1, 'first\nsecond line'), eventAt(2)];
    const frame = ({ cursor, ...rest }: Schemas['Event']) =>
      `id: ${cursor}\nevent: claimWorkItems\ndata: ${JSON.stringify({ cursor, ...rest })}\n\n`;
    expect(await chunksOf(from(part(one, two)))).toEqual([frame(one) + frame(two)]);
  });

  test('tells what is under way without a place to resume from, and again only when it has changed', async () => {
    const beside = (rows: number): StreamPart => ({
      ...part(),
      asides: [{ kind: 'uploadProgress', data: { uploadId: 4, rows } }],
    });
    const frame = (rows: number) => `event: uploadProgress\ndata: {"uploadId":4,"rows":${rows}}\n\n`;
    const chunks = await chunksOf(from(beside(1), beside(1), beside(2), beside(2)));
    expect(chunks).toEqual([frame(1), frame(2)]);
  });

  test('says where to resume when there is nothing to tell: at first, and then every 15 seconds', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    async function* parts() {
      for (const seconds of [0, 5, 5, 5, 14, 1]) {
        vi.advanceTimersByTime(seconds * 1000);
        yield silence;
      }
    }
    expect(await chunksOf(parts())).toEqual(Array.from({ length: 3 }, () => ': waiting\nid: 8-0\n\n'));
  });

  test('ends in good order when the next part is refused, and says why', async () => {
    async function* parts() {
      yield part(eventAt(1));
      throw new Error('The token is over.\nLog in again.');
    }
    expect((await chunksOf(parts())).at(-1)).toBe(': The token is over. Log in again.\n\n');
  });

  test('reads no further than a part or two ahead of a reader who takes nothing', async () => {
    let read = 0;
    async function* parts() {
      for (;;) {
        read += 1;
        yield part(eventAt(read, 'x'.repeat(100_000)));
      }
    }
    const stalled = new Writable({ write: () => undefined });
    const stream = Readable.from(eventStream(parts(), tellWhy));
    stream.pipe(stalled);
    for (let tick = 0; tick < 1000; tick += 1) await setImmediate();
    expect(read).toBeLessThanOrEqual(3);
    stream.destroy();
  });
});
