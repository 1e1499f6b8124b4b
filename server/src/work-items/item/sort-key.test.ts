import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseJson } from '@millrace/api';
import type { Attribute } from '../../engine/operation.ts';
import { rankOf } from '../../records/record.ts';
import { arrivalIn, movedBehind, sortKey } from './rules.ts';

const attributes: Attribute[] = [
  { name: 'amount', type: 'NUMBER', isRequired: false },
  { name: 'customer', type: 'TEXT', isRequired: false },
  { name: 'due', type: 'DATE', isRequired: false },
  { name: 'urgent', type: 'BOOLEAN', isRequired: false },
  { name: '-odd', type: 'NUMBER', isRequired: false },
];
const now = new Date('2026-03-01T09:30:00Z');
const key = (processingOrders: string[], json: Record<string, unknown>, priority = 4, arrival = now) =>
  sortKey(priority, rankOf({ processingOrders, attributes }, json), arrival);

describe('the sort key', () => {
  test('puts a higher priority first, whatever the attributes say', () => {
    expect(Buffer.compare(key(['amount'], { amount: 9 }, 9), key(['amount'], { amount: 1 }, 0))).toBe(-1);
  });

  test('puts the earlier arrival first among equals', () => {
    expect(Buffer.compare(key([], {}), key([], {}, 4, new Date(now.getTime() + 1)))).toBe(-1);
  });

  test('sorts numbers as numbers, in both directions', () => {
    const number = fc.double({ noNaN: true, noDefaultInfinity: true });
    fc.assert(
      fc.property(number, number, (a, b) => {
        const expected = Math.sign(a - b) || 0;
        expect(Buffer.compare(key(['amount'], { amount: a }), key(['amount'], { amount: b })) + 0).toBe(
          expected + 0,
        );
        expect(Buffer.compare(key(['-amount'], { amount: a }), key(['-amount'], { amount: b })) + 0).toBe(
          0 - expected,
        );
      }),
    );
  });

  test('sorts texts as texts, a beginning before what continues it, in both directions', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 20 }).filter((one) => !one.includes('\u0000'));
    fc.assert(
      fc.property(text, text, (a, b) => {
        const expected = Buffer.compare(Buffer.from(a), Buffer.from(b));
        expect(Buffer.compare(key(['customer'], { customer: a }), key(['customer'], { customer: b }))).toBe(
          expected,
        );
        expect(Buffer.compare(key(['-customer'], { customer: a }), key(['-customer'], { customer: b }))).toBe(
          0 - expected,
        );
      }),
    );
  });

  test('sorts instants by time, whatever their offset', () => {
    const earlier = key(['due'], { due: '2026-03-01T10:00:00+02:00' });
    const later = key(['due'], { due: '2026-03-01T09:00:00Z' });
    expect(Buffer.compare(earlier, later)).toBe(-1);
  });

  test('sorts exact numbers beyond a double by their size', () => {
    const { small, large } = parseJson('{"small": 9007199254740993, "large": 1e30}') as {
      small: unknown;
      large: unknown;
    };
    expect(Buffer.compare(key(['amount'], { amount: small }), key(['amount'], { amount: large }))).toBe(-1);
  });

  test('puts an item without the value last, in either direction', () => {
    for (const order of ['amount', '-amount', 'customer', '-customer', 'due', '-urgent']) {
      const name = order.replace('-', '');
      const value = { amount: -1e300, customer: '', due: '1900-01-01', urgent: false }[name];
      expect(Buffer.compare(key([order], { [name]: value }), key([order], {}))).toBe(-1);
    }
  });

  test('compares the second attribute where the first is equal', () => {
    const orders = ['customer', '-amount'];
    const [first, second, third] = [
      { customer: 'a', amount: 5 },
      { customer: 'a', amount: 4 },
      { customer: 'ab', amount: 9 },
    ];
    expect(Buffer.compare(key(orders, first), key(orders, second))).toBe(-1);
    expect(Buffer.compare(key(orders, second), key(orders, third))).toBe(-1);
  });

  test('takes a name that begins with a dash for a name, not for a direction', () => {
    expect(Buffer.compare(key(['-odd'], { '-odd': 1 }), key(['-odd'], { '-odd': 2 }))).toBe(-1);
    expect(Buffer.compare(key(['--odd'], { '-odd': 1 }), key(['--odd'], { '-odd': 2 }))).toBe(1);
  });

  test('moves an item behind its equals and before those of lower rank', () => {
    const later = new Date(now.getTime() + 60_000);
    const moved = movedBehind(key([], {}, 4), later);
    expect(Buffer.compare(moved, key([], {}, 4))).toBe(1);
    expect(Buffer.compare(moved, key([], {}, 3))).toBe(-1);
    expect(arrivalIn(moved)).toEqual(later);
  });
});
