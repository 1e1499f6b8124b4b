import { describe, expect, test } from 'vitest';
import { parseJson } from '@millrace/api';
import { recordProblems, type JsonRecord } from './record.ts';
import type { Attribute } from '../engine/operation.ts';

const attributes: Attribute[] = [
  { name: 'customer', type: 'TEXT', isRequired: true },
  { name: 'amount', type: 'NUMBER', isRequired: false },
  { name: 'due', type: 'DATE', isRequired: false },
  { name: 'urgent', type: 'BOOLEAN', isRequired: false },
];
const problems = (text: string) => recordProblems(attributes, parseJson(text) as JsonRecord);

describe('a record', () => {
  for (const text of [
    '{"customer":"a"}',
    '{"customer":"","amount":9007199254740993,"due":"2026-02-28","urgent":false}',
    '{"customer":"a","amount":0.1,"due":"2026-03-01T09:30:00.123456789+05:30","urgent":null}',
  ]) {
    test(`fits the model: ${text}`, () => expect(problems(text)).toEqual([]));
  }

  for (const [text, field, message] of [
    ['{}', 'customer', 'is required'],
    ['{"customer":null}', 'customer', 'is required'],
    [
      '{"customer":5}',
      'customer',
      'must be a text of at most 100000 characters, without the character NUL, not 5',
    ],
    ['{"customer":"a","amount":"5"}', 'amount', 'must be a number that a double can approximate, not "5"'],
    [
      '{"customer":"a","amount":1e400}',
      'amount',
      'must be a number that a double can approximate, not 1e400',
    ],
    ['{"customer":"a","urgent":"yes"}', 'urgent', 'must be true or false, not "yes"'],
    ['{"customer":"a","urgent":[true]}', 'urgent', 'must be true or false, not a list'],
    [
      '{"customer":"a","Amount":5}',
      'Amount',
      'is not an attribute of the model, which has customer, amount, due, urgent',
    ],
    [
      '{"customer":"a","__proto__":{}}',
      '__proto__',
      'is not an attribute of the model, which has customer, amount, due, urgent',
    ],
  ] as const) {
    test(`is refused: ${text}`, () => expect(problems(text)).toEqual([{ field, message }]));
  }

  test('that names an attribute in another form of its characters is told so', () => {
    const attribute = { name: 'num\u00e9ro', type: 'TEXT' as const, isRequired: false };
    const [problem] = recordProblems([attribute], { 'nume\u0301ro': 'x' });
    expect(problem?.message).toContain('differs from num\u00e9ro only in the form of its characters');
    expect(recordProblems([attribute], { number: 'x' })[0]?.message).not.toContain('form');
  });

  test('may have attributes named like members of every object', () => {
    const odd: Attribute[] = ['__proto__', 'constructor', 'toString'].map((name) => ({
      name,
      type: 'NUMBER',
      isRequired: true,
    }));
    expect(
      recordProblems(odd, parseJson('{"__proto__":1,"constructor":2,"toString":3}') as JsonRecord),
    ).toEqual([]);
    expect(recordProblems(odd, {})).toHaveLength(3);
  });
});
