import { check, type Kept } from '../history/check.ts';
import { notesOf, type History } from '../history/record.ts';
import { byKey } from '../history/timelines.ts';
import type { Load } from './load.ts';

/** A load, and when a fault has befallen it, in milliseconds of `performance`. */
export interface Course {
  readonly load: Load;
  /** The length of the undisturbed load before it, in milliseconds. */
  readonly baseMs: number;
  readonly begun: number;
  readonly over: number;
  /** Settles when the victim is up again. */
  readonly struck: Promise<unknown>;
}

/** Promises whose breach means that something acknowledged is gone, or was done twice; all others are reported as well. */
const lossOf: readonly Kept[] = [
  'every acknowledged create is kept',
  'an accepted report takes effect',
  'what is over stays over',
];
const doublingOf: readonly Kept[] = [
  'every create happens once',
  'an item has one live lease at a time',
  'only the holder is believed',
];

/** The number of items that were lost although their creation or their end was acknowledged, and of those created or done twice. */
export function tally(history: History): { lost: number; doubled: number } {
  const violations = check(history);
  const among = (promises: readonly Kept[]) => {
    const broken = violations.filter(({ promise }) => promises.includes(promise));
    return broken.map(({ what }) => /item \d+/.exec(what)?.[0] ?? what);
  };
  const doubled = new Set([...among(doublingOf), ...doneTwice(history)]);
  const lost = new Set(among(lossOf).filter((item) => !doubled.has(item)));
  return { lost: lost.size, doubled: doubled.size };
}

/** Items that were completed under more than one grant. */
function doneTwice(history: History): string[] {
  const done = notesOf(history, 'accepted').filter(({ says }) => says === 'COMPLETE');
  return [...byKey(done, ({ id }) => id)]
    .filter(([, reports]) => new Set(reports.map(({ version }) => version)).size > 1)
    .map(([id]) => `item ${id}`);
}

const windowMs = 2000;
const stepMs = 100;
const share = 0.95;

/** The rate of acknowledged items as a share of the rate before the fault: of creates or of finishes, whichever is lower. */
function shareOf({ load, baseMs, begun }: Course, from: number, until: number): number {
  return Math.min(
    ...Object.values(load.acknowledged).map((times) => {
      const base = countIn(times, begun - baseMs, begun) / baseMs;
      return countIn(times, from, until) / (until - from) / base;
    }),
  );
}

function countIn(times: readonly number[], from: number, until: number): number {
  return times.filter((at) => at >= from && at < until).length;
}

/**
 * Seconds from the end of the fault to the first two seconds in which creates and finishes reach 95 % of their former rates; undefined so
 * far.
 */
export function secondsBack(course: Course, now: number): number | undefined {
  for (let from = course.over; from + windowMs <= now; from += stepMs) {
    if (shareOf(course, from, from + windowMs) >= share) return (from - course.over) / 1000;
  }
  return undefined;
}

/** The rate while the fault lasted, as a share of the rate before. */
export function meanwhile(course: Course): number {
  return shareOf(course, course.begun, course.over);
}
