import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { foresee, type Facts, type Group, type Promised } from './forecast.rules.ts';
import { timetableOf } from './timetable.rules.ts';

const minute = 60_000;
const now = Date.parse('2026-11-30T10:00:00Z');
const timetable = timetableOf();

const ready = (items: number, more: Partial<Group> = {}): Group => ({
  state: 'READY',
  comesOn: now,
  since: now - minute,
  items,
  ...more,
});
const running = (items: number): Group => ready(items, { state: 'RUNNING' });
const by = (dueTime: string, more: Partial<Promised> = {}): Facts['level'] => ({
  promised: { dueTime, cutOff: dueTime, warnMinutes: 0, ...more },
  timetable,
});
const within = (longestWaitMinutes: number, warnMinutes = 0): Facts['level'] => ({
  promised: { longestWaitMinutes, warnMinutes },
  timetable,
});
const facts = (groups: readonly Group[], more: Partial<Facts> = {}): Facts => ({
  now,
  groups,
  pace: { beginsOn: now, atOnce: 2, handlingMs: 10 * minute },
  isStopped: false,
  slotsPerDevice: 1,
  level: undefined,
  ...more,
});
const minutesFromNow = (time: number | undefined) => time && (time - now) / minute;

describe('foresee', () => {
  test('knows no end where nothing is open, or nobody knows how fast it goes', () => {
    expect(foresee(facts([])).endOn).toBeUndefined();
    expect(foresee(facts([ready(3)], { pace: undefined })).endOn).toBeUndefined();
  });

  test('adds up the line behind those at work, which are half done', () => {
    // Two at once, ten minutes each: ten items in fifty minutes, after half of the running ones.
    expect(minutesFromNow(foresee(facts([running(2), ready(10)])).endOn)).toBeCloseTo(57.5);
    expect(minutesFromNow(foresee(facts([ready(2)])).endOn)).toBe(10);
    expect(minutesFromNow(foresee(facts([running(2)])).endOn)).toBe(5);
  });

  test('waits for what comes due, and works meanwhile', () => {
    const later = ready(1, { state: 'LATER', comesOn: now + 120 * minute });
    expect(minutesFromNow(foresee(facts([ready(4), later])).endOn)).toBe(130);
    const soon = ready(1, { state: 'LATER', comesOn: now + 5 * minute });
    expect(minutesFromNow(foresee(facts([ready(40), soon])).endOn)).toBeGreaterThan(200);
  });

  test('begins when a pause ends', () => {
    const pace = { beginsOn: now + 60 * minute, atOnce: 2, handlingMs: 10 * minute };
    expect(minutesFromNow(foresee(facts([ready(2)], { pace })).endOn)).toBe(70);
  });

  test('says how many miss a time of day, and how many more devices from when would hold it', () => {
    // Twelve an hour, seven hours: 84 of 100, and one more device does eighteen.
    const { level } = foresee(facts([running(2), ready(100)], { level: by('17:00') }));
    expect(level).toMatchObject({ state: 'AT_RISK', late: 0, more: { devices: 1 } });
    expect(level?.misses).toBeGreaterThan(15);
    expect(level?.misses).toBeLessThan(20);
    expect(level?.dueOn).toBe(Date.parse('2026-11-30T17:00:00Z'));
    expect(minutesFromNow(level?.more?.fromOn)).toBeGreaterThan(200);
  });

  test('keeps a promise that it can keep', () => {
    const { level } = foresee(facts([running(2), ready(10)], { level: by('17:00') }));
    expect(level).toMatchObject({ state: 'KEPT', late: 0, misses: 0, more: undefined, dueOn: undefined });
    expect(level?.nextDueOn).toBe(Date.parse('2026-11-30T17:00:00Z'));
  });

  test('warns by the margin before items miss', () => {
    const line = [running(2), ready(76)];
    expect(foresee(facts(line, { level: by('17:00') })).level).toMatchObject({ state: 'KEPT' });
    const warned = foresee(facts(line, { level: by('17:00', { warnMinutes: 60 }) })).level;
    expect(warned).toMatchObject({ state: 'AT_RISK', misses: 0 });
  });

  test('is broken as long as an open item is over its time', () => {
    const old = ready(3, { since: now - 300 * minute });
    expect(foresee(facts([old], { level: within(240) })).level).toMatchObject({ state: 'BROKEN', late: 3 });
    const atWork = { ...old, state: 'RUNNING' } as const;
    expect(foresee(facts([atWork], { level: within(240) })).level).toMatchObject({ state: 'KEPT', late: 0 });
    expect(foresee(facts([atWork], { level: by('09:00') })).level).toMatchObject({
      state: 'BROKEN',
      late: 3,
    });
  });

  test('goes by what is due soon where nobody knows how fast it goes', () => {
    const line = facts([ready(3, { since: now - 230 * minute })], { pace: undefined });
    expect(foresee({ ...line, level: within(240) }).level).toMatchObject({
      state: 'KEPT',
      misses: undefined,
    });
    expect(foresee({ ...line, level: within(240, 15) }).level).toMatchObject({ state: 'AT_RISK' });
  });

  test('is at risk while nobody works, from a working day before something is due', () => {
    const stopped = (level: Facts['level'], groups: readonly Group[] = [ready(3)]) =>
      foresee(facts(groups, { pace: undefined, isStopped: true, level })).level?.state;
    expect(stopped(by('17:00'))).toBe('AT_RISK');
    expect(stopped(by('18:30'))).toBe('KEPT');
    expect(stopped(within(240))).toBe('AT_RISK');
    expect(stopped(within(600))).toBe('KEPT');
    expect(stopped(within(600, 600))).toBe('AT_RISK');
    expect(stopped(by('17:00'), [])).toBe('KEPT');
    expect(stopped(within(240), [ready(3, { since: now - 300 * minute })])).toBe('BROKEN');
    const office = timetableOf({
      timeZone: 'UTC',
      hours: [
        { day: 'MONDAY', from: '09:00', to: '12:00' },
        { day: 'TUESDAY', from: '09:00', to: '17:00' },
      ],
      holidays: [],
    });
    // Two hours are left of Monday, so that eight end on Tuesday at 15:00.
    const due = (dueTime: string): Facts['level'] => ({
      promised: { dueTime, cutOff: '09:30', warnMinutes: 0 },
      timetable: office,
    });
    expect(stopped(due('14:00'))).toBe('AT_RISK');
    expect(stopped(due('16:00'))).toBe('KEPT');
  });

  test('advises no devices that would come too late', () => {
    const pace = { beginsOn: now, atOnce: 1, handlingMs: 60 * minute };
    const { level } = foresee(facts([running(1), ready(5)], { pace, level: by('10:30') }));
    expect(level).toMatchObject({ state: 'AT_RISK', more: undefined });
    expect(level?.misses).toBeGreaterThan(4);
  });

  test('counts in a line of ten thousand groups as in one of few, and what comes in years is due never', () => {
    const long = Array.from({ length: 10_000 }, (_, index) => ready(1, { since: now - minute + index }));
    const level = within(600);
    const [many, one] = [long, [ready(10_000)]].map((line) => foresee(facts(line, { level })));
    expect(many?.level?.misses).toBe(one?.level?.misses);
    expect(many?.endOn).toBeCloseTo(one?.endOn ?? 0, -1);
    const far = now + 8000 * 365 * 24 * 60 * minute;
    const put = ready(1, { state: 'LATER', comesOn: far, since: far });
    expect(foresee(facts([put], { level })).level).toMatchObject({ state: 'KEPT', nextDueOn: undefined });
  });

  const groups = fc
    .array(
      fc.record({
        state: fc.constantFrom('RUNNING' as const, 'READY' as const, 'LATER' as const),
        wait: fc.integer({ min: 0, max: 600 }),
        age: fc.integer({ min: 0, max: 600 }),
        items: fc.integer({ min: 1, max: 400 }),
      }),
      { maxLength: 8 },
    )
    .map((list) =>
      list
        .map(({ state, wait, age, items }): Group => ({
          state,
          items,
          since: now - age * minute,
          comesOn: state === 'LATER' ? now + wait * minute : now,
        }))
        .toSorted((a, b) => a.comesOn - b.comesOn),
    );
  const levels = fc.oneof(
    fc.integer({ min: 1, max: 900 }).map((minutes) => within(minutes)),
    fc.constantFrom('09:00', '12:00', '17:00').map((time) => by(time)),
  );
  const paces = fc.record({
    beginsOn: fc.constantFrom(now, now + 30 * minute),
    atOnce: fc.integer({ min: 1, max: 20 }),
    handlingMs: fc.integer({ min: 1000, max: 30 * minute }),
  });
  const total = (list: readonly Group[]) => list.reduce((all, { items }) => all + items, 0);

  test('never ends later, and never misses more, with more at work', () => {
    fc.assert(
      fc.property(groups, levels, paces, fc.integer({ min: 1, max: 20 }), (list, level, pace, more) => {
        const few = foresee(facts(list, { level, pace }));
        const many = foresee(facts(list, { level, pace: { ...pace, atOnce: pace.atOnce + more } }));
        expect(many.endOn ?? 0).toBeLessThanOrEqual((few.endOn ?? 0) + 1);
        expect(many.level?.misses).toBeLessThanOrEqual(few.level?.misses ?? 0);
        expect(many.level?.late).toBe(few.level?.late);
      }),
    );
  });

  test('never ends earlier with one more item at its end, and counts none that is not there', () => {
    fc.assert(
      fc.property(groups, levels, paces, (list, level, pace) => {
        const before = foresee(facts(list, { level, pace }));
        const last = ready(1, { state: 'LATER', comesOn: now + 700 * minute });
        expect(foresee(facts([...list, last], { level, pace })).endOn).toBeGreaterThanOrEqual(
          before.endOn ?? 0,
        );
        const { late = 0, misses = 0 } = before.level ?? {};
        expect(late + misses).toBeLessThanOrEqual(total(list));
      }),
    );
  });

  test('makes no difference whether items that are alike are one group or several', () => {
    fc.assert(
      fc.property(groups, levels, paces, (list, level, pace) => {
        const parted = list.flatMap((group) =>
          group.items > 1
            ? [
                { ...group, items: 1 },
                { ...group, items: group.items - 1 },
              ]
            : [group],
        );
        const [whole, parts] = [
          foresee(facts(list, { level, pace })),
          foresee(facts(parted, { level, pace })),
        ];
        expect(parts.level?.late).toBe(whole.level?.late);
        expect(Math.abs((parts.level?.misses ?? 0) - (whole.level?.misses ?? 0))).toBeLessThanOrEqual(
          list.length,
        );
      }),
    );
  });

  test('advises as many devices as are enough from when they are, and no fewer', () => {
    fc.assert(
      fc.property(groups, levels, paces, (list, level, pace) => {
        const { more, misses = 0 } = foresee(facts(list, { level, pace })).level ?? {};
        if (!more) return;
        expect(more.fromOn).toBeGreaterThanOrEqual(pace.beginsOn);
        const helped = foresee(
          facts(list, { level, pace: { ...pace, atOnce: pace.atOnce + more.devices } }),
        ).level;
        expect(helped?.misses).toBeLessThan(misses);
        // The remaining items cannot be saved, so that no more devices are recommended for them.
        expect(helped?.more).toBeUndefined();
        if (more.devices === 1) return;
        const fewer = foresee(
          facts(list, { level, pace: { ...pace, atOnce: pace.atOnce + more.devices - 1 } }),
        ).level;
        expect(fewer?.misses).toBeGreaterThan(helped?.misses ?? 0);
      }),
    );
  });
});
