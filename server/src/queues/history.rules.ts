import type { Schemas } from '@millrace/api';
import { Refusal } from '../engine/errors.ts';
import { added, percentileOf, type Times } from '../journal/times.rules.ts';

/** Lengths of the spans that a history can have, in seconds: each is a multiple of the ones before it. */
const steps = [60, 300, 900, 3600, 21_600, 86_400] as const;
type Step = (typeof steps)[number];

const hour = 3600;
const day = 86_400;
/** Seconds for which minutes, and then hours, are kept; days are kept for ever, as a queue makes no more than 366 a year. */
export const keptFor = { minutes: 2 * day, hours: 90 * day } as const;

const usualSpans = 150;
const mostSpans = 1500;

/** A part of the past, divided into spans of equal length that begin at whole multiples of it. */
export interface Stretch {
  readonly step: Step;
  readonly from: Date;
  readonly to: Date;
}

/** The requested stretch; all members are optional. */
interface Wanted {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly step?: number | undefined;
}

/**
 * The stretch to answer: the last day by default, in spans of the requested length, but no shorter than those that are still kept of its
 * beginning.
 * @throws Refusal when it ends before it begins, or has too many spans
 */
export function stretchOf(wanted: Wanted, now: Date): Stretch {
  const to = wanted.to === undefined ? now : earlier(new Date(wanted.to), now);
  const from = wanted.from === undefined ? new Date(to.getTime() - day * 1000) : new Date(wanted.from);
  if (from >= to) throw invalid('from', `must be before ${to.toISOString()}, where the history ends`);
  const seconds = (to.getTime() - from.getTime()) / 1000;
  const least = wanted.step ?? seconds / usualSpans;
  const resolution = resolutionOf((now.getTime() - from.getTime()) / 1000);
  const step = steps.find((one) => one >= Math.max(least, resolution)) ?? day;
  if (seconds / step > mostSpans)
    throw invalid('step', `makes more than ${mostSpans} spans. Choose a longer one, or a later beginning`);
  return { step, from: floored(from, step), to };
}

/** The length of the kept spans at this age, in seconds. */
function resolutionOf(age: number): Step {
  if (age < keptFor.minutes) return 60;
  return age < keptFor.hours ? hour : day;
}

function floored(time: Date, step: Step): Date {
  return new Date(Math.floor(time.getTime() / (1000 * step)) * 1000 * step);
}

function earlier(one: Date, other: Date): Date {
  return one < other ? one : other;
}

function invalid(field: 'from' | 'step', message: string): Refusal {
  return new Refusal('INVALID_REQUEST', `${field} ${message}.`, { details: [{ field, message }] });
}

type Counts = Schemas['QueueStats']['counts'];

/** The events of a span: the changes of the counts, and the numbers of arrived and finished items. */
export interface Span {
  readonly at: Date;
  readonly changed: Counts;
  readonly arrived: number;
  readonly complete: number;
  readonly failed: number;
  readonly handlingMilliseconds: number;
  /** How long each that was finished took; undefined where none was, and before this was counted. */
  readonly times?: Times | undefined;
  /** The longest that an item was seen to wait. */
  readonly oldestWaitMilliseconds?: number | undefined;
}

/**
 * The history, oldest span first, including spans without events: the counts at the end of each are the present ones minus the later
 * changes.
 * @param spans from the beginning of the stretch until now
 */
export function historyOf({ from, to, step }: Stretch, counts: Counts, spans: readonly Span[]) {
  const byTime = new Map(spans.map((span) => [span.at.getTime(), span]));
  const list: Schemas['QueueHistory']['list'][number][] = [];
  const last = Math.max(to.getTime() - 1, ...byTime.keys());
  let present = counts;
  for (let at = floored(new Date(last), step).getTime(); at >= from.getTime(); at -= 1000 * step) {
    const span = byTime.get(at);
    if (at < to.getTime()) list.push(shown(new Date(at), present, span));
    if (span) present = before(present, span.changed);
  }
  return list.toReversed();
}

function shown(at: Date, counts: Counts, span: Span | undefined) {
  const { arrived = 0, complete = 0, failed = 0, handlingMilliseconds = 0 } = span ?? {};
  const finished = complete + failed;
  const handling = finished > 0 && { averageHandlingSeconds: handlingMilliseconds / finished / 1000 };
  const percentiles = span && percentilesOf([span]);
  const wait = span?.oldestWaitMilliseconds;
  const oldest = wait !== undefined && { oldestWaitingSeconds: wait / 1000 };
  return {
    from: at.toISOString(),
    arrived,
    complete,
    failed,
    counts,
    ...oldest,
    ...handling,
    ...percentiles,
  };
}

/** The handling times of the items that were finished in any of the spans. */
export function percentilesOf(spans: readonly Pick<Span, 'times'>[]) {
  const times = added(spans.map((span) => span.times));
  return (
    times && {
      p50HandlingSeconds: percentileOf(times, 0.5),
      p95HandlingSeconds: percentileOf(times, 0.95),
    }
  );
}

function before(counts: Counts, changed: Counts): Counts {
  return {
    NEW: counts.NEW - changed.NEW,
    IN_PROGRESS: counts.IN_PROGRESS - changed.IN_PROGRESS,
    COMPLETE: counts.COMPLETE - changed.COMPLETE,
    FAILED: counts.FAILED - changed.FAILED,
    DEFERRED: counts.DEFERRED - changed.DEFERRED,
  };
}
