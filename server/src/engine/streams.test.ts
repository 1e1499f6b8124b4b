import { describe, expect, test } from 'vitest';
import { createStreams } from './streams.ts';
import { WakeUps, allWaiting } from './wake-ups.ts';
import type { StreamPart } from './stream-part.ts';
import type { Limiter } from './limiter.ts';

const part = (cursor: string, more: Partial<StreamPart> = {}): StreamPart => ({
  list: [],
  cursor,
  isMore: false,
  isBehind: false,
  ...more,
});

const noLimit: Limiter = (work) => work();

/** Takes the first parts of a stream. */
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
    const open = createStreams(new WakeUps(), noLimit);
    const read = async (cursor: string | undefined) => {
      asked.push(cursor);
      return part(`${asked.length}-0`, { isMore: true });
    };
    const stream = await open(read, new AbortController().signal);
    expect(await take(stream, 4)).toEqual(['1-0', '2-0', '3-0', '4-0']);
    expect(asked).toEqual([undefined, '1-0', '2-0', '3-0']);
  });

  test('reads again when a wake-up comes, also when it came while the part was read', async () => {
    const wakeUps = new WakeUps();
    let reads = 0;
    const read = async () => {
      reads += 1;
      if (reads < 3) wakeUps.notify('events', allWaiting);
      return part(`${reads}-0`);
    };
    const stream = await createStreams(wakeUps, noLimit)(read, new AbortController().signal);
    expect(await take(stream, 3)).toEqual(['1-0', '2-0', '3-0']);
  });

  test('looks again by itself when something is on record that cannot be told yet', async () => {
    let reads = 0;
    const read = async () => part(`${(reads += 1)}-0`, { isBehind: reads < 3 });
    const stream = await createStreams(new WakeUps(), noLimit)(read, new AbortController().signal);
    expect(await take(stream, 3)).toEqual(['1-0', '2-0', '3-0']);
  });

  test('is not opened when its first part is refused, and breaks off when a later one is', async () => {
    let reads = 0;
    const read = async () => {
      reads += 1;
      if (reads !== 2) throw new Error(`refused at ${reads}`);
      return part('2-0', { isMore: true });
    };
    const open = createStreams(new WakeUps(), noLimit);
    const { signal } = new AbortController();
    await expect(open(read, signal)).rejects.toThrow('refused at 1');
    await expect(take(await open(read, signal), 2)).rejects.toThrow('refused at 3');
  });

  test('ends when it is told to, also while it waits', async () => {
    const ending = new AbortController();
    const stream = await createStreams(new WakeUps(), noLimit)(async () => part('1-0'), ending.signal);
    const taken = take(stream, 2);
    ending.abort();
    expect(await taken).toEqual(['1-0']);
  });

  test('leaves connections to others: two are read at a time, in turn', async () => {
    const open = createStreams(new WakeUps(), noLimit);
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
