import type { Schemas } from '@millrace/api';
import type { ErrorDetail } from '../../errors.ts';
import { problemsIn } from './problems.ts';

type BackOff = Schemas['RetryBackOff'];

/** The back-off in the one spelling that is stored; none for the type NONE. */
export function spelledBackOff(backOff: BackOff | undefined): BackOff | undefined {
  if (!backOff || backOff.type?.toUpperCase() === 'NONE') return undefined;
  return { ...backOff, ...(backOff.type !== undefined && { type: backOff.type.toUpperCase() }) };
}

/** What is wrong with a back-off in that spelling. */
export function backOffProblems(backOff: BackOff | undefined): ErrorDetail[] {
  if (!backOff) return [];
  const { type = '', seconds, maxSeconds } = backOff;
  const isLess = seconds !== undefined && maxSeconds !== undefined && maxSeconds < seconds;
  return problemsIn([
    ['retryBackOff.type', !['FIXED', 'EXPONENTIAL'].includes(type) && 'must be FIXED, EXPONENTIAL or NONE'],
    ['retryBackOff.seconds', seconds === undefined && 'is missing: every type but NONE needs it'],
    [
      'retryBackOff.maxSeconds',
      type === 'FIXED' && maxSeconds !== undefined && 'goes with type EXPONENTIAL only',
    ],
    ['retryBackOff.maxSeconds', type === 'EXPONENTIAL' && isLess && 'must not be less than seconds'],
  ]);
}
