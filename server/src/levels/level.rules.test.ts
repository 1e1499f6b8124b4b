import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { tell } from './forecast.ts';
import { settleLevel } from './level.ts';
import type { Told } from './stored.ts';

const now = new Date('2026-11-30T10:00:00Z');
const later = (minutes: number) => new Date(now.getTime() + minutes * 60_000);
const open = true;

describe('settleLevel', () => {
  test('has the due time for a cut-off, and warns a quarter of an hour before', () => {
    expect(settleLevel({ dueTime: '17:00' })).toMatchObject({ cutOff: '17:00', warnMinutes: 15 });
  });
});

describe('tell', () => {
  test('warns once, says once that it is broken, and not that it is only at risk again', () => {
    expect(tell({ state: 'KEPT' }, { state: 'AT_RISK', isOpen: open }, now)).toEqual({
      state: 'AT_RISK',
      event: 'warnQueueLevel',
    });
    expect(tell({ state: 'AT_RISK' }, { state: 'AT_RISK', isOpen: open }, now)).toEqual({ state: 'AT_RISK' });
    expect(tell({ state: 'AT_RISK' }, { state: 'BROKEN', isOpen: open }, now)).toMatchObject({
      event: 'breakQueueLevel',
    });
    expect(tell({ state: 'BROKEN' }, { state: 'BROKEN', isOpen: open }, now)).toEqual({ state: 'BROKEN' });
    expect(tell({ state: 'BROKEN' }, { state: 'AT_RISK', isOpen: open }, now)).toEqual({ state: 'BROKEN' });
  });

  test('says that it is kept again after five minutes, or at once where nothing is open', () => {
    const calm = tell({ state: 'AT_RISK' }, { state: 'KEPT', isOpen: open }, now);
    expect(calm).toEqual({ state: 'AT_RISK', calmSince: now });
    expect(tell(calm, { state: 'KEPT', isOpen: open }, later(4))).toEqual(calm);
    const kept = { state: 'KEPT', event: 'keepQueueLevel' };
    expect(tell(calm, { state: 'KEPT', isOpen: open }, later(5))).toEqual(kept);
    expect(tell({ state: 'BROKEN' }, { state: 'KEPT', isOpen: false }, now)).toEqual(kept);
  });

  test('begins to wait anew when it wavers', () => {
    const calm = tell({ state: 'AT_RISK' }, { state: 'KEPT', isOpen: open }, now);
    const wavering = tell(calm, { state: 'AT_RISK', isOpen: open }, later(4));
    expect(wavering).toEqual({ state: 'AT_RISK' });
    expect(tell(wavering, { state: 'KEPT', isOpen: open }, later(6))).toMatchObject({ calmSince: later(6) });
  });

  test('tells between two times that it is kept at most one warning and one breach', () => {
    const states = fc.array(fc.constantFrom('KEPT' as const, 'AT_RISK' as const, 'BROKEN' as const), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(states, (seen) => {
        let told: Told = { state: 'KEPT' };
        let since: string[] = [];
        for (const [minute, state] of seen.entries()) {
          const { event, ...next } = tell(told, { state, isOpen: open }, later(minute));
          told = next;
          if (event) since = event === 'keepQueueLevel' ? [] : [...since, event];
          expect(new Set(since).size).toBe(since.length);
        }
      }),
    );
  });
});
