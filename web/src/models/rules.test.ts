import { expect, test } from 'vitest';
import { applied, changesBetween } from '../dialogs/changes.ts';
import {
  draftsOf,
  isChanged,
  listOf,
  lists,
  movedUp,
  recordOf,
  sampled,
  withNew,
  type Draft,
  type ModelDraft,
} from './rules.ts';

const shown = (text: string) =>
  sampled(text)?.map(({ name, type, isRequired }) => `${name} ${type}${isRequired ? '!' : ''}`);

test('a sample of JSON shows names and types, and what every record has', () => {
  const text =
    '[{"number":"R-1","amount":1.5,"due":"2026-03-01","urgent":true},{"number":"R-2","amount":2,"tags":[]}]';
  expect(shown(text)).toEqual(['number TEXT!', 'amount NUMBER!', 'due DATE', 'urgent BOOLEAN', 'tags TEXT']);
  expect(() => sampled('{"number":')).toThrow(SyntaxError);
});

test('a row of names shows names alone, and a table with values is for the server', () => {
  expect(shown('Invoice No.; "Amount" ;')).toEqual(['Invoice No. TEXT', 'Amount TEXT']);
  expect(sampled('number,amount\nR-1,1')).toBeUndefined();
});

test('a change is one of name, type, need or order', () => {
  const attributes = [
    { id: 1, name: 'number', type: 'TEXT' as const, isRequired: true },
    { id: 2, name: 'amount', type: 'NUMBER' as const, isRequired: false },
  ];
  const drafts = draftsOf(attributes);
  expect(isChanged(attributes, drafts)).toBe(false);
  expect(movedUp(drafts, 1).map(({ id }) => id)).toEqual([2, 1]);
  expect(isChanged(attributes, movedUp(drafts, 1))).toBe(true);
  expect(withNew(drafts).at(-1)).toMatchObject({ name: '', type: 'TEXT', isRequired: false });
});

test('an order that somebody else has made stays, with new attributes behind, until one moves some oneself', () => {
  const keysOf = (data: object) => listOf(data as ModelDraft).map(({ key }) => key);
  const base = draftsOf([{ id: 1 }, { id: 2 }, { id: 3 }]);
  const theirs = { ...recordOf(movedUp(draftsOf([{ id: 1 }, { id: 2 }, { id: 3 }, { id: 4 }]), 2)) };
  const mine = (drafts: readonly Draft[]) =>
    changesBetween({ ...recordOf(base) }, { ...recordOf(drafts) }, lists);
  expect(keysOf(applied(mine(withNew(base).toSpliced(0, 1)), theirs))).toEqual(['3', '2', '4', 'new 1']);
  expect(keysOf(applied(mine(movedUp(base, 1)), theirs))).toEqual(['2', '1', '3', '4']);
});

test('a new attribute never takes the place of another new one', () => {
  const added = withNew(
    draftsOf([
      { id: 1, name: 'number' },
      { id: 2, name: 'amount' },
    ]),
  );
  const typed = added.map((one) => (one.name === '' ? { ...one, name: 'approvedBy' } : one));
  const again = withNew(typed.toSpliced(0, 1));
  expect(listOf(recordOf(again)).map(({ name }) => name)).toEqual(['amount', 'approvedBy', '']);
});
