import type { Schemas } from '@millrace/api';
import { after, dueAfter, firstWhere, mostDays, type Timetable } from './timetable.rules.ts';

/** The service level promised for a queue. */
export interface Promised {
  /** Either this, or a due time. */
  readonly longestWaitMinutes?: number | undefined;
  readonly dueTime?: string | undefined;
  readonly cutOff?: string | undefined;
  readonly warnMinutes: number;
}

/** The pace of work on a queue. */
export interface Pace {
  readonly beginsOn: number;
  /** Items worked on at once. */
  readonly atOnce: number;
  readonly handlingMs: number;
}

/** Slots that join the present ones from a time on. */
interface Help {
  readonly slots: number;
  readonly fromOn: number;
}

/** The facts behind a forecast. */
export interface Facts {
  readonly now: number;
  /** In the order of claims. */
  readonly groups: readonly Group[];
  /** Undefined where it is not known. */
  readonly pace: Pace | undefined;
  /** Whether nobody works on it, nor will without somebody's action. */
  readonly isStopped: boolean;
  readonly slotsPerDevice: number;
  readonly level: { readonly promised: Promised; readonly timetable: Timetable } | undefined;
}

interface Foresight {
  /** The time at which the last item is done; undefined where that is not known, or nothing is open. */
  readonly endOn: number | undefined;
  readonly level: Outlook | undefined;
}

/** The outlook for a service level. */
export interface Outlook {
  readonly state: Schemas['LevelState'];
  /** Open items after their due time. */
  readonly late: number;
  /** Further ones that will be late; undefined where that is not known. */
  readonly misses: number | undefined;
  /** The due time of the first of these. */
  readonly dueOn: number | undefined;
  readonly nextDueOn: number | undefined;
  readonly more: { readonly devices: number; readonly fromOn: number } | undefined;
}

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
const mostDevices = 1000;
/** Items on which nobody works are at risk this long before they are due: the hours of a working day. */
const workingDayMs = 8 * 60 * minuteMs;
const noHelp: Help = { slots: 0, fromOn: Infinity };

/** The time at which the present items will be done, and the outlook for the service level. */
export function foresee(facts: Facts): Foresight {
  const { pace, groups } = facts;
  const placed = pace && placedIn(groups, pace, noHelp);
  const ends = placed?.map((one) => endOf(one, facts.now)) ?? [];
  return { endOn: ends.length > 0 ? Math.max(...ends) : undefined, level: outlook(facts) };
}

/** A group with its place in the line: the number of its items that start at once, and the time from which the others start. */
interface Placed<G extends Group = Group> {
  readonly group: G;
  readonly beginsOn: number;
  readonly free: number;
  readonly pace: Pace;
  readonly help: Help;
}

/** Places the line, one group after the other. */
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

/** The time at which this many items have been started, since a time at which all slots were taken. */
function passed(since: number, items: number, { pace, help }: Pick<Placed, 'pace' | 'help'>): number {
  const alone = pace.atOnce / pace.handlingMs;
  const together = (pace.atOnce + help.slots) / pace.handlingMs;
  const before = Math.max(0, help.fromOn - since) * alone;
  if (items <= before) return since + items / alone;
  return Math.max(since, help.fromOn) + (items - before) / together;
}

/**
 * The time at which an item of a group starts. Running items are half done on average, so that the first slot is free after half a turn.
 */
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

/** The time until which due items count as near, where the pace is not known. */
function soonOf({ level, now, isStopped }: Facts, margin: number): number {
  if (!level || !isStopped) return now + margin;
  return Math.max(now + margin, after(level.timetable, now, workingDayMs) ?? Infinity);
}

/** The earliest due time of the groups; undefined without one. */
function first(groups: readonly Bound[]): number | undefined {
  const earliest = groups.reduce((time, { dueOn }) => Math.min(time, dueOn), Infinity);
  return Number.isFinite(earliest) ? earliest : undefined;
}

