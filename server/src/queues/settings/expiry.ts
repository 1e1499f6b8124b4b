import type { Schemas } from '@millrace/api';
import type { ErrorDetail } from '../../errors.ts';
import { problemsIn } from './problems.ts';

const durationUnits = ['MINUTES', 'HOURS', 'DAYS'];

type Expiry = Schemas['QueueExpiry'];

/** The expiry in the one spelling that is stored; none for the type NONE. */
export function spelledExpiry(expiry: Expiry | undefined): Expiry | undefined {
  if (!expiry || expiry.type?.toUpperCase() === 'NONE') return undefined;
  const { type, durationUnit, date } = expiry;
  const instant = new Date(date ?? NaN);
  return {
    ...expiry,
    ...(type !== undefined && { type: type.toUpperCase() }),
    ...(durationUnit !== undefined && { durationUnit: durationUnit.toUpperCase() }),
    ...(!Number.isNaN(instant.getTime()) && { date: instant.toISOString() }),
  };
}

/** What is wrong with an expiry in that spelling. */
export function expiryProblems(
  expiry: Expiry | undefined,
  current: Expiry | undefined,
  now: Date,
): ErrorDetail[] {
  if (!expiry) return [];
  const { type, duration, durationUnit, date } = expiry;
  if (type === 'DURATION') {
    const isUnit = durationUnit !== undefined && durationUnits.includes(durationUnit);
    return problemsIn([
      ['expiry.duration', duration === undefined && 'is missing: type DURATION needs it'],
      ['expiry.durationUnit', !isUnit && `must be one of ${durationUnits.join(', ')}`],
      ['expiry.date', date !== undefined && 'goes with type DATE only'],
    ]);
  }
  if (type !== 'DATE') return problemsIn([['expiry.type', 'must be DURATION, DATE or NONE']]);
  // A date that has come since it was set may be sent back together with other changes.
  const isPast = date !== current?.date && new Date(date ?? NaN) <= now;
  return problemsIn([
    ['expiry.date', date === undefined && 'is missing: type DATE needs it'],
    ['expiry.date', isPast && 'has passed: every new item would expire at once'],
    ['expiry.duration', duration !== undefined && 'goes with type DURATION only'],
    ['expiry.durationUnit', durationUnit !== undefined && 'goes with type DURATION only'],
  ]);
}
