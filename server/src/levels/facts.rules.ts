import type { Id, Schemas } from '@millrace/api';
import type { Totals } from '../journal/counters.ts';
import type { Pace } from './forecast.rules.ts';
import type { Group } from './line.rules.ts';

/** Similar open items, as read. */
export interface LineRow {
  readonly state: 'RUNNING' | 'READY' | 'RETRY' | 'DEFERRED';
  /** The hundred of the line that contains them. */
  readonly block: number;
  /** The time from which they can be claimed; unset where they can be now, or already are. */
  readonly comesOn?: Date;
  readonly since: Date;
  readonly items: number;
}

/** Parts into which the unread items of a long line are cut. */
const parts = 10;

/** The line in the order of claims. @param ready number of claimable items, read or not */
export function groupsOf(
  rows: readonly LineRow[],
  { now, ready }: { readonly now: number; readonly ready: number },
) {
  const read = rows.map(({ state, block, comesOn, since, items }) => ({
    state: state === 'RETRY' || state === 'DEFERRED' ? ('LATER' as const) : state,
    block,
    comesOn: comesOn?.getTime() ?? now,
    since: since.getTime(),
    items,
  }));
  const ofState = (state: Group['state']) => read.filter((group) => group.state === state);
  const line = ofState('READY').toSorted((a, b) => a.block - b.block || a.since - b.since);
  const beyond = Math.max(0, ready - line.reduce((total, { items }) => total + items, 0));
  // The counts and the line are read one after the other: a difference of a few items only means that they have moved meanwhile.
  const isEstimated = line.length > 0 && beyond > ready / 100;
  const unread = isEstimated ? spread(beyond, Math.max(...line.map(({ since }) => since)), now) : [];
  const later = ofState('LATER').toSorted((a, b) => a.comesOn - b.comesOn);
  const groups: Group[] = [...ofState('RUNNING'), ...line, ...unread, ...later];
  return { groups, isEstimated };
}

/** Items that are assumed to have come in evenly since those in front of them. */
function spread(items: number, from: number, now: number): Group[] {
  const each = Math.ceil(items / parts);
  return Array.from({ length: Math.ceil(items / each) }, (_, index) => ({
    state: 'READY' as const,
    comesOn: now,
    since: from + ((now - from) * index) / parts,
    items: Math.min(each, items - index * each),
  }));
}

/** The measured time of an item. */
export interface Measured {
  readonly handlingSeconds: number;
  readonly items: number;
  readonly over: NonNullable<Schemas['QueueForecast']['restsOn']['measuredOver']>;
}

/** The finished items and their times, over a day and over thirty. */
export interface Past {
  readonly dayItems: number;
  readonly dayMs: number;
  readonly monthItems: number;
  readonly monthMs: number;
}

// A mean over fewer items says little: a single long one would decide.
const enough = 10;

/** The mean of the recent minutes; if too few items were finished in them, and the past is known, the mean of a day or of thirty. */
export function measuredOf({
  recent,
  past,
}: {
  readonly recent: Totals;
  readonly past?: Past;
}): Measured | undefined {
  const items = recent.finishedComplete + recent.finishedFailed;
  if (items >= enough) return mean(recent.handlingMilliseconds, items, 'RECENT');
  if (!past) return undefined;
  if (past.dayItems >= enough) return mean(past.dayMs, past.dayItems, 'DAY');
  return past.monthItems > 0 ? mean(past.monthMs, past.monthItems, 'MONTH') : undefined;
}

function mean(milliseconds: number, items: number, over: Measured['over']): Measured {
  return { handlingSeconds: milliseconds / items / 1000, items, over };
}

/** A queue, and the devices that could work on it. */
export interface Supply {
  readonly queueId: Id;
  readonly queueName: string;
  readonly status: 'ACTIVE' | 'INACTIVE';
  readonly archived: boolean;
  readonly pausedUntil?: Date;
  /** Connected devices that can run its items. */
  readonly devices: number;
  readonly slots: number;
}

interface Work {
  readonly totals: Totals;
  readonly measured: Measured | undefined;
  readonly now: number;
  readonly recentMinutes: number;
}

/** The pace of work, or the reason why it is not known; and in either case the number of items worked on at once. */
export function paceOf(
  supply: Supply,
  { totals, measured, now, recentMinutes }: Work,
): { readonly atOnce: number } & (
  { readonly pace: Pace } | { readonly code: 'ARCHIVED' | 'PAUSED' | 'NOT_MEASURED' | 'NOBODY_WORKS' }
) {
  const { status, archived, pausedUntil } = supply;
  const atOnce = workedAtOnce(supply, totals, recentMinutes);
  if (archived) return { atOnce, code: 'ARCHIVED' };
  if (status === 'INACTIVE' && !pausedUntil) return { atOnce, code: 'PAUSED' };
  if (atOnce === 0) return { atOnce, code: 'NOBODY_WORKS' };
  if (!measured) return { atOnce, code: 'NOT_MEASURED' };
  const beginsOn = Math.max(now, status === 'INACTIVE' ? (pausedUntil?.getTime() ?? now) : now);
  // At least a millisecond, even where items were measured to take no time.
  return { atOnce, pace: { beginsOn, atOnce, handlingMs: Math.max(1, measured.handlingSeconds * 1000) } };
}

/** As many as now, or on average lately; if nobody is at work, as many as devices could take, or one if somebody was at work lately. */
function workedAtOnce({ slots }: Supply, totals: Totals, recentMinutes: number): number {
  const { counts, finishedComplete, finishedFailed, handlingMilliseconds } = totals;
  const onAverage = handlingMilliseconds / (recentMinutes * 60_000);
  if (counts.IN_PROGRESS > 0) return Math.max(counts.IN_PROGRESS, onAverage);
  return Math.max(slots, onAverage, finishedComplete + finishedFailed > 0 ? 1 : 0);
}
