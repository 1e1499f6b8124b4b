import type { ErrorDetail } from '../../errors.ts';

/** A member, and what is wrong with it; false when nothing is. */
export type Check = readonly [field: string, message: string | false];

/** The checks that found something. */
export function problemsIn(checks: readonly Check[]): ErrorDetail[] {
  return checks.flatMap(([field, message]) => (message === false ? [] : [{ field, message }]));
}
