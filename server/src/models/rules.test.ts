import { describe, expect, it } from 'vitest';
import { Refusal } from '../engine/errors.ts';
import { defineModel } from './rules.ts';

type Sent = Parameters<typeof defineModel>[0];

function refusalOf(sent: Sent): Refusal {
  try {
    defineModel(sent);
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  throw new Error('The model was not refused.');
}

describe('a work item model', () => {
  it('has attributes that are required texts unless they say otherwise', () => {
    const attributes = [
      { name: 'a' },
      { name: 'b', type: 'DATE', isRequired: false },
    ] satisfies Sent['attributes'];
    expect(defineModel({ name: 'M', attributes })).toEqual({
      name: 'M',
      attributes: [
        { name: 'a', type: 'TEXT', isRequired: true },
        { name: 'b', type: 'DATE', isRequired: false },
      ],
    });
  });

  it('has names in one form, in which no two are the same', () => {
    const attributes = [{ name: 'Nume\u0301ro' }, { name: 'Num\u00e9ro' }, { name: '\uff2eum\u00e9ro' }];
    const { message } = refusalOf({ name: 'M', attributes });
    expect(message).toContain(
      'attributes.1.name "Num\u00e9ro" differs from that of attribute 0 only in the form of its characters',
    );
    expect(message).toContain('attributes.2.name');
    const [first] = defineModel({ name: 'M', attributes: attributes.slice(0, 1) }).attributes;
    expect(first?.name).toBe('Num\u00e9ro');
  });

  it('has no names with characters that cannot be seen', () => {
    const attributes = [{ name: 'a\u200b' }, { name: 'b\u202e' }, { name: 'c\u2060c' }];
    const { message } = refusalOf({ name: 'M\u0007', attributes });
    for (const code of ['U+0007', 'U+200B', 'U+202E', 'U+2060']) expect(message).toContain(code);
  });

  it('is made without the members that the server sets', () => {
    const sent = {
      id: 9,
      version: 7,
      createdBy: 1,
      tenantId: 4,
      name: 'M',
      attributes: [{ id: 3, name: 'a' }],
    };
    expect(defineModel(sent)).toEqual({
      name: 'M',
      attributes: [{ name: 'a', type: 'TEXT', isRequired: true }],
    });
  });

  it('may have attributes whose names differ in case, or mean something to JavaScript', () => {
    const names = ['a', 'A', '__proto__', 'constructor', 'toString', 'größe', '金額', '🧾'];
    const { attributes } = defineModel({ name: 'M', attributes: names.map((name) => ({ name })) });
    expect(attributes.map(({ name }) => name)).toEqual(names);
  });

  it.each<[Sent, object[]]>([
    [{ attributes: [{ name: 'a' }] }, [{ field: 'name', message: 'is missing' }]],
    [{ name: ' ', attributes: [{ name: 'a' }] }, [{ field: 'name', message: 'must not be blank' }]],
    [
      { name: 'M ', attributes: [{ name: 'a' }] },
      [{ field: 'name', message: 'must not begin or end with white space' }],
    ],
    [{ name: 'M' }, [{ field: 'attributes', message: 'must name at least one attribute' }]],
    [{ name: 'M', attributes: [] }, [{ field: 'attributes', message: 'must name at least one attribute' }]],
    [
      { name: 'M', attributes: [{ name: 'a' }, {}, { name: '\t' }, { name: 'a' }] },
      [
        { index: 1, field: 'name', message: 'is missing' },
        { index: 2, field: 'name', message: 'must not be blank' },
        { index: 3, field: 'name', message: '"a" is that of attribute 0 already' },
      ],
    ],
  ])('%j is refused with each thing that is wrong', (sent, details) => {
    const refusal = refusalOf(sent);
    expect(refusal.code).toBe('INVALID_REQUEST');
    expect(refusal.details).toEqual(details);
  });

  it('is refused with the index of the attribute in the message', () => {
    expect(refusalOf({ name: 'M', attributes: [{ name: 'a' }, { name: 'a' }] }).message).toBe(
      'This is no work item model: attributes.1.name "a" is that of attribute 0 already.',
    );
  });
});