function stateOf(late: number, near: number): Outlook['state'] {
  if (late > 0) return 'BROKEN';
  return near > 0 ? 'AT_RISK' : 'KEPT';
}

/**
 * The due time of a group. A wait ends with the start of an item; a due time is for its end. An item whose clock begins in years is never
 * due.
 */
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
  /** Milliseconds by which items have to be earlier than they are due. */
  readonly margin?: number;
}

/** The items of each group that will be late and are not yet. */
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

/** Number of items of a group that are started by a time, or done where a due time is promised. */
function inTime(placed: Placed, facts: Facts, by: number): number {
  const { group } = placed;
  if (group.state === 'RUNNING') return endOf(placed, facts.now) <= by ? group.items : 0;
  const latest = latestStart(facts, by);
  // Items of a group start one after the other: a binary search finds the first that is too late.
  return firstWhere(0, group.items, (index) => startOf(placed, index) > latest);
}

function latestStart({ level, pace }: Facts, dueOn: number): number {
  const isDone = level?.promised.longestWaitMinutes === undefined;
  return isDone ? dueOn - (pace?.handlingMs ?? 0) : dueOn;
}

/**
 * The fewest devices that would save all items which can still be saved, and the latest time for them. Items that are due before a device
 * that is free now could begin its second item are lost either way: they are no reason to bring in hundreds of devices.
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

/** Items at the same place in the line whose clocks began together. Instants are milliseconds. */
export interface Group {
  readonly state: 'RUNNING' | 'READY' | 'LATER';
  /** The time from which they can be claimed; in the past where they can be now. */
  readonly comesOn: number;
  /** The start of their clock. */
  readonly since: number;
  readonly items: number;
}

/** A group of the line, with its due time: Infinity where the promise does not cover it. */
export interface Bound extends Group {
  readonly dueOn: number;
}

/** Most groups of each kind into which a line is combined, as it is walked many times. */
const mostOf = { RUNNING: 50, READY: 300, LATER: 150 } as const;
const states = ['RUNNING', 'READY', 'LATER'] as const;
/** Items of the line that share one place in it. */
const placeItems = 100;

/**
 * The line in few enough groups to be walked many times. Neighbours that are due at about the same time are combined, and come and are due
 * with the first of them, so that no promise looks better than it is; late ones stay apart from the others.
 */
export function boundedLine(line: readonly Bound[], now: number): readonly Bound[] {
  return states.flatMap((state) => {
    const most = mostOf[state];
    let groups = inLine(line.filter((group) => group.state === state));
    for (let grain = 1; groups.length > most; grain *= 2) groups = pooled(groups, grain, now);
    return groups;
  });
}

/** A group in the line, with its place among those of its kind. */
interface InLine extends Bound {
  readonly place: number;
}

function inLine(groups: readonly Bound[]): InLine[] {
  let items = 0;
  return groups.map((group) => {
    const before = items;
    items += group.items;
    return { ...group, place: placeOf(group, before) };
  });
}

function placeOf({ state, comesOn }: Bound, itemsBefore: number): number {
  // Running items have no order.
  if (state === 'RUNNING') return 0;
  return state === 'READY' ? itemsBefore / placeItems : comesOn / minuteMs;
}

function pooled(groups: readonly InLine[], grain: number, now: number): InLine[] {
  const pools = new Map<string, InLine>();
  for (const group of groups) {
    const due = group.dueOn < now ? 'late' : Math.floor(group.dueOn / minuteMs / grain);
    const key = `${Math.floor(group.place / grain)} ${due}`;
    const pool = pools.get(key);
    pools.set(key, pool ? joined(pool, group) : group);
  }
  return [...pools.values()];
}

function joined(one: InLine, other: InLine): InLine {
  return {
    ...one,
    comesOn: Math.min(one.comesOn, other.comesOn),
    since: Math.min(one.since, other.since),
    dueOn: Math.min(one.dueOn, other.dueOn),
    items: one.items + other.items,
  };
}
