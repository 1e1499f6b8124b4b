import { expect, test } from 'vitest';
import { merged, nothingWaits } from './live-rules.ts';

const listed = new Set(['1', '2']);

test('Items that a list would gain wait to be shown, and those that it would lose stay until then', () => {
  const once = merged(nothingWaits, { selected: ['2', '3'], touched: ['1', '2', '3'], listed });
  expect(once).toEqual({ come: new Set(['3']), gone: new Set(['1']), isMany: false });
  const twice = merged(once, { selected: ['1'], touched: ['1', '3'], listed });
  expect(twice).toEqual(nothingWaits);
});

test('Of a flood is said only that there was one', () => {
  expect(merged(nothingWaits, { selected: undefined, touched: [], listed })).toEqual({
    ...nothingWaits,
    isMany: true,
  });
});
