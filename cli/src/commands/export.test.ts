import { expect, test } from 'vitest';
import { formatOf } from './export.ts';

test('the ending of a file tells the format that items go out in, and another ending is refused with those there are', () => {
  expect(['all.csv', 'all.XLSX', 'all.jsonl', '-', undefined].map((file) => formatOf(file, false))).toEqual([
    ...['CSV', 'EXCEL', 'NDJSON', undefined, undefined],
  ]);
  expect(() => formatOf('out.pdf', false)).toThrow(
    'out.pdf ends in .pdf, which is no format that items go out in: those are .csv, .xlsx, .ndjson, .jsonl.',
  );
  expect(formatOf('out.txt', true)).toBeUndefined();
});
