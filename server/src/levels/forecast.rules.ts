import type { Schemas } from '@millrace/api';
import { boundedLine, type Bound, type Group } from './line.rules.ts';
import { after, dueAfter, firstWhere, mostDays, type Timetable } from './timetable.rules.ts';

/** What is promised of a queue. */
export interface Promised {
  /** Either this, or a due time. */
  readonly longestWaitMinutes?: number | undefined;
  readonly dueTime?: string | undefined;
  readonly cutOff?: string | undefined;
  readonly warnMinutes: number;
}

/** How fast items of the queue are worked on. */
export interface Pace {
  readonly beginsOn: number;
  /** Items worked on at once. */
  readonly atOnce: number;
  readonly handlingMs: number;
}

/** Slots that come to those at work, from a time on. */
interface Help {
  readonly slots: number;
  readonly fromOn: number;
}

/** Everything that a forecast follows from. */
export interface Facts {
  readonly now: number;
  /** In the order in which they will be claimed. */
  readonly groups: readonly Group[];
  /** None where it is not known. */
  readonly pace: Pace | undefined;
  /** Whether nobody works on it, nor will unless somebody does something. */
  readonly isStopped: boolean;
  readonly slotsPerDevice: number;
  readonly level: { readonly promised: Promised; readonly timetable: Timetable } | undefined;
}

export interface Foresight {
  /** When the last item is done; undefined where that is not known, or nothing is open. */
  readonly endOn: number | undefined;
  readonly level: Outlook | undefined;
}

/** What becomes of what is promised. */
export interface Outlook {
  readonly state: Schemas['LevelState'];
  /** Open items that are over their time. */
  readonly late: number;
  /** Further ones that will be; undefined where that is not known. */
  readonly misses: number | undefined;
  /** When the first of these is due. */
  readonly dueOn: number | undefined;
  readonly nextDueOn: number | undefined;
  readonly more: { readonly devices: number; readonly fromOn: number } | undefined;
}

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
const mostDevices = 1000;
/** As long before it is due as a working day has hours, what nobody works on is at risk. */
const workingDayMs = 8 * 60 * minuteMs;
const noHelp: Help = { slots: 0, fromOn: Infinity };

/** When the items that are there will be done, and what becomes of what is promised. */
export function foresee(facts: Facts): Foresight {
  const { pace, groups } = facts;
  const placed = pace && placedIn(groups, pace, noHelp);
  const ends = placed?.map((one) => endOf(one, facts.now)) ?? [];
  return { endOn: ends.length > 0 ? Math.max(...ends) : undefined, level: outlook(facts) };
}

/** A group with its place in the line: how many of it start at once, and when the others begin to. */
interface Placed<G extends Group = Group> {
  readonly group: G;
  readonly beginsOn: number;
  readonly free: number;
  readonly pace: Pace;
  readonly help: Help;
}

/** The line, worked off one group after the other. */
function placedIn<G extends Group>(groups: readonly G[], pace: Pace, help: Help): Placed<G>[] {
  const running = sum(groups.filter(({ state }) => state === 'RUNNING'));
  const waiting = groups.filter(({ state }) => state !== 'RUNNING');
  let clock = pace.beginsOn;
  let free = Math.floor(Math.max(0, slotsAt(clock, pace, help) - running));
  const placed = waiting.map((group) => {
    if (group.comesOn > clock) {
      clock = group.comesOn;
      free = Math.floor(slotsAt(clock, pace, help));
    }
    const place = { group, beginsOn: clock, free, pace, help };
    clock = passed(clock, Math.max(0, group.items - free), place);
    free = Math.max(0, free - group.items);
    return place;
  });
  const atWork = groups.filter(({ state }) => state === 'RUNNING');
  return [...atWork.map((group) => ({ group, beginsOn: pace.beginsOn, free: 0, pace, help })), ...placed];
}

function slotsAt(at: number, { atOnce }: Pace, { slots, fromOn }: Help): number {
  return at >= fromOn ? atOnce + slots : atOnce;
}

/** When so many items have been started since a time at which all slots were taken. */
function passed(since: number, items: number, { pace, help }: Pick<Placed, 'pace' | 'help'>): number {
  const alone = pace.atOnce / pace.handlingMs;
  const together = (pace.atOnce + help.slots) / pace.handlingMs;
  const before = Math.max(0, help.fromOn - since) * alone;
  if (items <= before) return since + items / alone;
  return Math.max(since, help.fromOn) + (items - before) / together;
}

/** When an item of a group starts. Those at work are half done on average, so that the first slot is free after half a turn. */
function startOf(placed: Placed, index: number): number {
  const { beginsOn, free } = placed;
  return index < free ? beginsOn : passed(beginsOn, index - free + 0.5, placed);
}

function endOf(placed: Placed, now: number): number {
  const { group, pace } = placed;
  if (group.state === 'RUNNING') return now + pace.handlingMs / 2;
  return startOf(placed, group.items - 1) + pace.handlingMs;
}

