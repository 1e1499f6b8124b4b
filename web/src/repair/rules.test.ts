import { ExactNumber, parseJson, stringifyJson } from '@millrace/api';
import { describe, expect, it } from 'vitest';
import {
  alike,
  blockOf,
  cellText,
  changeOf,
  filled,
  keptOrder,
  keyOf,
  noEdits,
  pasted,
  problemOf,
  replaced,
  standing,
  type Attribute,
  type Row,
  unsoundIn,
  withCells,
} from './rules.ts';

const attributes: readonly Attribute[] = [
  { name: 'vendor', type: 'TEXT', isRequired: true },
  { name: 'amount', type: 'NUMBER' },
  { name: 'urgent', type: 'BOOLEAN' },
];
const rows: readonly Row[] = [
  { id: '1', json: { vendor: 'Meier', amount: 7 } },
  { id: '2', json: { vendor: 'Maier', amount: new ExactNumber('1.10') } },
];
const [one, two] = rows as [Row, Row];

describe('the cells of the grid', () => {
  it('show what was typed, or else what is stored, to the last digit', () => {
    const edits = withCells(noEdits, [{ row: one, name: 'vendor', text: 'Aqua' }]);
    expect([cellText(edits, one, 'vendor'), cellText(edits, two, 'amount')]).toEqual(['Aqua', '1.10']);
  });

  it('are unchanged when they are as they were again', () => {
    const edits = withCells(noEdits, [{ row: one, name: 'vendor', text: 'Aqua' }]);
    expect(withCells(edits, [{ row: one, name: 'vendor', text: 'Meier' }]).size).toBe(0);
  });

  it('become values of their types, and null where they are empty', () => {
    const cells = [
      { row: one, name: 'amount', text: '9007199254740993.5' },
      { row: one, name: 'urgent', text: 'true' },
      { row: one, name: 'vendor', text: '' },
    ];
    const change = changeOf(withCells(noEdits, cells), one, attributes);
    expect(stringifyJson(change)).toBe('{"vendor":null,"amount":9007199254740993.5,"urgent":true}');
    expect(parseJson(stringifyJson(change))).toEqual(change);
    expect(unsoundIn(withCells(noEdits, cells), rows, attributes)).toEqual([
      { id: '1', name: 'vendor', column: 0, problem: 'required' },
    ]);
  });

  it.each([
    ['', 'TEXT', 'required'],
    ['1,5', 'NUMBER', 'number'],
    ['-1.5e3', 'NUMBER', undefined],
    ['yes', 'BOOLEAN', 'boolean'],
    ['01.03.2026', 'DATE', 'date'],
    ['2026-13-01', 'DATE', 'date'],
    ['2026-03-01', 'DATE', undefined],
    ['2026-03-01T09:30:00Z', 'DATE', undefined],
  ] as const)('say of %j as %s: %s', (text, type, problem) => {
    expect(problemOf(text, { name: 'a', type, isRequired: true })).toBe(problem);
  });
});

describe('a block from a sheet', () => {
  it('has its cells apart, those with quotes, tabs and lines as well', () => {
    expect(blockOf('a\tb\r\n"c ""x""\ty\nz"\t\r\n')).toEqual([
      ['a', 'b'],
      ['c "x"\ty\nz', ''],
    ]);
    expect(blockOf('one')).toEqual([['one']]);
    expect(blockOf('a\n\nb')).toEqual([['a'], [''], ['b']]);
  });

  it('is put in from a cell on, as far as there is room', () => {
    const cells = pasted([['8', 'TRUE', 'x'], ['9'], ['10']], { row: 0, column: 1 }, rows, attributes);
    expect(cells.map(({ row, name, text }) => [row.id, name, text])).toEqual([
      ['1', 'amount', '8'],
      ['1', 'urgent', 'true'],
      ['2', 'amount', '9'],
    ]);
  });
});

describe('fill down', () => {
  it('takes the text of a cell to all rows below, or to those that are selected', () => {
    const fill = (selected: string[]) =>
      filled(noEdits, rows, 0, { name: 'vendor', selected: new Set(selected) });
    expect(fill([]).map(({ row, text }) => [row.id, text])).toEqual([['2', 'Meier']]);
    expect(fill(['1'])).toEqual([]);
  });
});

describe('the same change of all', () => {
  const cells = [
    { row: one, name: 'vendor', text: 'Aqua' },
    { row: one, name: 'amount', text: '8' },
    { row: two, name: 'vendor', text: 'Aqua' },
  ];

  it('is what every changed row has alike', () => {
    expect(alike(withCells(noEdits, cells))).toEqual({ vendor: 'Aqua' });
    expect(alike(noEdits)).toEqual({});
  });

  it('leaves no edit of what is stored by then', () => {
    const edits = withCells(noEdits, cells);
    const stored = { id: '1', json: { vendor: 'Aqua', amount: 7 } };
    expect([...standing(edits, [stored])]).toEqual([
      ['1', { amount: '8' }],
      ['2', { vendor: 'Aqua' }],
    ]);
  });
});

describe('find and replace', () => {
  it('finds what was typed as well, and counts cells', () => {
    const edits = withCells(noEdits, [{ row: one, name: 'vendor', text: 'Maier & Maier' }]);
    const cells = replaced(edits, rows, attributes, ['Maier', 'Meier']);
    expect(cells.map(({ text }) => text)).toEqual(['Meier & Meier', 'Meier']);
    expect(replaced(edits, rows, attributes, ['', 'x'])).toEqual([]);
  });
});

describe('the order of causes', () => {
  const cause = (signature: string) => ({ failureKind: 'SYSTEM', signature });
  const shown = (known: string[], latest: string[]) =>
    keptOrder(
      known.map((signature) => keyOf(cause(signature))),
      latest.map(cause),
    ).map(({ signature }) => signature);

  it('stays as it was known, with new ones behind and without those that are gone', () => {
    expect(shown(['a', 'b', 'c'], ['new', 'c', 'a', 'newer'])).toEqual(['a', 'c', 'new', 'newer']);
    expect(shown([], ['b', 'a'])).toEqual(['b', 'a']);
  });
});
