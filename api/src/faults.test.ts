import { expect, test } from 'vitest';
import { faultIn } from './index.ts';

test.each([
  ['', '', 'has the end where a value should be'],
  ['nul', '', 'has "nul" where a value should be'],
  ['{"a":1,}', 'a', 'has "}" where a name in double quotes should be'],
  ["{'a':1}", '', `has "'a':1}" where a name in double quotes or } should be`],
  ['{"a":{"b":01}}', 'a.b', 'has "01}}" where a value should be'],
  ['{"a" 1}', 'a', 'has "1}" where : should be'],
  ['{"a":[1,2 3]}', 'a.1', 'has "3]}" where a comma or ] should be'],
  ['[1,,2]', '1', 'has ",2]" where a value should be'],
  ['[1,2', '1', 'has the end where a comma or ] should be'],
  ['{"a":1', 'a', 'has the end where a comma or } should be'],
  ['{"a":1} {"a":1}', '', 'has "{\\"a\\":1}" where the end should be'],
  [`["${'x'.repeat(100)}`, '0', `has "\\"${'x'.repeat(19)}…" where a value or ] should be`],
  ['["\\q"]', '0', 'has "\\\\q", which is no escape'],
  ['["\\\\","\\u12"]', '1', 'has "\\\\u", which is no escape'],
  ['["a\u0009b"]', '0', 'holds the character U+0009, which JSON writes as an escape'],
  ['{"a":["x\\u0000"]}', 'a.0', 'holds the character NUL (\\u0000), which cannot be stored'],
  ['{"a":{"b\\ud800":1}}', 'a', 'has a name that holds half a surrogate pair, which is no character'],
])('%j has its first fault at %j', (text, place, message) => {
  const fault = faultIn(text);
  expect([fault?.way.join('.'), fault?.message]).toEqual([place, message]);
});

test('a part of a list counts its members from the first', () => {
  expect(faultIn('[1,x]', 40)?.way).toEqual([41]);
});

test.each([
  '0',
  '-1.5e+3',
  '"\\u00e9\\ud83d\\ude00\\/"',
  '{}',
  '[]',
  ' { "a" : [ true , false , null ] , "b" : { } } \n',
])('%j has none', (text) => {
  expect(JSON.parse(text)).toBeDefined();
  expect(faultIn(text)).toBeUndefined();
});
