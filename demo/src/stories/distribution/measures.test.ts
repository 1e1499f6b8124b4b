import { describe, expect, test } from 'vitest';
import { at, happens, ms } from './events.fixture.ts';
import { historyOf } from './history.ts';
import { busyShare, contestedSpans, inUseUntil, longestIdle, sharesIn } from './measures.ts';
import { lengthOf } from './spans.ts';

const { created, begun, done } = happens;
const [first, second] = [1, 2];

describe('historyOf', () => {
  const place = { queueId: first, itemId: 10, deviceId: 7 };

  test('an item waits, runs, comes back and waits again', () => {
    const events = [
      created(0, place),
      begun(1, place),
      at(3, { operation: 'quarantineDevice', deviceId: 7 }),
      at(3, { operation: 'quarantineDevice', ...place, from: 'IN_PROGRESS', to: 'NEW' }),
      begun(4, { ...place, deviceId: 8 }),
    ];
    expect(historyOf(events)).toEqual({
      waits: [
        { queueId: first, itemId: 10, from: ms(0), to: ms(1) },
        { queueId: first, itemId: 10, from: ms(3), to: ms(4) },
      ],
      stints: [
        { ...place, from: ms(1), to: ms(3), outcome: 'NEW' },
        { ...place, deviceId: 8, from: ms(4) },
      ],
      pauses: [],
      quarantines: [{ deviceId: 7, on: ms(3) }],
    });
  });

  test('a stint knows its point of no return, and a heartbeat without one changes nothing', () => {
    const beat = {
      operation: 'heartbeatWorkItems',
      ...place,
      from: 'IN_PROGRESS',
      to: 'IN_PROGRESS',
    } as const;
    const events = [
      created(0, place),
      begun(1, place),
      at(2, beat),
      at(3, { ...beat, changes: { pointOfNoReturnOn: 'then' } }),
    ];
    expect(historyOf(events).stints).toEqual([{ ...place, from: ms(1), pointOfNoReturnOn: ms(3) }]);
  });

  test('items of the same number in two queues are two', () => {
    const other = { ...place, queueId: second };
    const { waits } = historyOf([created(0, place), created(0, other), begun(1, other)]);
    expect(waits.map(({ to }) => to)).toEqual([undefined, ms(1)]);
  });
});

describe('measures', () => {
  // Two devices; the first queue has an item left until second 6, the other one until second 4.
  const events = [
    ...[10, 11, 12].map((itemId) => created(0, { queueId: first, itemId })),
    ...[20, 21].map((itemId) => created(0, { queueId: second, itemId })),
    begun(0, { queueId: first, itemId: 10, deviceId: 7 }),
    begun(1, { queueId: second, itemId: 20, deviceId: 8 }),
    done(3, { queueId: first, itemId: 10, deviceId: 7 }),
    begun(3, { queueId: first, itemId: 11, deviceId: 7 }),
    done(4, { queueId: second, itemId: 20, deviceId: 8 }),
    begun(4, { queueId: second, itemId: 21, deviceId: 8 }),
    done(6, { queueId: first, itemId: 11, deviceId: 7 }),
    begun(6, { queueId: first, itemId: 12, deviceId: 7 }),
    done(6, { queueId: second, itemId: 21, deviceId: 8 }),
    done(7, { queueId: first, itemId: 12, deviceId: 7 }),
  ];
  const history = historyOf(events);
  const weighted = [
    { queueId: first, weight: 3 },
    { queueId: second, weight: 1 },
  ];

  test('queues contest while each has an item that waits', () => {
    expect(contestedSpans(history, [first, second], ms(9))).toEqual([{ from: ms(0), to: ms(4) }]);
  });

  test('a queue that is paused contests nothing', () => {
    const paused = historyOf([
      ...events,
      at(1, { operation: 'pauseQueue', queueId: second }),
      at(2, { operation: 'resumeQueue', queueId: second }),
    ]);
    expect(lengthOf(contestedSpans(paused, [first, second], ms(9)))).toBe(3000);
  });

  test('shares add up the time of all devices within the spans', () => {
    // Of seven seconds that two devices worked until second 4, the first queue has four.
    expect(sharesIn([{ from: ms(0), to: ms(4) }], history, weighted, ms(9))).toEqual([
      { queueId: first, got: 4 / 7, due: 0.75 },
      { queueId: second, got: 3 / 7, due: 0.25 },
    ]);
  });

  test('without any moment to compare nobody got anything', () => {
    expect(sharesIn([], history, weighted, ms(9)).map(({ got }) => got)).toEqual([0, 0]);
  });

  test('a device is idle in vain while something waits, from no moment before it came on', () => {
    const inUse = new Map([
      [7, ms(9)],
      [8, ms(9)],
    ]);
    expect(longestIdle(history, [first, second], inUse, ms(9))).toBe(1000);
  });

  test('a device is busy for a share of the time since its first item', () => {
    expect(busyShare(history, 8, ms(9))).toBe(5 / 8);
    expect(busyShare(history, 8, ms(3))).toBe(1);
    expect(busyShare(history, 9, ms(9))).toBe(0);
  });

  test('a device is in use until it is killed or taken out of use', () => {
    const held = historyOf([at(3, { operation: 'quarantineDevice', deviceId: 7 })]);
    const killed = new Map([[8, ms(4)]]);
    expect([7, 8, 9].map((id) => inUseUntil(held, killed, id, ms(9)))).toEqual([ms(3), ms(4), ms(9)]);
  });

  test('a device that was taken out of use is not idle from then on', () => {
    const late = historyOf([created(0, { queueId: first, itemId: 10 })]);
    expect(longestIdle(late, [first], new Map([[7, ms(2)]]), ms(9))).toBe(2000);
    expect(longestIdle(late, [first], new Map([[7, ms(9)]]), ms(9))).toBe(9000);
  });
});
