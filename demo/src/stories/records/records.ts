import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Schemas } from '@millrace/api';

const file = fileURLToPath(new URL('../../../../examples/credit-applications.csv', import.meta.url));

/** The records of the demo: the file, and a model that fits its columns. */
export interface Records {
  readonly file: File;
  readonly count: number;
  readonly attributes: Schemas['WorkItemAttribute'][];
}

// The file is ours and has no quoted cells: a comma is a comma.
export function readRecords(): Records {
  const text = readFileSync(file, 'utf8');
  const [header = '', ...rows] = text.trimEnd().split(/\r?\n/);
  const cells = rows.map((row) => row.split(','));
  const attributes = header.split(',').map((name, index) => ({
    name: name.trim(),
    type: cells.every((row) => /^-?\d+(\.\d+)?$/.test(row[index] ?? ''))
      ? ('NUMBER' as const)
      : ('TEXT' as const),
  }));
  return {
    file: new File([text], 'credit-applications.csv', { type: 'text/csv' }),
    count: rows.length,
    attributes,
  };
}
