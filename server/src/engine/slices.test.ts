import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { inSlices, mapped, type Interruptible } from './slices.ts';

/** Works for some milliseconds between two pauses. */
function work(milliseconds: number): void {
  const since = performance.now();
  while (performance.now() - since < milliseconds);
}

function* steps(count: number, milliseconds: number): Interruptible<string> {
  for (let done = 0; done < count; done += 1) {
    work(milliseconds);
    yield;
  }
  return 'done';
}

/** Number of turns of the loop while something was done. */
async function turnsOf(done: Promise<unknown>): Promise<number> {
  const progress = { isDone: false };
  void done.finally(() => (progress.isDone = true));
  let turns = 0;
  for (; !progress.isDone; turns += 1) await nextTurn();
  return turns;
}

test('long work pauses again and again, and answers what it comes to', async () => {
  const long = inSlices(steps(60, 2));
  expect(await turnsOf(long)).toBeGreaterThanOrEqual(5);
  expect(await long).toBe('done');
});

test('works of one call, one after the other, pause as one long work does', async () => {
  const inTurn = async () => {
    for (let count = 0; count < 20; count += 1) await inSlices(steps(3, 2));
  };
  expect(await turnsOf(inTurn())).toBeGreaterThanOrEqual(5);
});

test('works side by side pause as one does', async () => {
  const many = Array.from({ length: 20 }, () => inSlices(steps(3, 2)));
  expect(await turnsOf(Promise.all(many))).toBeGreaterThanOrEqual(3);
});

test('little work is done in the turn in which it comes, however long others take', async () => {
  // On a machine that takes the processor away in the middle it may wait, but not each time.
  for (let tries = 0; ; tries += 1) {
    const long = inSlices(steps(30, 2));
    let isDone = false;
    void inSlices(steps(50, 0)).then(() => (isDone = true));
    await Promise.resolve();
    await Promise.resolve();
    const wasDone = isDone;
    await long;
    if (!wasDone && tries < 20) continue;
    expect(wasDone).toBe(true);
    return;
  }
});

test('work that fails fails for who awaits it, also behind a pause', async () => {
  function* failing(): Interruptible<never> {
    yield* steps(20, 2);
    throw new Error('in the end');
  }
  await expect(inSlices(failing())).rejects.toThrow('in the end');
});

test('each member of a list is changed, in order, with its position', async () => {
  const changed = await inSlices(mapped(['a', 'b', 'c'], (letter, index) => `${letter}${index}`));
  expect(changed).toEqual(['a0', 'b1', 'c2']);
});
