import { parseJson, type Schemas } from '@millrace/api';
import { describe, expect, it } from 'vitest';
import { sql } from '../db.ts';
import { Refusal } from '../errors.ts';
import { listQuery } from './lists.ts';
import type { Field } from './values.ts';

const fields: Record<string, Field> = {
  id: { column: sql`id`, type: 'id' },
  name: { column: sql`name`, type: 'text' },
  status: { column: sql`status`, type: ['ACTIVE', 'INACTIVE'] },
  amount: { column: sql`amount`, type: 'number' },
  createdOn: { column: sql`created_on`, type: 'time' },
  isUrgent: { column: sql`urgent`, type: 'boolean' },
};

const query = (request?: Schemas['ListRequest']) => listQuery(request, fields, sql`id`);

/** The condition in SQL, and the values in it. */
function where(filter: unknown): [string, ...unknown[]] {
  const { text, values } = query({ filter } as Schemas['ListRequest']).where;
  return [text, ...values];
}

function order(sort: unknown): string {
  return query({ sort } as Schemas['ListRequest']).orderBy.text;
}

function refusalOf(request: unknown): Refusal {
  try {
    query(request as Schemas['ListRequest']);
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  throw new Error('The request was not refused.');
}

const compare = (operator: string, field: string, value: unknown) => ({ operator, field, value });
const isNew = compare('eq', 'name', 'new');

describe('a list request', () => {
  it('means everything, 200 rows at a time, when it says nothing', () => {
    for (const request of [
      undefined,
      {},
      { filter: null, sort: null, page: null },
      { filter: {}, sort: [], page: {} },
    ]) {
      const { where: condition, orderBy, limit, offset } = query(request);
      expect([condition.text, orderBy.text, limit, offset]).toEqual(['true', 'id', 200, 0]);
    }
  });

  it('ignores what is echoed from an answer', () => {
    expect(query({ fields: [], page: { offset: 4, length: 2, total: 9, totalFilter: 9 } })).toMatchObject({
      limit: 2,
      offset: 4,
    });
  });
});

describe('a page', () => {
  it.each([
    [{ length: 0 }, { limit: 200 }],
    [{ length: -1 }, { limit: 200 }],
    [{ length: null }, { limit: 200 }],
    [{ length: '1000' }, { limit: 1000 }],
    [{ length: 10_000 }, { limit: 10_000 }],
    [{ length: 10_001 }, { limit: 10_000 }],
    [{ length: '99999999999999999999999' }, { limit: 10_000 }],
    [{ offset: -5 }, { offset: 0 }],
    [{ offset: '7' }, { offset: 7 }],
    [{ offset: 1e300 }, { offset: Number.MAX_SAFE_INTEGER }],
  ])('%j is read as %j', (page, expected) => {
    expect(query({ page })).toMatchObject(expected);
  });

  it.each(['ten', '', '1.5', '1e3', '0x10'])('with the length "%s" is refused by name', (length) => {
    expect(refusalOf({ page: { length } }).message).toContain('page.length must be a whole number');
  });
});

describe('a sort', () => {
  it.each([
    [[{ field: 'name' }], 'name,id'],
    [
      [
        { field: 'name', direction: 'DESC' },
        { field: 'createdOn', direction: 'Asc' },
      ],
      'name desc nulls last,created_on,id',
    ],
    [[{ field: 'id', direction: 'desc' }, { field: 'name' }], 'id desc'],
    [[{ field: 'name' }, { field: 'name', direction: 'desc' }], 'name,id'],
    [[{ field: null }, { field: '' }, {}], 'id'],
  ])('%j orders by %s', (sort, expected) => {
    expect(order(sort)).toBe(expected);
  });

  it.each(['colour', 'Name', '__proto__', 'constructor'])(
    'by the field %s is refused with those there are',
    (field) => {
      const { message, details } = refusalOf({ sort: [{ field: 'name' }, { field }] });
      expect(message).toBe(
        `In the list request, sort.1.field is unknown: "${field}". Known fields are id, name, status, amount, createdOn, isUrgent.`,
      );
      expect(details?.[0]?.field).toBe('sort.1.field');
    },
  );

  it('in an unknown direction is refused by name', () => {
    expect(refusalOf({ sort: [{ field: 'name' }, { field: 'id', direction: 'up' }] }).message).toBe(
      'In the list request, sort.1.direction must be asc or desc, not "up".',
    );
  });
});

describe('a comparison', () => {
  it.each([
    [compare('eq', 'name', 'Ada'), ['(name = $1::text)', 'Ada']],
    [compare('EQ', 'name', 7), ['(name = $1::text)', '7']],
    [compare('ne', 'name', 'Ada'), ['(name is distinct from $1::text)', 'Ada']],
    [compare('eq', 'name', null), ['(name is null)']],
    [compare('ne', 'name', null), ['(name is not null)']],
    [compare('lt', 'id', '30800'), ['(id < $1::bigint)', '30800']],
    [compare('le', 'id', 30800), ['(id <= $1::bigint)', '30800']],
    [compare('gt', 'id', 0), ['(id > $1::bigint)', '0']],
    [compare('ge', 'id', '-3'), ['(id >= $1::bigint)', '-3']],
    [compare('eq', 'amount', '1.50'), ['(amount = $1::numeric)', '1.50']],
    [compare('eq', 'status', 'active'), ['(status = $1::text)', 'ACTIVE']],
    [compare('eq', 'isUrgent', 'True'), ['(urgent = true)']],
    [compare('ne', 'isUrgent', false), ['(urgent is distinct from false)']],
    [compare('substring', 'name', '50%_\\'), ['(name ilike $1)', '%50\\%\\_\\\\%']],
    [{ ...isNew, operands: [] }, ['(name = $1::text)', 'new']],
  ])('%j is read', (filter, expected) => {
    expect(where(filter)).toEqual(expected);
  });

  it('takes numbers that no double holds', () => {
    expect(where(compare('gt', 'id', 2n ** 62n + 1n))[1]).toBe('4611686018427387905');
    expect(where(compare('eq', 'amount', parseJson('9007199254740993.5')))[1]).toBe('9007199254740993.5');
  });

  it.each([
    ['2024-03-01T09:30:00Z', '2024-03-01T09:30:00.000000Z'],
    ['2024-03-01T00:00:00.123456789+09:00', '2024-02-29T15:00:00.123456Z'],
    ['2024-03-01T09:30-0530', '2024-03-01T15:00:00.000000Z'],
    ['2024-03-01 09:30:00', '2024-03-01T09:30:00.000000Z'],
    ['2024-03-01', '2024-03-01T00:00:00.000000Z'],
  ])('takes %s for the instant %s', (value, instant) => {
    expect(where(compare('ge', 'createdOn', value))).toEqual(['(created_on >= $1::timestamptz)', instant]);
  });

  it.each([
    ['id', 'twelve'],
    ['id', 1.5],
    ['id', '9223372036854775808'],
    ['id', '01'],
    ['id', '+1'],
    ['id', ' 1'],
    ['id', '1.0'],
    ['id', '1e0'],
    ['id', '0x1'],
    ['id', ''],
    ['id', true],
    ['amount', 'NaN'],
    ['amount', '1e400'],
    ['amount', '1e-400'],
    ['amount', 'Infinity'],
    ['name', true],
    ['name', { toString: 'x' }],
    ['name', ['a']],
    ['status', 'DRAFT'],
    ['isUrgent', 1],
    ['createdOn', 'yesterday'],
    ['createdOn', 1709285400000],
    ['createdOn', '2024-02-30'],
    ['createdOn', '2024-03-01T24:00:00Z'],
    ['createdOn', '2024-03-01T09:75:00Z'],
    ['createdOn', '0000-01-01'],
    ['createdOn', '2024-03-01T09:30:00+99:00'],
  ])('of %s with %j is refused by name', (field, value) => {
    const { code, message, details } = refusalOf({ filter: compare('eq', field, value) });
    expect(code).toBe('INVALID_REQUEST');
    expect(message).toContain(`The value for the field ${field} in filter.value must be`);
    expect(details?.[0]?.field).toBe('filter.value');
  });

  it.each([
    ['gt', 'status'],
    ['substring', 'status'],
    ['substring', 'createdOn'],
    ['substring', 'id'],
    ['lt', 'isUrgent'],
  ])('%s makes no sense for %s', (operator, field) => {
    expect(refusalOf({ filter: compare(operator, field, 'ACTIVE') }).message).toContain(
      `${operator} makes no sense for the field ${field}`,
    );
  });

  it('of the order with nothing is refused', () => {
    expect(refusalOf({ filter: compare('lt', 'id', null) }).message).toContain('must be a whole number');
  });

  it('without a value is refused', () => {
    expect(refusalOf({ filter: { operator: 'eq', field: 'name' } }).message).toContain(
      'filter.value is missing',
    );
  });
});

describe('a filter', () => {
  it('joins the operands of groups', () => {
    expect(where({ operator: 'AND', operands: [isNew] })).toEqual(['((name = $1::text))', 'new']);
    expect(where({ operator: 'or', operands: [isNew, compare('eq', 'id', 1)] })).toEqual([
      '((name = $1::text) or (id = $2::bigint))',
      'new',
      '1',
    ]);
    expect(where({ operator: 'not', operands: [isNew, compare('eq', 'id', 1)] })).toEqual([
      '(((name = $1::text) and (id = $2::bigint)) is not true)',
      'new',
      '1',
    ]);
  });

  it('drops operands that restrict nothing', () => {
    const none = { operator: 'NONE', operands: [null], field: 'string', value: 'string' };
    expect(where(none)).toEqual(['true']);
    expect(where({ operator: 'none' })).toEqual(['true']);
    expect(where({ operator: 'not', operands: [none, null, {}] })).toEqual(['true']);
    expect(where({ operator: 'or', operands: [{ operator: 'and', operands: [] }, isNew, none] })).toEqual([
      '((name = $1::text))',
      'new',
    ]);
  });

  it('goes by the operator when a group carries a field', () => {
    expect(where({ operator: 'and', operands: [isNew], field: 'string', value: 'string' })[0]).toBe(
      '((name = $1::text))',
    );
  });

  it.each(['colour', '__proto__', 'constructor', 'toString', 5, null])(
    'with the field %j is refused and told the known ones',
    (field) => {
      const { message } = refusalOf({
        filter: { operator: 'or', operands: [isNew, { operator: 'eq', field, value: 1 }] },
      });
      expect(message).toContain('filter.operands.1.field is unknown');
      expect(message).toContain('Known fields are id, name, status, amount, createdOn, isUrgent.');
    },
  );

  it.each(['like', '__proto__', 5, null, { toString: 1 }])(
    'with the operator %j is refused and told the known ones',
    (operator) => {
      const { message } = refusalOf({ filter: { operator, field: 'name', value: 1 } });
      expect(message).toContain('filter.operator is unknown');
      expect(message).toContain(
        'Known operators are eq, ne, lt, le, gt, ge, substring, startsWith, and, or, not, NONE.',
      );
    },
  );

  it.each([
    [{ operator: 'and' }, 'filter.operands must be the list'],
    [{ operator: 'and', operands: isNew }, 'filter.operands must be the list'],
    [{ operator: 'and', operands: [5] }, 'filter.operands.0 must be an object, not 5'],
    [{ operator: 'and', operands: [[isNew]] }, 'filter.operands.0 must be an object, not a list'],
    [{ field: 'name', value: 'new' }, 'filter.operator is missing'],
    [{ operator: 'eq', value: 'new' }, 'filter.field is missing'],
    [{ ...isNew, values: ['new'] }, 'filter.values is not a known member'],
    [
      JSON.parse('{"operator":"eq","field":"name","value":1,"__proto__":1}'),
      'filter.__proto__ is not a known member',
    ],
  ])('%j is refused', (filter, expected) => {
    expect(refusalOf({ filter }).message).toContain(expected);
  });

  function nested(levels: number): unknown {
    let filter: unknown = isNew;
    for (let level = 0; level < levels; level += 1) filter = { operator: 'not', operands: [filter] };
    return filter;
  }

  it('nests up to 32 levels', () => {
    expect(where(nested(32))[1]).toBe('new');
    expect(refusalOf({ filter: nested(33) }).message).toBe(
      'The filter nests more than 32 levels. Flatten it.',
    );
  });

  it('that nests 100,000 levels is refused like any other too deep', () => {
    expect(refusalOf({ filter: nested(100_000) }).message).toBe(
      'The filter nests more than 32 levels. Flatten it.',
    );
  });

  it('takes 100 comparisons', () => {
    const operands = (count: number) => Array.from({ length: count }, (_, id) => compare('eq', 'id', id));
    expect(where({ operator: 'or', operands: operands(100) })).toHaveLength(101);
    expect(refusalOf({ filter: { operator: 'or', operands: operands(101) } }).message).toContain(
      '100 comparisons',
    );
  });

  it('takes 10 comparisons by substring, one for each display column', () => {
    const operands = (count: number) =>
      Array.from({ length: count }, () => compare('SUBSTRING', 'name', 'a'));
    const filter = (count: number) => ({
      operator: 'not',
      operands: [{ operator: 'or', operands: operands(count) }],
    });
    expect(where(filter(10))).toHaveLength(11);
    expect(refusalOf({ filter: filter(11) }).message).toBe(
      'The filter has more than 10 comparisons by substring. Ask in parts.',
    );
  });
});
