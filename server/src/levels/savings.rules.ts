import type { Schemas } from '@millrace/api';
import { Refusal } from '../engine/errors.ts';
import { savingsSentence } from './words.rules.ts';

/** Most seconds that one act of a person counts: the time spent on it is not recorded. */
export const mostRepairSeconds = 300;

const secondsIn: Readonly<Record<string, number>> = { SECONDS: 1, MINUTES: 60, HOURS: 3600, DAYS: 86_400 };

/** Seconds that a person needs for one item; undefined where the queue does not say. A day has 24 hours. */
export function manualSecondsOf(
  queue: Pick<Schemas['Queue'], 'manualProcessingTime' | 'manualProcessingTimeUnit'>,
): number | undefined {
  const { manualProcessingTime: time, manualProcessingTimeUnit: unit = 'MINUTES' } = queue;
  const seconds = secondsIn[unit.toUpperCase()];
  return time === undefined || seconds === undefined || time === 0 ? undefined : time * seconds;
}

const hour = 3_600_000;
const day = 24 * hour;
/** Counts are kept by the hour for this long. */
const hoursKept = 90 * day;
const usually = 30 * day;
const longest = 3660 * day;

/** The time range to add up, in whole hours or, if it began long ago, in whole days; to now at the latest. @throws Refusal */
export function timeOf(
  query: { readonly from?: string; readonly to?: string },
  now: Date,
): { from: Date; to: Date } {
  const end = query.to === undefined ? now.getTime() : Math.min(now.getTime(), Date.parse(query.to));
  const wanted = query.from === undefined ? end - usually : Date.parse(query.from);
  const step = now.getTime() - wanted > hoursKept ? day : hour;
  // Counts are known for whole spans only; only the present span ends now.
  const to = end === now.getTime() ? end : Math.floor(end / step) * step;
  const from = Math.floor(wanted / step) * step;
  if (wanted >= end || from >= to)
    throw invalid('from', `must be before ${new Date(to).toISOString()}, where the time ends`);
  if (to - wanted > longest) throw invalid('from', 'must be within ten years of the end');
  return { from: new Date(from), to: new Date(to) };
}

function invalid(field: string, message: string): Refusal {
  return new Refusal('INVALID_REQUEST', `${field} ${message}.`, { details: [{ field, message }] });
}

/** The counts of a queue over a time range. */
export interface Counted {
  readonly complete: number;
  readonly failed: number;
  readonly repairs: number;
  readonly repairSeconds: number;
}

interface Worth {
  readonly manualSeconds: number | undefined;
  readonly hourlyCost?: number | undefined;
  readonly currency?: string | undefined;
}

type Savings = Omit<Schemas['QueueSavings'], 'queueId' | 'queueName' | 'from' | 'to'>;

/** The time that people would have needed for all completed items, minus the time of repairs. */
export function savingsOf(counted: Counted, { manualSeconds, hourlyCost, currency }: Worth): Savings {
  const { complete, failed, repairs, repairSeconds } = counted;
  if (manualSeconds === undefined)
    return { sentence: savingsSentence({ complete }), complete, failed, repairs };
  const saved = (complete * manualSeconds - repairSeconds) / 3600;
  const hours = {
    worked: rounded(((complete + failed) * manualSeconds) / 3600),
    failed: rounded((failed * manualSeconds) / 3600),
    repairs: rounded(repairSeconds / 3600),
    saved: rounded(saved),
  };
  const money =
    hourlyCost !== undefined && currency !== undefined
      ? { currency, hourlyCost, saved: rounded(saved * hourlyCost) }
      : undefined;
  const sentence = savingsSentence({ hours, money, complete });
  return { sentence, manualSeconds, complete, failed, repairs, hours, ...(money && { money }) };
}

function rounded(number: number): number {
  return Math.round(number * 100) / 100;
}
