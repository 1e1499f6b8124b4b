import { describe, expect, test } from 'vitest';
import { Bell, deviceBell, poolBell, type BellName } from './bell.ts';

const forever = () => new AbortController().signal;

/** Waits at the bell, and notes the name when it wakes. */
function waitAt(bell: Bell, woken: string[], name: string, bells: BellName[] = [1]): void {
  void bell.wait(bells, bell.rings, 60_000, forever()).then(() => woken.push(name));
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('the bell', () => {
  test('wakes those who wait at its queue, and nobody else', async () => {
    const [bell, woken] = [new Bell(), [] as string[]];
    waitAt(bell, woken, 'here');
    waitAt(bell, woken, 'elsewhere', [2, poolBell(1), deviceBell(1)]);
    bell.ring(1, 1);
    await settled();
    expect(woken).toEqual(['here']);
    bell.close();
  });

  test('wakes those who have waited longest, no more than the items may need', async () => {
    const [bell, woken] = [new Bell(), [] as string[]];
    for (let index = 0; index < 20; index += 1) waitAt(bell, woken, String(index));
    bell.ring(1, 1);
    await settled();
    expect(woken).toEqual(['0', '1', '2', '3', '4', '5']);
    bell.close();
  });

  test('does not let anybody sleep who looked for work before it rang', async () => {
    const bell = new Bell();
    const heard = bell.rings;
    bell.ring(1, 1);
    await expect(bell.wait([2, 1], heard, 60_000, forever())).resolves.toBeUndefined();
  });

  test('wakes a sleeper of several bells by any of them, once', async () => {
    const [bell, woken] = [new Bell(), [] as string[]];
    waitAt(bell, woken, 'device', [1, 2, poolBell(1)]);
    waitAt(bell, woken, 'other device', [2, poolBell(2)]);
    bell.ring(poolBell(1), 1);
    await settled();
    expect(woken).toEqual(['device']);
    bell.ring(2, 1);
    bell.ring(1, 1);
    await settled();
    expect(woken).toEqual(['device', 'other device']);
  });

  test('lets a caller go that has hung up, and everybody when the server stops', async () => {
    const [bell, woken, gone] = [new Bell(), [] as string[], new AbortController()];
    const hungUp = bell.wait([1], bell.rings, 60_000, gone.signal);
    gone.abort();
    await expect(hungUp).resolves.toBeUndefined();
    waitAt(bell, woken, 'last');
    bell.close();
    await settled();
    expect(woken).toEqual(['last']);
    await expect(bell.wait([1], bell.rings, 60_000, forever())).resolves.toBeUndefined();
  });
});
