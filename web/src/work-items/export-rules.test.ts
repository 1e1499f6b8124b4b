import { expect, test } from 'vitest';
import { columnsAsListed, exportOf, type Draft } from './export-rules.ts';

const attributes = ['number', 'vendor', 'amount'];
const draft: Draft = {
  format: 'CSV',
  columns: columnsAsListed(['id', 'status', 'col2', 'col1', 'unknown'], ['amount', 'number'], attributes),
  timeZone: 'Europe/Berlin',
  delimiter: 'SEMICOLON',
  decimalSign: 'COMMA',
  isPlain: false,
};

test('the columns of a list are those of its file, with the attributes that display columns stand for', () => {
  expect(exportOf(draft, attributes)).toEqual({
    format: 'CSV',
    fields: ['id', 'status', 'json'],
    attributes: ['number', 'amount'],
    timeZone: 'Europe/Berlin',
    delimiter: 'SEMICOLON',
    decimalSign: 'COMMA',
  });
});

test('a workbook has no signs between columns, and lines of JSON have no times of a zone nor a part of the data', () => {
  expect(exportOf({ ...draft, format: 'EXCEL' }, attributes)).toMatchObject({ timeZone: 'Europe/Berlin' });
  expect(exportOf({ ...draft, format: 'EXCEL' }, attributes)).not.toHaveProperty('delimiter');
  expect(exportOf({ ...draft, format: 'NDJSON', isPlain: true }, attributes)).toEqual({
    format: 'NDJSON',
    fields: ['id', 'status', 'json'],
    plain: true,
  });
});

test('all attributes need no names, and without a column there is no file', () => {
  const all = { members: new Set<string>(), attributes: new Set(attributes) };
  expect(exportOf({ ...draft, columns: all }, attributes)).not.toHaveProperty('attributes');
  const none = { members: new Set<string>(), attributes: new Set<string>() };
  expect(exportOf({ ...draft, columns: none }, attributes)).toBeUndefined();
});
