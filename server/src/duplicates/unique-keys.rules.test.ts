import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { statuses } from '@millrace/api';
import type { Attribute } from '../engine/operation.ts';
import { atOnce } from '../testing/slices.ts';
import { refuseComparing } from './compare.ts';
import { hashOf, holdsKey, needsKey, type Comparison } from './rules.ts';
import { decideKeys, firstClaims, inOrder, refuseBatch, refuseItem, type Claim } from './unique-keys.ts';

const attributes: Attribute[] = ['invoice', 'vendor', 'amount'].map((name) => ({
  name,
  type: 'TEXT',
  isRequired: false,
}));
const queue = (settings: Partial<Comparison> = {}): Comparison => {
  return { attributes, disallowDuplicate: true, uniqueBy: [], duplicateScope: 'ALL', ...settings };
};
const claims = (...wanted: [itemId: number, hash: string][]) =>
  wanted.map(([itemId, hash]) => ({ itemId, hash }));

describe('an item keeps others with its data out', () => {
  const over = ['COMPLETE', 'FAILED'];
  for (const status of statuses) {
    test(`as ${status}: always with ALL, with OPEN ${over.includes(status) ? 'not' : 'too'}, never where duplicates are allowed`, () => {
      expect(holdsKey(queue(), status)).toBe(true);
      expect(holdsKey(queue({ duplicateScope: 'OPEN' }), status)).toBe(!over.includes(status));
      expect(holdsKey(queue({ disallowDuplicate: false }), status)).toBe(false);
    });
    for (const next of statuses) {
      test(`and needs its unique key again from ${status} to ${next} only when it comes back in a queue that compares open items`, () => {
        const comesBack = over.includes(status) && !over.includes(next);
        expect(needsKey(queue({ duplicateScope: 'OPEN' }), status, next)).toBe(comesBack);
        expect(needsKey(queue(), status, next)).toBe(false);
      });
    }
  }
});

describe('the hash of an item', () => {
  const one = { invoice: 'R-1', vendor: 'Aqua', amount: '5' };

  it('is of all attributes, or of those that are chosen', () => {
    expect(hashOf(queue(), one)).toMatch(/^\\x[0-9a-f]{64}$/);
    expect(hashOf(queue(), one)).not.toBe(hashOf(queue(), { ...one, amount: '6' }));
    const chosen = queue({ uniqueBy: ['vendor', 'invoice'] });
    expect(hashOf(chosen, one)).toBe(hashOf(chosen, { ...one, amount: '6' }));
    expect(hashOf(chosen, one)).not.toBe(hashOf(chosen, { ...one, vendor: 'Brio' }));
  });

  it('tells which attribute has a value, and takes none for none', () => {
    expect(hashOf(queue(), { invoice: 'x' })).not.toBe(hashOf(queue(), { vendor: 'x' }));
    expect(hashOf(queue(), { invoice: 'x', vendor: null })).toBe(hashOf(queue(), { invoice: 'x' }));
  });

  it('stays when the model gets an attribute', () => {
    const wider = queue({ attributes: [...attributes, { name: 'note', type: 'TEXT', isRequired: false }] });
    expect(hashOf(wider, one)).toBe(hashOf(queue(), one));
  });
});

describe('unique keys', () => {
  it('go to the item that comes first, and one item may keep its own', () => {
    const holders = new Map([
      ['a', 7],
      ['b', 2],
    ]);
    const batches = [claims([1, 'a']), claims([2, 'b']), claims([3, 'c'])];
    expect(atOnce(decideKeys(batches, holders))).toEqual([[{ index: 0, itemId: 7 }], [], []]);
  });

  it('are refused to a whole batch, with each duplicate in it, and are free for the next', () => {
    const batches = [claims([1, 'a'], [2, 'x'], [3, 'a']), claims([4, 'a']), claims([5, 'x'], [6, 'a'])];
    expect(atOnce(decideKeys(batches, new Map([['x', 9]])))).toEqual([
      [
        { index: 1, itemId: 9 },
        { index: 2, itemId: 1 },
      ],
      [],
      [
        { index: 0, itemId: 9 },
        { index: 1, itemId: 4 },
      ],
    ]);
  });

  it('are claimed once for each hash, by the first', () => {
    expect(firstClaims(claims([1, 'a'], [2, 'b'], [3, 'a']))).toEqual(claims([1, 'a'], [2, 'b']));
  });

  it('are taken in their order, each once, in portions', () => {
    const hash = fc.stringMatching(/^\\x[0-3]{2}[0-9a-f]{3}$/);
    fc.assert(
      fc.property(fc.array(hash), fc.integer({ min: 1, max: 10 }), (hashes, portion) => {
        const wanted = claims(...hashes.map((one, index): [number, string] => [index, one]));
        const portions = atOnce(inOrder(wanted, portion));
        const byHash = (one: Claim, other: Claim) => (one.hash < other.hash ? -1 : 1);
        expect(portions.flat()).toEqual(firstClaims(wanted).toSorted(byHash));
        for (const some of portions.slice(0, -1)) expect(some.length).toBeGreaterThanOrEqual(portion);
      }),
    );
  });
});

describe('a refusal', () => {
  it('of a batch names index and existing item, or the duplicate in the batch', () => {
    const batch = claims([11, 'a'], [12, 'b'], [13, 'a']);
    const duplicates = [
      { index: 1, itemId: 5 },
      { index: 2, itemId: 11 },
    ];
    const refusal = refuseBatch(queue({ uniqueBy: ['invoice'] }), batch, duplicates);
    expect(refusal).toMatchObject({
      code: 'DUPLICATE',
      details: [
        { index: 1, itemId: 5, message: 'equals item 5 in invoice' },
        { index: 2, message: 'equals the item at index 0 in invoice' },
      ],
    });
    expect(refusal?.message).toContain('the item at index 1 equals item 5 in invoice. Nothing was created.');
    expect(refuseBatch(queue(), batch, [])).toBeUndefined();
  });

  it('of one item names the other and what to do', () => {
    const refusal = refuseItem(queue(), 3, 4);
    expect(refusal.message).toContain('item 3 would equal item 4. Change or delete one of them first.');
    expect(refusal.details).toEqual([{ itemId: 4, message: 'equals item 4' }]);
  });

  it('to compare names the items that equal others, a hundred at most', () => {
    const held = claims(...Array.from({ length: 151 }, (_, index): [number, string] => [index + 1, 'same']));
    const duplicates = held.slice(1).map((_, index) => ({ index: index + 1, itemId: 1 }));
    const refusal = refuseComparing(queue(), held, duplicates);
    expect(refusal?.message).toContain('item 2 equals item 1, and 149 more equal others. Delete them first.');
    expect(refusal?.details).toHaveLength(100);
    expect(refusal?.details?.[99]).toEqual({ itemId: 101, message: 'item 101 equals item 1' });
    expect(refuseComparing(queue(), held, [])).toBeUndefined();
  });
});
