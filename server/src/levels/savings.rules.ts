import type { Schemas } from '@millrace/api';
import { Refusal } from '../engine/errors.ts';
import { savingsSentence } from './words.rules.ts';

/** Seconds that an act of a person counts at most: what was done before it, and how long, is not on record. */
export const mostRepairSeconds = 300;

const secondsIn: Readonly<Record<string, number>> = { SECONDS: 1, MINUTES: 60, HOURS: 3600, DAYS: 86_400 };

/** Seconds that a person needs for one item; undefined where the queue does not say. A day is one of 24 hours. */
export function manualSecondsOf(
  queue: Pick<Schemas['Queue'], 'manualProcessingTime' | 'manualProcessingTimeUnit'>,
): number | undefined {
  const { manualProcessingTime: time, manualProcessingTimeUnit: unit = 'MINUTES' } = queue;
  const seconds = secondsIn[unit.toUpperCase()];
  return time === undefined || seconds === undefined || time === 0 ? undefined : time * seconds;
}

const hour = 3_600_000;
const day = 24 * hour;
/** For so long, what happened is kept by the hour. */
const hoursKept = 90 * day;
const usually = 30 * day;
const longest = 3660 * day;

/** The time to add up over, from and to a whole hour or, where it is long ago, a whole day; to now at the latest. @throws Refusal */
export function timeOf(
  query: { readonly from?: string; readonly to?: string },
  now: Date,
): { from: Date; to: Date } {
  const end = query.to === undefined ? now.getTime() : Math.min(now.getTime(), Date.parse(query.to));
  const wanted = query.from === undefined ? end - usually : Date.parse(query.from);
  const step = now.getTime() - wanted > hoursKept ? day : hour;
  // What was counted is known by whole steps, only what is not over yet ends now.
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

/** What was counted of a queue in a time. */
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

/** What people would have needed for all that was finished, less what was in vain, less what they took to mend. */
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
