import { describe, expect, it } from 'vitest';
import { createTurns, createTurnsByName } from './turns.ts';

/** Work that ends when the test says so. */
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

describe('createTurns', () => {
  it('runs as many at once as it may, and the others in order of arrival', async () => {
    const turns = createTurns({ atOnce: 2, waiting: 10, refusal: () => new Error('busy') });
    const { started, ends, piece } = work();
    const results = [0, 1, 2, 3].map((name) => turns(piece(name)));
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
    const turns = createTurns({ atOnce: 1, waiting: 1, refusal: () => new Error('busy') });
    const { started, ends, piece } = work();
    const first = turns(piece(0));
    const second = turns(piece(1));
    await expect(turns(piece(2))).rejects.toThrow('busy');
    ends[0]?.();
    await first;
    ends[1]?.();
    await second;
    expect(started).toEqual([0, 1]);
  });

  it('passes the turn on when the work fails', async () => {
    const turns = createTurns({ atOnce: 1, waiting: 1, refusal: () => new Error('busy') });
    const { ends, piece } = work();
    const first = turns(piece(0));
    const second = turns(piece(1));
    ends[0]?.(new Error('broken'));
    await expect(first).rejects.toThrow('broken');
    ends[1]?.();
    expect(await second).toBe(1);
    const third = turns(piece(2));
    ends[2]?.();
    expect(await third).toBe(2);
  });
});

describe('createTurnsByName', () => {
  it('keeps a name waiting for its own work only', async () => {
    const turnsOf = createTurnsByName({ atOnce: 1, waiting: 1, refusal: () => new Error('busy') });
    const { started, ends, piece } = work();
    const [first, second, other] = ['a', 'a', 'b'].map((name, index) => turnsOf(name)(piece(index)));
    await expect(turnsOf('a')(piece(3))).rejects.toThrow('busy');
    expect(started).toEqual([0, 2]);
    for (const [index, result] of [first, second, other].entries()) {
      await settled();
      ends[index]?.();
      expect(await result).toBe(index);
    }
    const again = turnsOf('a')(piece(4));
    ends[4]?.();
    expect(await again).toBe(4);
  });
});
