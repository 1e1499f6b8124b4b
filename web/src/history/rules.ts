import type { Schemas } from '@millrace/api';
import type { Span } from '../charts/rules.ts';

export type History = Schemas['QueueHistory'];
type Entry = History['list'][number];

const hour = 3600;
const day = 86_400;

/** The ranges to look back, in spans that are still kept so fine. */
export const ranges = {
  '1h': { seconds: hour, step: 60 },
  '24h': { seconds: day, step: 900 },
  '7d': { seconds: 7 * day, step: hour },
  '30d': { seconds: 30 * day, step: 21_600 },
  '12mo': { seconds: 365 * day, step: day },
} as const;
export type Range = keyof typeof ranges;

export function rangeIn(text: string | undefined): Range {
  return text !== undefined && Object.hasOwn(ranges, text) ? (text as Range) : '24h';
}

/** The beginning of a range: at a whole span, so that the same is asked for while the span lasts. */
export function beginningOf(
  range: Range,
  now: number,
): { readonly from: string; readonly step: (typeof ranges)[Range]['step'] } {
  const { seconds, step } = ranges[range];
  const end = Math.ceil(now / 1000 / step) * step;
  return { from: new Date((end - seconds) * 1000).toISOString(), step };
}

/**
 * The spans of a history with their values. Spans before the queue existed have none: unknown is not zero.
 * @param since when the queue was made
 */
export function spansOf(
  { list, step }: Pick<History, 'list' | 'step'>,
  since: string | undefined,
  valuesOf: (entry: Entry) => readonly (number | undefined)[],
): readonly Span[] {
  const born = since === undefined ? -Infinity : Date.parse(since);
  return list.map((entry) => {
    const from = new Date(entry.from);
    const values = valuesOf(entry);
    const isKnown = from.getTime() + step * 1000 > born;
    return { from, values: isKnown ? values : values.map(() => undefined) };
  });
}

export const flowIn = ({ arrived, complete, failed }: Entry) => [complete, failed, arrived];
export const backlogIn = ({ counts }: Entry) => [counts.NEW, counts.IN_PROGRESS];
export const handlingIn = ({ p50HandlingSeconds, p95HandlingSeconds, averageHandlingSeconds }: Entry) => [
  p50HandlingSeconds,
  p95HandlingSeconds,
  averageHandlingSeconds,
];

/** Where nothing waits at the end of a span, and nothing was seen to wait in it, the age is nothing; else it is not known. */
export const oldestIn = ({ oldestWaitingSeconds, counts }: Entry) => [
  oldestWaitingSeconds ?? (counts.NEW === 0 ? 0 : undefined),
];

/** The totals of a history; the mean handling time counts each finished item. */
export function totalsOf(list: readonly Entry[]) {
  const sum = (of: (entry: Entry) => number) => list.reduce((total, entry) => total + of(entry), 0);
  const finished = sum(({ complete, failed }) => complete + failed);
  const handled = sum(
    ({ complete, failed, averageHandlingSeconds = 0 }) => (complete + failed) * averageHandlingSeconds,
  );
  return {
    arrived: sum(({ arrived }) => arrived),
    complete: sum(({ complete }) => complete),
    failed: sum(({ failed }) => failed),
    mean: finished > 0 ? handled / finished : undefined,
  };
}

/** The span with the largest value; the last of equal ones. */
export function largest(
  list: readonly Entry[],
  valueOf: (entry: Entry) => number | undefined,
): Entry | undefined {
  return list.reduce<Entry | undefined>(
    (best, entry) => ((valueOf(entry) ?? -1) >= ((best && valueOf(best)) ?? 0) ? entry : best),
    undefined,
  );
}

/** A history, and when its queue was made. */
export interface Dated {
  readonly history: History;
  readonly since: string | undefined;
}

/** Several histories of the same spans added up; a span has the known values of any of them. */
export function addedUp(
  all: readonly Dated[],
  valuesOf: (entry: Entry) => readonly number[],
): readonly Span[] {
  const sums = new Map<number, Span>();
  for (const { history, since } of all)
    for (const { from, values } of spansOf(history, since, valuesOf)) {
      const sum = sums.get(from.getTime());
      sums.set(from.getTime(), {
        from,
        values: values.map((value, index) => plus(sum?.values[index], value)),
      });
    }
  return [...sums.values()].toSorted((one, other) => one.from.getTime() - other.from.getTime());
}

/** The entries of several histories of the same spans, added up. */
export function together(all: readonly Dated[]): History['list'] {
  const sums = new Map<string, Entry>();
  for (const { history } of all)
    for (const entry of history.list) {
      const sum = sums.get(entry.from);
      sums.set(entry.from, sum ? added(sum, entry) : entry);
    }
  return [...sums.values()].toSorted((one, other) => (one.from < other.from ? -1 : 1));
}

function added(one: Entry, other: Entry): Entry {
  return {
    from: one.from,
    arrived: one.arrived + other.arrived,
    complete: one.complete + other.complete,
    failed: one.failed + other.failed,
    counts: {
      NEW: one.counts.NEW + other.counts.NEW,
      IN_PROGRESS: one.counts.IN_PROGRESS + other.counts.IN_PROGRESS,
      COMPLETE: one.counts.COMPLETE + other.counts.COMPLETE,
      FAILED: one.counts.FAILED + other.counts.FAILED,
      DEFERRED: one.counts.DEFERRED + other.counts.DEFERRED,
    },
  };
}

function plus(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined && other === undefined ? undefined : (one ?? 0) + (other ?? 0);
}
