import { describe, expect, it } from 'vitest';
import { createFairLimiter, createLimiter, createLimiterByName } from './limiter.ts';

/** Work that ends when the test ends it. */
function work() {
  const started: number[] = [];
  const ends: ((failure?: Error) => void)[] = [];
  const piece = (name: number) => () => {
    started.push(name);
    return new Promise<number>((resolve, reject) => {
      ends[name] = (failure) => (failure ? reject(failure) : resolve(name));
    });
  };
  return { started, ends, piece };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('createLimiter', () => {
  it('runs as many at once as it may, and the others in order of arrival', async () => {
    const limiter = createLimiter({ atOnce: 2, waiting: 10, refusal: () => new Error('busy') });
    const { started, ends, piece } = work();
    const results = [0, 1, 2, 3].map((name) => limiter(piece(name)));
    await settled();
    expect(started).toEqual([0, 1]);
    ends[1]?.();
    await settled();
    expect(started).toEqual([0, 1, 2]);
    ends[0]?.();
    await settled();
    expect(started).toEqual([0, 1, 2, 3]);
    ends[2]?.();
    ends[3]?.();
    expect(await Promise.all(results)).toEqual([0, 1, 2, 3]);
  });

  it('refuses when too many wait', async () => {
    const limiter = createLimiter({ atOnce: 1, waiting: 1, refusal: () => new Error('busy') });
    const { started, ends, piece } = work();
    const first = limiter(piece(0));
    const second = limiter(piece(1));
    await expect(limiter(piece(2))).rejects.toThrow('busy');
    ends[0]?.();
    await first;
    ends[1]?.();
    await second;
    expect(started).toEqual([0, 1]);
  });

  it('lets the next piece run when the work fails', async () => {
    const limiter = createLimiter({ atOnce: 1, waiting: 1, refusal: () => new Error('busy') });
    const { ends, piece } = work();
    const first = limiter(piece(0));
    const second = limiter(piece(1));
    ends[0]?.(new Error('broken'));
    await expect(first).rejects.toThrow('broken');
    ends[1]?.();
    expect(await second).toBe(1);
    const third = limiter(piece(2));
    ends[2]?.();
    expect(await third).toBe(2);
  });
});

describe('createLimiterByName', () => {
  it('keeps a name waiting for its own work only', async () => {
    const limiterOf = createLimiterByName({ atOnce: 1, waiting: 1, refusal: () => new Error('busy') });
    const { started, ends, piece } = work();
    const [first, second, other] = ['a', 'a', 'b'].map((name, index) => limiterOf(name)(piece(index)));
    await expect(limiterOf('a')(piece(3))).rejects.toThrow('busy');
    expect(started).toEqual([0, 2]);
    for (const [index, result] of [first, second, other].entries()) {
      await settled();
      ends[index]?.();
      expect(await result).toBe(index);
    }
    const again = limiterOf('a')(piece(4));
    ends[4]?.();
    expect(await again).toBe(4);
  });
});

describe('a fair limiter', () => {
  /** Records the order in which pieces of work begin; each ends by itself. */
  function recorder(limits: { waiting: number; waitingInAll: number }) {
    const limiter = createFairLimiter({ atOnce: 1, ...limits, refusal: () => new Error('busy') });
    const begun: string[] = [];
    const run = (line: string, name: string) =>
      limiter(line)(async () => {
        begun.push(name);
        await Promise.resolve();
        return name;
      });
    return { run, begun };
  }

  it('lets the lines go turn by turn', async () => {
    const { run, begun } = recorder({ waiting: 10, waitingInAll: 10 });
    await Promise.all(['a1', 'a2', 'a3', 'a4', 'b1', 'b2', 'c1'].map((name) => run(name.slice(0, 1), name)));
    expect(begun).toEqual(['a1', 'a2', 'b1', 'c1', 'a3', 'b2', 'a4']);
    await run('d', 'd1');
    expect(begun.at(-1)).toBe('d1');
  });

  it('refuses what a line has no place for', async () => {
    const { run } = recorder({ waiting: 2, waitingInAll: 10 });
    const outcomes = await Promise.allSettled(['1', '2', '3', '4'].map((name) => run('a', name)));
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled', 'rejected']);
  });

  it('takes a place of the longest line for a shorter one when all are taken', async () => {
    const { run, begun } = recorder({ waiting: 10, waitingInAll: 3 });
    const names = ['a1', 'a2', 'a3', 'a4', 'b1', 'a5', 'c1'];
    const outcomes = await Promise.allSettled(names.map((name) => run(name.slice(0, 1), name)));
    expect(outcomes.map(({ status }) => status === 'fulfilled')).toEqual([
      true,
      true,
      false,
      false,
      true,
      false,
      true,
    ]);
    expect(begun).toEqual(['a1', 'a2', 'b1', 'c1']);
  });
});
