import { describe, expect, test } from 'vitest';
import { Bell, everybody } from './dispatch/bell.ts';
import { createStreams, type StreamPart } from './streams.ts';
import type { Turns } from './turns.ts';

const part = (cursor: string, more: Partial<StreamPart> = {}): StreamPart => ({
  list: [],
  cursor,
  isMore: false,
  isBehind: false,
  ...more,
});

const anyTurns: Turns = (work) => work();

/** Takes so many parts of a stream. */
async function take(parts: AsyncIterable<StreamPart>, count: number): Promise<string[]> {
  const taken: string[] = [];
  for await (const { cursor } of parts) {
    taken.push(cursor);
    if (taken.length === count) break;
  }
  return taken;
}

describe('a stream', () => {
  test('reads each part behind the one before, without waiting as long as there is more', async () => {
    const asked: unknown[] = [];
    const open = createStreams(new Bell(), anyTurns);
    const read = async (cursor: string | undefined) => {
      asked.push(cursor);
      return part(`${asked.length}-0`, { isMore: true });
    };
    const stream = await open(read, new AbortController().signal);
    expect(await take(stream, 4)).toEqual(['1-0', '2-0', '3-0', '4-0']);
    expect(asked).toEqual([undefined, '1-0', '2-0', '3-0']);
  });

  test('reads again when the bell rings, also when it rang while the part was read', async () => {
    const bell = new Bell();
    let reads = 0;
    const read = async () => {
      reads += 1;
      if (reads < 3) bell.ring('events', everybody);
      return part(`${reads}-0`);
    };
    const stream = await createStreams(bell, anyTurns)(read, new AbortController().signal);
    expect(await take(stream, 3)).toEqual(['1-0', '2-0', '3-0']);
  });

  test('looks again by itself when something is on record that cannot be told yet', async () => {
    let reads = 0;
    const read = async () => part(`${(reads += 1)}-0`, { isBehind: reads < 3 });
    const stream = await createStreams(new Bell(), anyTurns)(read, new AbortController().signal);
    expect(await take(stream, 3)).toEqual(['1-0', '2-0', '3-0']);
  });

  test('is not opened when its first part is refused, and breaks off when a later one is', async () => {
    let reads = 0;
    const read = async () => {
      reads += 1;
      if (reads !== 2) throw new Error(`refused at ${reads}`);
      return part('2-0', { isMore: true });
    };
    const open = createStreams(new Bell(), anyTurns);
    const { signal } = new AbortController();
    await expect(open(read, signal)).rejects.toThrow('refused at 1');
    await expect(take(await open(read, signal), 2)).rejects.toThrow('refused at 3');
  });

  test('ends when it is told to, also while it waits', async () => {
    const ending = new AbortController();
    const stream = await createStreams(new Bell(), anyTurns)(async () => part('1-0'), ending.signal);
    const taken = take(stream, 2);
    ending.abort();
    expect(await taken).toEqual(['1-0']);
  });

  test('leaves connections to others: two are read at a time, in turn', async () => {
    const open = createStreams(new Bell(), anyTurns);
    let reading = 0;
    let most = 0;
    const read = async () => {
      reading += 1;
      most = Math.max(most, reading);
      await new Promise((resolve) => setImmediate(resolve));
      reading -= 1;
      return part('1-0', { isMore: true });
    };
    const { signal } = new AbortController();
    const streams = await Promise.all(Array.from({ length: 8 }, () => open(read, signal)));
    await Promise.all(streams.map((stream) => take(stream, 5)));
    expect(most).toBe(2);
  });
});
