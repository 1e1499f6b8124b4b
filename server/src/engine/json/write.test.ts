import { ExactNumber, parseJson, stringifyJson } from '@millrace/api';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { atOnce } from '../../testing/slices.ts';
import { jsonLists, writeJson } from './write.ts';

const member = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom(undefined, 2n ** 60n, new ExactNumber('1.000000000000000000001'), new Date(0)),
);

describe('an answer in pieces', () => {
  test('is what is written at one go', () => {
    const answer = fc.dictionary(fc.string(), fc.oneof(member, fc.array(member, { maxLength: 40 })));
    fc.assert(
      fc.property(answer, (value) => {
        expect(atOnce(writeJson(value)).join('')).toBe(stringifyJson(value));
      }),
    );
  });

  test('has many where its lists are long, and one where they are short', () => {
    const list = Array.from({ length: 5000 }, (_, index) => ({ index, text: 'x'.repeat(100) }));
    const pieces = atOnce(writeJson({ list, isMore: false }));
    expect(pieces.length).toBeGreaterThan(5);
    expect(parseJson(pieces.join(''))).toEqual({ list, isMore: false });
    expect(atOnce(writeJson({ list: list.slice(0, 20) }))).toHaveLength(1);
  });
});

describe('rows for statements', () => {
  const lists = async (rows: object[], shape?: (row: object, index: number) => object) => {
    const found: object[][] = [];
    for await (const list of jsonLists(rows, shape)) found.push(parseJson(list) as object[]);
    return found;
  };

  test('come in their order, in portions that are bounded whether few rows are large or many are small', async () => {
    const small = Array.from({ length: 20_000 }, (_, index) => ({ index, text: 'x'.repeat(50) }));
    const large = Array.from({ length: 9 }, (_, index) => ({ index, text: 'x'.repeat(300_000) }));
    for (const rows of [small, large, [...small.slice(0, 100), ...large]]) {
      const found = await lists(rows);
      expect(found.flat()).toEqual(rows);
      expect(found.length).toBeGreaterThan(2);
      for (const list of found) expect(JSON.stringify(list).length).toBeLessThan(3_000_000);
    }
  });

  test('are made with their positions among all', async () => {
    const rows = Array.from({ length: 20_000 }, () => ({}));
    const found = await lists(rows, (_, index) => ({ index, text: 'x'.repeat(50) }));
    expect(found.flat().map((row) => (row as { index: number }).index)).toEqual([...rows.keys()]);
  });

  test('are none where there are none', async () => {
    expect(await lists([])).toEqual([]);
  });
});
