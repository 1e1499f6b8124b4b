import { parseJson, stringifyJson } from '@millrace/api';
import { describe, expect, it } from 'vitest';
import { attributesAt, inPresentNames, isFormer, nameAt, type JsonRecord } from './record.ts';
import type { Attribute } from '../engine/operation.ts';

const text = (id: number, name: string, formerNames?: Attribute['formerNames']): Attribute => ({
  id,
  name,
  type: 'TEXT',
  isRequired: false,
  ...(formerNames && { formerNames }),
});

const model = {
  modelVersion: 5,
  namesSince: 4,
  attributes: [
    text(1, 'b', [{ until: 4, name: 'a' }]),
    text(2, 'a', [
      { until: 2, name: '__proto__' },
      { until: 4, name: 'b' },
    ]),
    text(3, 'same'),
    text(4, 'added', [{ until: 3 }]),
  ],
};
const renamed = (json: string, version: number) =>
  stringifyJson(inPresentNames(model, parseJson(json) as JsonRecord, version));

describe('the names of attributes', () => {
  it.each([
    [0, ['a', '__proto__', 'same', undefined]],
    [1, ['a', '__proto__', 'same', undefined]],
    [2, ['a', 'b', 'same', undefined]],
    [3, ['a', 'b', 'same', 'added']],
    [4, ['b', 'a', 'same', 'added']],
    [5, ['b', 'a', 'same', 'added']],
  ])('in version %i are those of then', (version, names) => {
    expect(model.attributes.map((attribute) => nameAt(attribute, version))).toEqual(names);
    expect(attributesAt(model.attributes, version).map(({ name }) => name)).toEqual(
      names.filter((name) => name !== undefined),
    );
    expect(isFormer(model, version)).toBe(version < 4);
  });

  it('are exchanged in a record, with every digit and in the same order', () => {
    const record = '{"b":12345678901234567890.10,"same":9007199254740993,"a":"x"}';
    expect(renamed(record, 3)).toBe('{"a":12345678901234567890.10,"same":9007199254740993,"b":"x"}');
    expect(renamed(record, 4)).toBe(record);
  });

  it('may be those of members of every object', () => {
    expect(renamed('{"__proto__":1,"a":2}', 0)).toBe('{"a":1,"b":2}');
  });

  it('of attributes that are gone stay with what they hold, unless they are taken', () => {
    expect(renamed('{"gone":1,"nothing":null,"a":2}', 3)).toBe('{"gone":1,"b":2}');
    // Before version 3 there was no attribute "added"; a former one had that name.
    expect(renamed('{"added":"other"}', 1)).toBe('{"added":"other"}');
    expect(renamed('{"b":"gone","__proto__":"x"}', 0)).toBe('{"a":"x"}');
  });
});
