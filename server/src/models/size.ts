import { ExactNumber } from '@millrace/api';
import type { ErrorDetail } from '../errors.ts';

/** Characters that the values of an item have together at most: lists, claims and comparisons read items whole. */
export const longestRecord = 1_000_000;

/** What is wrong with the size of a record, all attributes together. */
export function sizeProblems(record: Record<string, unknown>): ErrorDetail[] {
  let length = 0;
  for (const value of Object.values(record)) length += lengthOf(value);
  if (length <= longestRecord) return [];
  const message = `has ${length} characters in its values; ${longestRecord} are possible. Keep what is longer in a file store, with its address here`;
  return [{ field: 'json', message }];
}

/** Of values that may be long. */
function lengthOf(value: unknown): number {
  if (typeof value === 'string') return value.length;
  return value instanceof ExactNumber ? String(value).length : 0;
}
