import { expect, test } from 'vitest';
import { mapped, optionsOf, problemsByKind, proposalsOf, type Reading } from './rules.ts';

const reading: Reading = { mapping: {}, leavesOut: false, dateFormat: '', timeZone: 'Europe/Berlin' };

test('a reading says to the server what a person has chosen, and nothing else', () => {
  expect(optionsOf(reading)).toEqual({ timeZone: 'Europe/Berlin' });
  const chosen = { ...reading, mapping: { Betrag: 'amount' }, leavesOut: true, dateFormat: ' dd.mm.yyyy ' };
  expect(optionsOf(chosen)).toEqual({
    mapping: '{"Betrag":"amount"}',
    extraColumns: 'IGNORE',
    dateFormat: 'dd.mm.yyyy',
    timeZone: 'Europe/Berlin',
  });
});

test('a column becomes one attribute, which no other column becomes then', () => {
  const once = mapped(reading, 'Betrag', 'amount');
  expect(mapped(once, 'Summe', 'amount').mapping).toEqual({ Summe: 'amount' });
  expect(mapped(once, 'Betrag', '').mapping).toEqual({});
});

test('what is proposed is taken only when a person takes it, and is proposed once', () => {
  const proposals = {
    mapping: { Betrag: 'amount' },
    dateFormat: 'dd.mm.yyyy',
    decimalSign: 'COMMA',
  } as const;
  const proposed = proposalsOf(reading, proposals);
  expect(proposed?.text).toBe('Betrag → amount · dd.mm.yyyy · 1,5');
  expect(proposed?.accepted).toMatchObject(proposals);
  expect(proposalsOf(proposed?.accepted ?? reading, { mapping: proposals.mapping })).toBeUndefined();
});

test('what is wrong is told by kind with its rows, the most frequent first', () => {
  const problems = [
    { row: 2, column: 'amount', reason: 'must be a number', itemId: 7 },
    { row: 3, reason: 'equals row 2 in customer' },
    { row: 4, reason: 'equals row 3 in customer' },
  ];
  expect(problemsByKind(problems)).toEqual([
    { column: undefined, reason: 'equals another row in customer', rows: [{ row: 3 }, { row: 4 }] },
    { column: 'amount', reason: 'must be a number', rows: [{ row: 2, itemId: 7 }] },
  ]);
});
