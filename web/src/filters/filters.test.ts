import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compile } from './compile.ts';
import { fieldsOfItems } from './item-fields.ts';
import { allOf, FilterProblem, parse, partsOf, print, type Filter } from './parse.ts';

const clock = { now: new Date('2026-03-02T08:00:00.000Z'), zone: 'Europe/Berlin' };
const fields = fieldsOfItems(
  { displayColumns: ['amount', 'vendor name', 'status', 'due'] },
  {
    attributes: [
      { name: 'amount', type: 'NUMBER' },
      { name: 'due', type: 'DATE' },
    ],
  },
);
const compiled = (line: string) => compile(parse(line) as Filter, fields, clock);
const eq = (field: string, value: string | null) => ({ operator: 'eq', field, value });

const filters = fc.letrec<{ filter: Filter }>((tie) => ({
  filter: fc.oneof(
    { depthSize: 'small' },
    fc.record({ is: fc.constant('text' as const), value: fc.string() }),
    fc.record({
      is: fc.constant('compare' as const),
      field: fc.string(),
      sign: fc.constantFrom(':', '~', '^', '>', '>=', '<', '<='),
      value: fc.option(fc.string()),
    }),
    fc.record({ is: fc.constant('not' as const), of: tie('filter') }),
    fc.record({
      is: fc.constantFrom('and', 'or'),
      of: fc.array(tie('filter'), { minLength: 2, maxLength: 4 }),
    }),
  ),
})).filter;

describe('parse', () => {
  test('reads back what print writes, whatever the texts hold', () => {
    fc.assert(
      fc.property(filters, (filter) => {
        expect(parse(print(filter))).toEqual(filter);
      }),
    );
  });

  test('reads any line, or says what is wrong with it, and loses nothing of it', () => {
    fc.assert(
      fc.property(
        fc.string({
          unit: fc.constantFrom('a', 'b', ':', '~', '<', '>', '=', '(', ')', '"', '\\', '-', ' ', 'or'),
        }),
        (line) => {
          try {
            const filter = parse(line);
            expect(parse(print(filter))).toEqual(filter);
            // Each typed letter occurs in the parsed filter.
            const letters = (text: string) => [...text.replaceAll(/\bor\b/g, '').matchAll(/[ab]/g)].length;
            expect(letters(print(filter))).toBe(letters(line));
          } catch (error) {
            expect(error).toBeInstanceOf(FilterProblem);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  test('takes parts apart and together again', () => {
    const line = 'status:FAILED (tag:vip or priority>=8) -retryCount:0';
    expect(partsOf(parse(line)).map(print)).toEqual([
      'status:FAILED',
      'tag:vip or priority>=8',
      '-retryCount:0',
    ]);
    expect(print(allOf(partsOf(parse(line))))).toBe(line);
  });

  test.each(['(a', 'a)', 'or a', 'a or', 'a:', '()', ':', '"'])('refuses %s', (line) => {
    expect(() => parse(line)).toThrow(FilterProblem);
  });
});

describe('compile', () => {
  test('finds display columns by their names, and what all items have before them', () => {
    expect(compiled('amount>=1000')).toEqual({ operator: 'ge', field: 'col1', value: '1000' });
    expect(compiled('"Vendor Name"~Meier')).toEqual({ operator: 'substring', field: 'col2', value: 'Meier' });
    expect(compiled('status:failed')).toEqual(eq('status', 'FAILED'));
    expect(compiled('col3:x')).toEqual(eq('col3', 'x'));
  });

  test('counts relative times from now, and reads others by the clocks of the zone', () => {
    expect(compiled('created:>now-24h')).toEqual({
      operator: 'gt',
      field: 'createdOn',
      value: '2026-03-01T08:00:00.000Z',
    });
    expect(compiled('updated<2026-03-01')).toMatchObject({ value: '2026-02-28T23:00:00.000Z' });
    expect(compiled('updated<2026-07-01T08:30:15,25')).toMatchObject({ value: '2026-07-01T06:30:15.25Z' });
    expect(compiled('updated<2026-03-01T08:30Z')).toMatchObject({ value: '2026-03-01T08:30Z' });
    expect(() => compiled('updated<2026-13-01')).toThrow(FilterProblem);
  });

  test('leaves times in the data of items as they are typed, as they are written there', () => {
    expect(compiled('due:2026-03-01')).toEqual(eq('col4', '2026-03-01'));
    expect(compiled('due>now-24h')).toMatchObject({ value: '2026-03-01T08:00:00.000Z' });
    expect(() => compiled('due:soon')).toThrow(FilterProblem);
  });

  test('looks for a bare word anywhere, and tells unset from the word', () => {
    expect(compiled('2026-0417')).toEqual({ operator: 'substring', field: 'any', value: '2026-0417' });
    expect(compiled('error:unset')).toEqual(eq('error', null));
    expect(compiled('error:"unset"')).toEqual(eq('error', 'unset'));
  });

  test.each([
    'nothing:1',
    'status:LOST',
    'amount:much',
    'priority:1.5',
    'created>soon',
    'status>NEW',
    'created~2026',
    'tags>a',
    'amount>unset',
  ])('says what is wrong with %s instead of leaving it out', (line) => {
    expect(() => compiled(line)).toThrow(FilterProblem);
  });
});