function outlook(facts: Facts): Outlook | undefined {
  const { level, now, pace } = facts;
  if (!level) return undefined;
  const all = facts.groups.map((group) => ({ ...group, dueOn: dueOf(group, level, now) ?? Infinity }));
  const late = sum(all.filter(({ dueOn }) => dueOn < now));
  const open = all.filter(({ dueOn }) => dueOn >= now);
  const line = boundedLine(all, now);
  const margin = level.promised.warnMinutes * minuteMs;
  const missed = pace && missedIn(line, facts, { pace });
  const near = pace
    ? missedIn(line, facts, { pace, margin })
    : open.filter(({ dueOn }) => dueOn < Infinity && dueOn <= soonOf(facts, margin));
  const more = pace && missed && moreDevices(line, facts, { pace, missed });
  return {
    state: stateOf(late, sum(near)),
    late,
    misses: missed && sum(missed),
    dueOn: first(missed ?? []),
    nextDueOn: first(open),
    more,
  };
}

/** Until when what is due is near, where nobody knows how fast it goes. */
function soonOf({ level, now, isStopped }: Facts, margin: number): number {
  if (!level || !isStopped) return now + margin;
  return Math.max(now + margin, after(level.timetable, now, workingDayMs) ?? Infinity);
}

/** When the first of the groups is due, if any is. */
function first(groups: readonly Bound[]): number | undefined {
  const earliest = groups.reduce((time, { dueOn }) => Math.min(time, dueOn), Infinity);
  return Number.isFinite(earliest) ? earliest : undefined;
}

function stateOf(late: number, near: number): Outlook['state'] {
  if (late > 0) return 'BROKEN';
  return near > 0 ? 'AT_RISK' : 'KEPT';
}

/** An item that was started has not waited too long; and all are to be done by a due time. What begins in years is due never. */
function dueOf(
  group: Group,
  { promised, timetable }: NonNullable<Facts['level']>,
  now: number,
): number | undefined {
  const { longestWaitMinutes, dueTime, cutOff } = promised;
  if (group.since > now + mostDays * dayMs) return undefined;
  if (longestWaitMinutes !== undefined && group.state !== 'RUNNING')
    return after(timetable, group.since, longestWaitMinutes * minuteMs);
  if (dueTime === undefined) return undefined;
  return dueAfter(timetable, group.since, { dueTime, cutOff: cutOff ?? dueTime });
}

interface Course {
  readonly pace: Pace;
  readonly help?: Help;
  /** By how much items have to be earlier than they are due. */
  readonly margin?: number;
}

/** Of each group, how many items will be late that are not yet. */
function missedIn(
  line: readonly Bound[],
  facts: Facts,
  { pace, help = noHelp, margin = 0 }: Course,
): Bound[] {
  return placedIn(line, pace, help).flatMap((placed) => {
    const { dueOn } = placed.group;
    if (dueOn < facts.now || dueOn === Infinity) return [];
    const items = placed.group.items - inTime(placed, facts, dueOn - margin);
    return items > 0 ? [{ ...placed.group, items }] : [];
  });
}

/** How many items of a group are started by a time, or done where that is what counts. */
function inTime(placed: Placed, facts: Facts, by: number): number {
  const { group } = placed;
  if (group.state === 'RUNNING') return endOf(placed, facts.now) <= by ? group.items : 0;
  const latest = latestStart(facts, by);
  // Items of a group start one after the other: the first that is too late is found by halves.
  return firstWhere(0, group.items, (index) => startOf(placed, index) > latest);
}

function latestStart({ level, pace }: Facts, dueOn: number): number {
  const isDone = level?.promised.longestWaitMinutes === undefined;
  return isDone ? dueOn - (pace?.handlingMs ?? 0) : dueOn;
}

/**
 * The fewest devices that would hold what can still be held, and how late they may come. Items that are due before a device that is free
 * now could turn to a second one are lost either way: for their sake nobody brings in hundreds.
 */
function moreDevices(
  line: readonly Bound[],
  facts: Facts,
  { pace, missed }: { readonly pace: Pace; readonly missed: readonly Bound[] },
): Outlook['more'] {
  const soon = Math.max(facts.now, pace.beginsOn);
  const isLost = ({ dueOn }: Bound) => latestStart(facts, dueOn) < soon + pace.handlingMs;
  if (missed.every(isLost)) return undefined;
  const isEnough = (devices: number, fromOn: number) => {
    const help = { slots: devices * facts.slotsPerDevice, fromOn };
    return missedIn(line, facts, { pace, help }).every(isLost);
  };
  const devices = firstWhere(1, mostDevices + 1, (number) => isEnough(number, soon));
  if (devices > mostDevices) return undefined;
  const begin = Math.floor(soon / minuteMs);
  const last = Math.floor(Math.max(...missed.map(({ dueOn }) => dueOn)) / minuteMs);
  const tooLate = firstWhere(begin + 1, last + 1, (minute) => !isEnough(devices, minute * minuteMs));
  return { devices, fromOn: Math.max(soon, (tooLate - 1) * minuteMs) };
}

function sum(groups: readonly Pick<Group, 'items'>[]): number {
  return groups.reduce((total, { items }) => total + items, 0);
}
