import type { ErrorDetail } from '../../errors.ts';
import { problemsIn } from './problems.ts';
import type { QueueSettings } from './settings.ts';

const timeUnits = ['SECONDS', 'MINUTES', 'HOURS', 'DAYS'];

/** What is wrong with the numbers among the settings, and with their units. */
export function numberProblems(settings: QueueSettings): ErrorDetail[] {
  const { reactivationUnit, reactivationThreshold, manualProcessingTimeUnit: unit } = settings;
  const isBeyondAll = reactivationUnit === 'PERCENT' && reactivationThreshold > 100;
  const isUnit = unit === undefined || timeUnits.includes(unit);
  return problemsIn([
    [
      'reactivationThreshold',
      isBeyondAll && 'must be at most 100 with reactivationUnit PERCENT; COUNT takes more',
    ],
    ['manualProcessingTimeUnit', !isUnit && `must be one of ${timeUnits.join(', ')}`],
  ]);
}
