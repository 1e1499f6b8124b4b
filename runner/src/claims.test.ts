import { expect, test, vi } from 'vitest';
import { claimItems } from './claims.ts';
import { createSlots } from './slots.ts';

test('a runner asks for work as often as ever when the clock of its machine is put back', async () => {
  const drain = new AbortController();
  let calls = 0;
  const take = () => {
    calls += 1;
    vi.useRealTimers();
    if (calls === 2) drain.abort();
    return Promise.resolve([]);
  };
  vi.useFakeTimers({ now: Date.now() + 3_600_000, toFake: ['Date'] });
  await claimItems({
    slots: createSlots(1),
    source: { call: 'claimWorkItems', take },
    start: () => undefined,
    emit: () => undefined,
    drain: drain.signal,
    kill: new AbortController().signal,
  });
  expect(calls).toBe(2);
});
