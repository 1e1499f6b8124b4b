import { expect, it } from 'vitest';
import { brokenBy, type PasswordRule } from './rules.ts';

const cases: [string, PasswordRule[]][] = [
  ['several quiet words', []],
  ['', ['length', 'variety', 'edges', 'name', 'other', 'same']],
  ['short', ['length']],
  ['aaaabbbbcccc', ['variety']],
  [' blank before', ['edges']],
  ['the MARA of it', ['name']],
  ['on aram street', ['name']],
  ['the one so far', ['other']],
  // Wide letters are the same as narrow ones.
  ['ｍａｒａ at home', ['name']],
];

it.each(cases)('the password "%s" breaks %j', (password, broken) => {
  const typed = { password, again: password, username: 'mara@example.com', present: 'the one so far' };
  expect(brokenBy(typed)).toEqual(broken);
});

it('a password that is typed otherwise the second time is not the same', () => {
  const typed = { password: 'several words', again: 'several word', username: 'mara', present: '' };
  expect(brokenBy(typed)).toEqual(['same']);
});
