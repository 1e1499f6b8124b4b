import { describe, expect, test } from 'vitest';
import { parseJson } from '@millrace/api';
import type { Attribute } from '../engine/operation.ts';
import type { JsonRecord } from '../records/record.ts';
import { recordHash } from './rules.ts';

const attributes: Attribute[] = [
  { name: 'customer', type: 'TEXT', isRequired: true },
  { name: 'amount', type: 'NUMBER', isRequired: false },
  { name: 'due', type: 'DATE', isRequired: false },
  { name: 'urgent', type: 'BOOLEAN', isRequired: false },
];

describe('the hash of a record', () => {
  const hash = (text: string) => recordHash(attributes, parseJson(text) as JsonRecord).toString('hex');

  test('is the same whatever the order of the members, and for null and missing', () => {
    expect(hash('{"customer":"a","amount":1}')).toBe(hash('{"urgent":null,"amount":1.0,"customer":"a"}'));
  });

  test('tells a number from its text, and numbers that a double would not', () => {
    expect(hash('{"customer":"1"}')).not.toBe(hash('{"customer":1}'));
    expect(hash('{"amount":9007199254740993}')).not.toBe(hash('{"amount":9007199254740992}'));
  });

  test.each([
    ['100000000000000000000000', '1e23'],
    ['0.1', '0.10000000000000000000'],
    ['9007199254740993', '9007199254740993.0'],
    ['-0', '0.00'],
  ])('is the same for the numbers %s and %s', (one, other) => {
    expect(hash(`{"amount":${one}}`)).toBe(hash(`{"amount":${other}}`));
  });

  test.each([
    ['2026-03-01T00:00:00Z', '2026-03-01T00:00:00.00Z'],
    ['2026-03-01T00:00:00Z', '2026-03-01T01:00+01:00'],
    ['2026-03-01', '2026-03-01T00:00Z'],
  ])('is the same for the instants %s and %s', (one, other) => {
    expect(hash(`{"due":"${one}"}`)).toBe(hash(`{"due":"${other}"}`));
    expect(hash(`{"customer":"${one}"}`)).not.toBe(hash(`{"customer":"${other}"}`));
  });

  test('tells instants that differ by a nanosecond', () => {
    const at = (fraction: string) => hash(`{"due":"2026-03-01T00:00:00.${fraction}Z"}`);
    expect(at('000000001')).not.toBe(at('000000002'));
  });
});
