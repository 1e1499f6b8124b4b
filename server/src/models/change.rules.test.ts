import { describe, expect, it } from 'vitest';
import type { Schemas } from '@millrace/api';
import { Refusal } from '../engine/errors.ts';
import { decideModelChange } from './rules.ts';
import type { Attribute } from '../engine/operation.ts';

const customer: Attribute = { id: 1, name: 'customer', type: 'TEXT', isRequired: true };
const amount: Attribute = { id: 2, name: 'amount', type: 'NUMBER', isRequired: false };
const due: Attribute = { id: 3, name: 'due', type: 'DATE', isRequired: false };
const model = { name: 'Orders', version: 4, attributes: [customer, amount, due] };

type Sent = Schemas['WorkItemModelUpdate']['attributes'];
const all = [{ id: 1 }, { id: 2 }, { id: 3 }];
const change = (attributes?: Sent, more = {}) =>
  decideModelChange(model, { version: 4, ...(attributes && { attributes }), ...more });

function refusalOf(attributes: Sent, more = {}): Refusal {
  try {
    change(attributes, more);
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  throw new Error('The change was not refused.');
}

describe('a change of a model', () => {
  it.each([
    ['nothing', undefined, {}],
    ['ids alone', all, {}],
    ['names alone', [{ name: 'customer' }, { name: 'amount' }, { name: 'due' }], {}],
    ['what was read', model.attributes as Sent, { name: 'Orders' }],
  ])('that says %s changes nothing', (_, attributes, more) => {
    expect(change(attributes, more)).toEqual({
      name: 'Orders',
      attributes: model.attributes,
      isRenaming: false,
      marked: [],
      unmarked: [],
      risks: [],
      isNone: true,
    });
  });

  it('renames the model, or puts attributes in another order, without any item at risk', () => {
    expect(change(undefined, { name: 'Sales' })).toMatchObject({
      name: 'Sales',
      isNone: false,
      risks: [],
    });
    const turned = change([{ id: 3 }, { id: 2 }, { id: 1 }]);
    expect(turned).toMatchObject({ attributes: [due, amount, customer], isNone: false, isRenaming: false });
    expect(turned.risks).toEqual([]);
  });

  it('renames an attribute by its id, and keeps what it was called until then', () => {
    const { attributes, isRenaming, risks } = change([{ id: 1, name: 'client' }, { id: 2 }, { id: 3 }]);
    expect(attributes[0]).toEqual({
      ...customer,
      name: 'client',
      formerNames: [{ until: 5, name: 'customer' }],
    });
    expect([isRenaming, risks]).toEqual([true, []]);
  });

  it('exchanges names, and keeps all that an attribute was called', () => {
    const before = { ...customer, formerNames: [{ until: 2, name: 'buyer' }] };
    const { attributes } = decideModelChange(
      { ...model, attributes: [before, amount] },
      {
        version: 4,
        attributes: [
          { id: 1, name: 'amount' },
          { id: 2, name: 'customer' },
        ],
      },
    );
    expect(attributes.map(({ formerNames }) => formerNames)).toEqual([
      [
        { until: 2, name: 'buyer' },
        { until: 5, name: 'customer' },
      ],
      [{ until: 5, name: 'amount' }],
    ]);
  });

  it('keeps names that were given before names were told apart by form, and takes no more of them', () => {
    const old = [
      { ...customer, name: 'e\u0301' },
      { ...amount, name: '\u00e9' },
      { ...due, name: 'd\u200b' },
    ];
    const decide = (attributes: NonNullable<Sent>) =>
      decideModelChange({ ...model, attributes: old }, { version: 4, attributes });
    const names = old.map(({ name }) => ({ name }));
    expect(decide([...names, { name: 'new' }]).attributes.map(({ name }) => name)).toEqual([
      'e\u0301',
      '\u00e9',
      'd\u200b',
      'new',
    ]);
    expect(() => decide([{ name: '\uff24' }, ...names, { name: 'D' }])).toThrow(
      'differs from that of attribute 0',
    );
    expect(() => decide([...names, { name: 'new\u200b' }])).toThrow('U+200B');
  });

  it('knows an attribute by its name in another form, and stores that from then on', () => {
    const old = { ...customer, name: 'e\u0301' };
    const sent = [{ name: '\u00e9', isRequired: false }];
    const { attributes } = decideModelChange(
      { ...model, attributes: [old] },
      { version: 4, attributes: sent },
    );
    expect(attributes).toMatchObject([{ id: 1, name: '\u00e9', isRequired: false }]);
  });

  it('adds an attribute that no record of before has; required, all items are at risk', () => {
    const added = { name: 'note', type: 'TEXT', isRequired: false, formerNames: [{ until: 5 }] };
    const optional = change([...all, { name: 'note', isRequired: false }]);
    expect(optional).toMatchObject({ attributes: [customer, amount, due, added], isRenaming: false });
    expect(optional.risks).toEqual([]);
    expect(change([...all, { name: 'note' }]).risks).toEqual([{ before: undefined, reason: 'required' }]);
  });

  it.each<[string, Sent, unknown[]]>([
    [
      'required',
      [{ id: 1 }, { id: 2, isRequired: true }, { id: 3 }],
      [{ before: amount, reason: 'required' }],
    ],
    ['optional', [{ id: 1, isRequired: false }, { id: 2 }, { id: 3 }], []],
    ['a text', [{ id: 1 }, { id: 2, type: 'TEXT' }, { id: 3 }], [{ before: amount, reason: 'retyped' }]],
    ['gone', [{ id: 1 }, { id: 3 }], [{ before: amount, reason: 'removed' }]],
  ])('that makes an attribute %s puts at risk what it must', (_, sent, expected) => {
    expect(change(sent).risks).toEqual(expected);
  });

  it('of a type makes what records of before have unreadable, except as a text', () => {
    const [, , date] = change([{ id: 1 }, { id: 2 }, { id: 3, type: 'BOOLEAN' }]).attributes;
    expect(date?.formerNames).toEqual([{ until: 5, name: 'due', type: 'DATE' }]);
    const [, , text] = change([{ id: 1 }, { id: 2 }, { id: 3, type: 'TEXT' }]).attributes;
    expect(text).toEqual({ ...due, type: 'TEXT' });
  });

  it('takes the name of a removed attribute for another', () => {
    const { attributes, risks } = change([{ id: 2, name: 'customer' }, { id: 3 }]);
    expect(attributes.map(({ id, name }) => [id, name])).toEqual([
      [2, 'customer'],
      [3, 'due'],
    ]);
    expect(risks).toEqual([{ before: customer, reason: 'removed' }]);
  });

  it.each<[Sent, object, string, string]>([
    [all, { version: 3 }, 'VERSION_CONFLICT', 'at version 4 by now, not 3'],
    [[], {}, 'INVALID_REQUEST', 'must name at least one attribute'],
    [[{ id: 9 }], {}, 'INVALID_REQUEST', 'attributes.0.id 9 is that of no attribute'],
    [[{ id: 1 }, { id: 1, name: 'x' }], {}, 'INVALID_REQUEST', 'attributes.1.id 1 is given twice'],
    [[{ id: 1 }, { id: 2, name: 'customer' }], {}, 'INVALID_REQUEST', '"customer" is that of attribute 0'],
    [[{ id: 1 }, { name: 'x' }, { name: 'x' }], {}, 'INVALID_REQUEST', 'attributes.2.name "x" is that of'],
    [[{ id: 1, name: ' x' }], {}, 'INVALID_REQUEST', 'attributes.0.name must not begin or end'],
    [[{ isRequired: false }], {}, 'INVALID_REQUEST', 'attributes.0.name must not be blank'],
    [all, { name: ' ' }, 'INVALID_REQUEST', 'name must not be blank'],
  ])('is refused: %j %j', (attributes, more, code, message) => {
    const refusal = refusalOf(attributes, more);
    expect(refusal.code).toBe(code);
    expect(refusal.message).toContain(message);
  });
});
