import { parseJson, stringifyJson } from '@millrace/api';
import { expect, test } from 'vitest';
import { dataChangeIn, typedIn, versionsOf, withTyped } from './edit-rules.ts';

const base = parseJson('{"number":"R-1","amount":9007199254740993.125,"tags":["a"]}') as Record<
  string,
  unknown
>;
const types = { number: 'TEXT', amount: 'NUMBER', due: 'DATE' } as const;

test('A field that nobody touched leaves its value as it is, to the last digit', () => {
  const typed = typedIn(base, types);
  expect(typed).toEqual({ number: 'R-1', amount: '9007199254740993.125', due: '' });
  expect(stringifyJson(withTyped(base, { ...typed, number: 'R-2' }, types))).toBe(
    '{"number":"R-2","amount":9007199254740993.125,"tags":["a"]}',
  );
});

test('A field that is emptied takes the value away, and one that holds no number is none yet', () => {
  expect(withTyped(base, { number: '' }, types)).toEqual({ amount: base['amount'], tags: ['a'] });
  expect(withTyped(base, { amount: 'much' }, types)).toBeUndefined();
});

test('Events tell what they changed in the data, once one before them has told what it was', () => {
  const one = { operation: 'updateWorkItem', changes: { json: { number: 'R-1', amount: 5 } } };
  const many = {
    operation: 'updateWorkItemStatus',
    changes: { action: 'EDIT', json: { amount: null, due: 'x' } },
  };
  const other = { operation: 'claimWorkItems', changes: {} };
  expect(dataChangeIn(one, [])).toBeUndefined();
  expect(dataChangeIn(many, [])).toBeUndefined();
  expect(dataChangeIn(other, [one])).toBeUndefined();
  expect(dataChangeIn(many, [one, other])).toEqual([
    { name: 'amount', before: 5, after: undefined },
    { name: 'due', before: undefined, after: 'x' },
  ]);
  expect(dataChangeIn(one, [one, many])).toEqual([
    { name: 'due', before: 'x', after: undefined },
    { name: 'amount', before: undefined, after: 5 },
  ]);
});

test.each(['updateWorkItemStatus', 'updateWorkItems'])(
  'The versions of the data of an item are what its events tell of it whole, and %s sets some attributes of that',
  (operation) => {
    const some = { operation, changes: { json: { amount: 6 } } };
    const whole = { operation: 'updateWorkItem', changes: { json: { number: 'R-1', amount: 5 } } };
    const other = { operation: 'claimWorkItems' };
    expect(versionsOf([some, other])).toEqual([]);
    expect(versionsOf([some, whole, other, some])).toEqual([
      { event: whole, data: { number: 'R-1', amount: 5 } },
      { event: some, data: { number: 'R-1', amount: 6 } },
    ]);
  },
);

test('A value that is hidden has an empty field, stays unless something is typed, and is replaced by that', () => {
  const masked = { masked: '•••' };
  const data = { iban: masked, vendor: 'Acme' };
  const ofModel = { iban: 'TEXT', vendor: 'TEXT' } as const;
  const typed = typedIn(data, ofModel);
  expect(typed).toEqual({ iban: '', vendor: 'Acme' });
  expect(withTyped(data, { ...typed, vendor: 'Bolt' }, ofModel)).toEqual({ iban: masked, vendor: 'Bolt' });
  expect(withTyped(data, { ...typed, iban: 'DE00' }, ofModel)).toEqual({ iban: 'DE00', vendor: 'Acme' });
});
