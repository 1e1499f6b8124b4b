import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { GroupCommit } from './group-commit.ts';
import { CommitUnanswered } from './errors.ts';

/** A run that records its batches and waits for `release` before it resolves. */
function recorder(failing: (call: number) => boolean = () => false) {
  const seen: number[][] = [];
  const gates: (() => void)[] = [];
  const run = async (calls: readonly number[]) => {
    seen.push([...calls]);
    await new Promise<void>((resolve) => gates.push(resolve));
    if (calls.some(failing)) throw new Error(`failed with ${calls.join()}`);
    return calls.map((call) => call * 10);
  };
  const release = async (times: number) => {
    for (let done = 0; done < times; done += 1) {
      while (gates.length === 0) await new Promise((resolve) => setImmediate(resolve));
      gates.shift()?.();
    }
  };
  return { seen, run, release };
}

describe('calls on one lane', () => {
  test('run at once when it is idle, and together while a batch is under way', async () => {
    const { seen, run, release } = recorder();
    const batches = new GroupCommit(run, () => 1);
    const outcomes = Promise.all([1, 2, 3, 4].map((call) => batches.enqueue({ own: 'queue' }, call)));
    await release(2);
    expect(await outcomes).toEqual([10, 20, 30, 40]);
    expect(seen).toEqual([[1], [2, 3, 4]]);
  });

  test('run apart from those on other lanes', async () => {
    const { seen, run, release } = recorder();
    const batches = new GroupCommit(run, () => 1);
    const outcomes = Promise.all([batches.enqueue({ own: 'a' }, 1), batches.enqueue({ own: 'b' }, 2)]);
    await release(2);
    expect(await outcomes).toEqual([10, 20]);
    expect(seen).toEqual([[1], [2]]);
  });

  test('are portioned by weight, and one that is too heavy alone still runs', async () => {
    const { seen, run, release } = recorder();
    const batches = new GroupCommit(run, (call) => call);
    const outcomes = Promise.all(
      [1, 1500, 600, 5000, 2].map((call) => batches.enqueue({ own: 'queue' }, call)),
    );
    await release(5);
    await outcomes;
    expect(seen).toEqual([[1], [1500], [600], [5000], [2]]);
  });

  test('are tried one by one when a batch fails, so that only the culprit is harmed', async () => {
    const { run, release } = recorder((call) => call === 3);
    const batches = new GroupCommit(run, () => 1);
    const outcomes = Promise.allSettled([1, 2, 3, 4].map((call) => batches.enqueue({ own: 'queue' }, call)));
    await release(5);
    const values = (await outcomes).map((one) =>
      one.status === 'fulfilled' ? one.value : (one.reason as Error).message,
    );
    expect(values).toEqual([10, 20, 'failed with 3', 40]);
  });

  test.each([
    ['the answer to its commit was lost', new CommitUnanswered(new Error('read ECONNRESET'))],
    ['the database went away', Object.assign(new Error('shutting down'), { code: '57P01' })],
  ])('all hear of it and none runs again when %s, for it may have been done', async (_, failure) => {
    const seen: number[][] = [];
    const run = async (calls: readonly number[]): Promise<number[]> => {
      seen.push([...calls]);
      await new Promise((resolve) => setImmediate(resolve));
      throw failure;
    };
    const batches = new GroupCommit(run, () => 1);
    const outcomes = await Promise.allSettled(
      [1, 2, 3].map((call) => batches.enqueue({ own: 'queue' }, call)),
    );
    expect(outcomes).toEqual([1, 2, 3].map(() => ({ status: 'rejected', reason: failure })));
    expect(seen).toEqual([[1], [2, 3]]);
  });

  test('take all of one queue with its first when many queues share a lane', async () => {
    const seen: string[][] = [];
    const run = (calls: readonly string[]) => {
      seen.push([...calls]);
      return Promise.resolve([...calls]);
    };
    const batches = new GroupCommit(run, () => 1);
    const queues = Array.from({ length: 90 }, (_, index) => `queue ${index}`);
    const calls = Array.from({ length: 10 }, (_, turn) => queues.map((queue) => `${queue}, ${turn}`)).flat();
    const enqueue = (call: string) => batches.enqueue({ own: call.split(',')[0] ?? '', shared: 'all' }, call);
    await Promise.all([enqueue('first'), ...calls.map(enqueue)]);
    const queuesOf = (batch: readonly string[]) => [...new Set(batch.map((call) => call.split(',')[0]))];
    expect(seen.map((batch) => [queuesOf(batch).length, batch.length])).toEqual([
      [1, 1],
      [66, 660],
      [24, 240],
    ]);
  });

  test('find a lane again after it has run empty', async () => {
    const { seen, run, release } = recorder();
    const batches = new GroupCommit(run, () => 1);
    const first = batches.enqueue({ own: 'queue' }, 1);
    await release(1);
    await first;
    const second = batches.enqueue({ own: 'queue' }, 2);
    await release(1);
    expect(await second).toBe(20);
    expect(seen).toEqual([[1], [2]]);
  });

  test('share one for all, and go their own ways when it fails, until nothing waits there any more', async () => {
    const seen: string[] = [];
    const gates: (() => void)[] = [];
    const run = async (calls: readonly string[], isShared: boolean) => {
      seen.push(`${isShared ? 'shared' : 'own'} ${calls.join()}`);
      if (isShared && calls.some((call) => call.startsWith('slow')))
        throw Object.assign(new Error('too long'), { code: '55P03' });
      if (calls[0] === 'slow 1') await new Promise<void>((resolve) => gates.push(resolve));
      return [...calls];
    };
    const batches = new GroupCommit(run, () => 1);
    const enqueue = (call: string) => batches.enqueue({ own: call.split(' ')[0] ?? '', shared: 'all' }, call);
    const slow = enqueue('slow 1');
    const first = ['quick 1', 'other 1', 'quick 2'].map(enqueue);
    expect(await Promise.all(first)).toEqual(['quick 1', 'other 1', 'quick 2']);
    const later = enqueue('slow 2');
    expect(await enqueue('quick 3')).toBe('quick 3');
    gates.shift()?.();
    expect(await Promise.all([slow, later])).toEqual(['slow 1', 'slow 2']);
    expect(seen).toEqual([
      'shared slow 1',
      'own slow 1',
      'shared quick 1,other 1,quick 2',
      'shared quick 3',
      'own slow 2',
    ]);
  });

  test('are parted by their own lanes when the batch of a shared one fails, and only the culprit is harmed', async () => {
    const { seen, run, release } = recorder((call) => call === 13);
    const batches = new GroupCommit(run, () => 1);
    const outcomes = Promise.allSettled(
      [11, 12, 13, 21, 22].map((call) =>
        batches.enqueue({ own: `queue ${Math.floor(call / 10)}`, shared: 'all' }, call),
      ),
    );
    await release(6);
    const values = (await outcomes).map((one) =>
      one.status === 'fulfilled' ? one.value : (one.reason as Error).message,
    );
    expect(values).toEqual([110, 120, 'failed with 13', 210, 220]);
    expect(seen).toEqual([[11], [12, 13, 21, 22], [12, 13], [21, 22], [12], [13]]);
  });

  test('of many own lanes weigh more, as each has statements of its own', async () => {
    const { seen, run, release } = recorder();
    const batches = new GroupCommit(run, () => 1);
    const calls = Array.from({ length: 150 }, (_, call) => call);
    const outcomes = Promise.all(
      calls.map((call) => batches.enqueue({ own: `queue ${call}`, shared: 'all' }, call)),
    );
    await release(3);
    expect((await outcomes).length).toBe(150);
    expect(seen.map(({ length }) => length)).toEqual([1, 95, 54]);
  });

  test('stay apart for a while after a slow batch, also when nothing waits any more', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const seen: string[] = [];
    const run = async (calls: readonly string[], isShared: boolean) => {
      seen.push(`${isShared ? 'shared' : 'own'} ${calls.join()}`);
      if (isShared && calls.includes('slow')) throw Object.assign(new Error('too long'), { code: '57014' });
      if (calls.includes('slow')) await vi.advanceTimersByTimeAsync(300);
      return [...calls];
    };
    const batches = new GroupCommit(run, () => 1);
    const enqueue = (call: string) => batches.enqueue({ own: call, shared: 'all' }, call);
    for (const call of ['slow', 'slow', 'quick']) await enqueue(call);
    expect(seen).toEqual(['shared slow', 'own slow', 'own slow', 'shared quick']);
    await vi.advanceTimersByTimeAsync(60_000);
    await enqueue('slow');
    expect(seen.slice(4)).toEqual(['shared slow', 'own slow']);
  });
});
