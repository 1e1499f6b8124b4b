import type { Id, Schemas } from '@millrace/api';
import { Refusal } from '../engine/errors.ts';

/** Lengths of spans in seconds; each holds the ones before it whole, but for a week, which holds days. */
const steps = [1, 5, 15, 60, 300, 900, 3600, 21_600, 86_400, 604_800] as const;
const mostSpans = 120;
const day = 86_400;
const mostDays = 800;

/** A time range cut into spans that begin at whole multiples of their length, the first and last of which may reach out of it. */
export interface Grid {
  /** Seconds of a span. */
  readonly step: number;
  readonly from: Date;
  readonly until: Date;
  /** When each span begins, in milliseconds. */
  readonly starts: readonly number[];
}

interface Wanted {
  readonly from?: string | undefined;
  readonly until?: string | undefined;
}

/**
 * The spans to count in: of the last day unless told otherwise, as short as so many allow.
 * @throws Refusal when nothing of the range is over yet, or it is too long
 */
export function gridOf(wanted: Wanted, now: Date): Grid {
  const until = new Date(Math.min(Date.parse(wanted.until ?? now.toISOString()), now.getTime()));
  const from = wanted.from === undefined ? new Date(until.getTime() - day * 1000) : new Date(wanted.from);
  if (from >= until) throw invalid(`must be before ${until.toISOString()}, where the counts end`);
  if (until.getTime() - from.getTime() > mostDays * day * 1000)
    throw invalid(`must be within ${mostDays} days of ${until.toISOString()}, where the counts end`);
  const step = steps.find((one) => startsOf(from, until, one).length <= mostSpans) ?? 604_800;
  return { step, from, until, starts: startsOf(from, until, step) };
}

function startsOf(from: Date, until: Date, step: number): number[] {
  const first = Math.floor(from.getTime() / (1000 * step));
  const count = Math.ceil(until.getTime() / (1000 * step)) - first;
  // Many more than are wanted need not be written out.
  const written = Math.min(count, mostSpans + 1);
  return Array.from({ length: written }, (_, index) => (first + index) * 1000 * step);
}

function invalid(message: string): Refusal {
  return new Refusal('INVALID_REQUEST', `from ${message}.`, { details: [{ field: 'from', message }] });
}

/** What was found of a span by looking through the first events in it. */
export interface Sample {
  readonly looked: number;
  readonly matched: number;
  /** Ids of the first and last event that were looked at; unset where there were none. */
  readonly first?: Id;
  readonly last?: Id;
  /** The id of the last event of the span. */
  readonly end: Id;
}

/** Events of a span that were looked through when it has more than were counted one by one. */
export const sampled = 250;

type Count = Omit<Schemas['EventCounts']['list'][number], 'from'>;

/**
 * How many events of a span match. Where it has more than were looked through, as many in a hundred of the rest are taken to; how many the rest
 * are, the ids tell, which count the events of all tenants.
 */
export function countIn({ looked, matched, first, last, end }: Sample): Count {
  if (looked < sampled || first === undefined || last === undefined) return { count: matched };
  const [passed, all] = [Number(last) - Number(first) + 1, Number(end) - Number(first) + 1];
  return { count: Math.round(matched * Math.max(1, all / passed)), isEstimated: true };
}
