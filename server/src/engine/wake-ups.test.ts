import { describe, expect, test } from 'vitest';
import { WakeUps, deviceWakeUp, poolWakeUp, type WakeUp } from './wake-ups.ts';

const forever = () => new AbortController().signal;

/** Waits, and notes the name when it wakes. */
function wait(wakeUps: WakeUps, awake: string[], name: string, names: WakeUp[] = [1]): void {
  void wakeUps.wait(names, wakeUps.notifications, 60_000, forever()).then(() => awake.push(name));
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('a wake-up', () => {
  test('wakes those who wait at its queue, and nobody else', async () => {
    const [wakeUps, awake] = [new WakeUps(), [] as string[]];
    wait(wakeUps, awake, 'here');
    wait(wakeUps, awake, 'elsewhere', [2, poolWakeUp(1), deviceWakeUp(1)]);
    wakeUps.notify(1, 1);
    await settled();
    expect(awake).toEqual(['here']);
    wakeUps.close();
  });

  test('wakes those who have waited longest, no more than the items may need', async () => {
    const [wakeUps, awake] = [new WakeUps(), [] as string[]];
    for (let index = 0; index < 20; index += 1) wait(wakeUps, awake, String(index));
    wakeUps.notify(1, 1);
    await settled();
    expect(awake).toEqual(['0', '1', '2', '3', '4', '5']);
    wakeUps.close();
  });

  test('does not let anybody sleep who looked for work before it came', async () => {
    const wakeUps = new WakeUps();
    const since = wakeUps.notifications;
    wakeUps.notify(1, 1);
    await expect(wakeUps.wait([2, 1], since, 60_000, forever())).resolves.toBeUndefined();
  });

  test('wakes a sleeper of several wake-ups by any of them, once', async () => {
    const [wakeUps, awake] = [new WakeUps(), [] as string[]];
    wait(wakeUps, awake, 'device', [1, 2, poolWakeUp(1)]);
    wait(wakeUps, awake, 'other device', [2, poolWakeUp(2)]);
    wakeUps.notify(poolWakeUp(1), 1);
    await settled();
    expect(awake).toEqual(['device']);
    wakeUps.notify(2, 1);
    wakeUps.notify(1, 1);
    await settled();
    expect(awake).toEqual(['device', 'other device']);
  });

  test('lets a caller go that has hung up, and everybody when the server stops', async () => {
    const [wakeUps, awake, gone] = [new WakeUps(), [] as string[], new AbortController()];
    const hungUp = wakeUps.wait([1], wakeUps.notifications, 60_000, gone.signal);
    gone.abort();
    await expect(hungUp).resolves.toBeUndefined();
    wait(wakeUps, awake, 'last');
    wakeUps.close();
    await settled();
    expect(awake).toEqual(['last']);
    await expect(wakeUps.wait([1], wakeUps.notifications, 60_000, forever())).resolves.toBeUndefined();
  });
});
