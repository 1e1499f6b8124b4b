import type { Id, Schemas } from '@millrace/api';
import { raw, sql, type Db, type Sql } from '../engine/db.ts';
import { recentMinutes, selectTotals, spansIn, type Totals } from '../journal/counters.ts';
import { foresee, type Facts, type Group, type Outlook, type Pace } from './forecast.rules.ts';
import type { StoredLevel } from './stored.ts';
import { timetableOf } from './timetable.rules.ts';
import { forecastSentence } from './words.rules.ts';

type Forecast = Schemas['QueueForecast'];

/** The queue, its service level if it has one, and the devices that could work on it. */
interface Subject {
  readonly supply: Supply;
  readonly level: StoredLevel | undefined;
}

interface Where {
  readonly db: Db;
  readonly now: Date;
}

/**
 * The forecast of a queue's end under present conditions. Reads two statements of its items, or three where nothing was finished lately.
 */
export async function forecastOf(where: Where, { supply, level }: Subject): Promise<Forecast> {
  const { db, now } = where;
  const totals = await selectTotals(db, supply.queueId, now);
  const isOpen = totals.counts.NEW + totals.counts.IN_PROGRESS + totals.counts.DEFERRED > 0;
  const rows = isOpen ? await selectLine(db, supply.queueId) : [];
  const measured = await measure(where, supply.queueId, totals);
  const line = groupsOf(rows, { now: now.getTime(), ready: totals.counts.NEW - totals.inBackOff });
  const paced = paceOf(supply, { totals, measured, now: now.getTime() });
  return answer({ supply, level, totals, measured, line, paced, now: now.getTime() });
}

interface Known extends Subject {
  readonly totals: Totals;
  readonly measured: Measured | undefined;
  readonly line: ReturnType<typeof groupsOf>;
  readonly paced: ReturnType<typeof paceOf>;
  readonly now: number;
}

function answer(known: Known): Forecast {
  const { supply, line, paced, now, level } = known;
  const slotsPerDevice = supply.devices > 0 ? supply.slots / supply.devices : 1;
  const pace: Pace | undefined = 'pace' in paced ? paced.pace : undefined;
  const promised = level && { promised: level, timetable: timetableOf(level.calendar) };
  const isStopped = 'code' in paced && (paced.code === 'PAUSED' || paced.code === 'NOBODY_WORKS');
  const facts: Facts = { now, groups: line.groups, pace, isStopped, slotsPerDevice, level: promised };
  const foresight = foresee(facts);
  const open = sum(line.groups);
  const stopped = 'code' in paced ? paced.code : ('ENDS' as const);
  const code = open === 0 ? ('DONE' as const) : stopped;
  const arriving = known.totals.arrived / recentMinutes;
  const rate = pace && (60_000 * pace.atOnce) / pace.handlingMs;
  const timeZone = level?.calendar?.timeZone ?? 'UTC';
  const said = { now, timeZone, code, open, endOn: foresight.endOn, promised: level, level: foresight.level };
  return {
    queueId: supply.queueId,
    queueName: supply.queueName,
    on: new Date(now).toISOString(),
    code,
    sentence: forecastSentence({ ...said, arriving, rate }),
    ...(foresight.endOn !== undefined && { expectedEndOn: instant(foresight.endOn) }),
    restsOn: { ...restsOn(known, arriving), slotsPerDevice },
    ...(foresight.level && { level: levelOf(foresight.level) }),
  };
}

function restsOn({ line, measured, paced, supply, totals }: Known, arrivingPerMinute: number) {
  const { handlingSeconds, items, over } = measured ?? {};
  const comingDue = sum(line.groups.filter(({ state }) => state === 'LATER'));
  const deferred = sum(
    line.groups.filter((group) => group.state === 'LATER' && group.since === group.comesOn),
  );
  return {
    waiting: sum(line.groups.filter(({ state }) => state === 'READY')),
    running: totals.counts.IN_PROGRESS,
    comingDue,
    putAside: Math.max(0, totals.counts.DEFERRED - deferred),
    ...(handlingSeconds !== undefined && { handlingSeconds }),
    ...(items !== undefined && { measuredItems: items }),
    ...(over && { measuredOver: over }),
    atOnce: rounded(paced.atOnce),
    devices: supply.devices,
    arrivingPerMinute: rounded(arrivingPerMinute),
    isEstimated: line.isEstimated,
  };
}

function levelOf(level: Outlook): NonNullable<Forecast['level']> {
  const { state, late, misses, dueOn, nextDueOn, more } = level;
  return {
    state,
    late,
    ...(misses !== undefined && { misses }),
    ...(dueOn !== undefined && { dueOn: instant(dueOn) }),
    ...(nextDueOn !== undefined && { nextDueOn: instant(nextDueOn) }),
    ...(more && { moreDevices: more.devices, moreDevicesFromOn: instant(more.fromOn) }),
  };
}

function instant(time: number): string {
  return new Date(time).toISOString();
}

function rounded(number: number): number {
  return Math.round(number * 100) / 100;
}

function sum(groups: readonly Pick<Group, 'items'>[]): number {
  return groups.reduce((total, { items }) => total + items, 0);
}

async function measure({ db, now }: Where, queueId: Id, totals: Totals): Promise<Measured | undefined> {
  const recent = measuredOf({ recent: totals });
  if (recent) return recent;
  return measuredOf({ recent: totals, past: await selectPast(db, queueId, now) });
}

/** The finished items of a day and of thirty, with their handling times. */
async function selectPast(db: Db, queueId: Id, now: Date): Promise<Past> {
  const ofDay = sql`filter (where at >= ${now}::timestamptz - interval '1 day')`;
  const row = await db.row<Past>(sql`
    select coalesce(sum(finished_complete + finished_failed) ${ofDay}, 0)::bigint as "dayItems",
      coalesce(sum(handling_ms) ${ofDay}, 0)::bigint as "dayMs",
      coalesce(sum(finished_complete + finished_failed), 0)::bigint as "monthItems",
      coalesce(sum(handling_ms), 0)::bigint as "monthMs"
    from (${spansIn(queueId)}) spans where at >= ${now}::timestamptz - interval '30 days'`);
  return row ?? { dayItems: 0, dayMs: 0, monthItems: 0, monthMs: 0 };
}

/** Items of each kind that are read one by one; for waiting items after these, only their number is known. */
const mostRead = 10_000;

// The clock of an item begins when it comes in, and again when it comes back from DEFERRED or FAILED. Most items were not changed since
// they came in, and need no look at their events.
const clockOf = (queueId: Id): Sql => sql`
  left join lateral (
    select e.at from events e where i.updated_on > i.created_on and e.queue_id = ${queueId} and e.item_id = i.id
      and e.from_status in ('DEFERRED', 'FAILED') and e.to_status = 'NEW' order by e.id desc limit 1) back on true`;
const clock = raw('min(coalesce(back.at, i.created_on))');

/** The open items of a queue, in the order of claims, with similar ones in one row. */
function selectLine(db: Db, queueId: Id): Promise<LineRow[]> {
  const items = (columns: string, condition: string, order: string) => sql`(
    select id, created_on, updated_on, not_before, ${raw(columns)} from work_items
    where queue_id = ${queueId} and ${raw(condition)} order by ${raw(order)} limit ${mostRead}) i ${clockOf(queueId)}`;
  const ready = 'row_number() over (order by sort_key, id) / 100 as block';
  return db.rows(sql`
    select 'RUNNING' as state, 0 as block, null::timestamptz as "comesOn", ${clock} as since, count(*)::int as items
    from ${items('0 as block', "status = 'IN_PROGRESS'", 'id')} group by date_trunc('minute', coalesce(back.at, i.created_on))
    union all
    select 'READY', block, null, ${clock}, count(*)::int
    from ${items(ready, "status = 'NEW' and not_before is null", 'sort_key, id')}
    group by block, date_trunc('minute', coalesce(back.at, i.created_on))
    union all
    select 'RETRY', 0, min(not_before), ${clock}, count(*)::int
    from ${items('0 as block', "status = 'NEW' and not_before is not null", 'not_before')} group by date_trunc('minute', not_before)
    union all
    select 'DEFERRED', 0, min(not_before), min(not_before), count(*)::int
    from ${items('0 as block', "status = 'DEFERRED' and not_before is not null", 'not_before')} group by date_trunc('minute', not_before)`);
}

/** The devices and slots for queues, in any order. */
export function selectSupply(db: Db, queueIds: readonly Id[]): Promise<Supply[]> {
  return db.rows(sql`
    select q.id as "queueId", q.name as "queueName", q.status, q.archived_on is not null as archived, q.paused_until as "pausedUntil",
      coalesce(d.devices, 0)::int as devices, coalesce(d.slots, 0)::int as slots
    from queues q left join automations a on a.queue_id = q.id and a.status = 'ACTIVE'
      left join lateral (
        select count(*) as devices, sum(d.slots) as slots from pool_devices pd join devices d on d.id = pd.device_id
        where pd.pool_id = a.pool_id and d.is_connected and d.state = 'ACTIVE' and a.labels <@ d.labels
          and a.bot_name = any(d.bots)) d on true
    where q.id = any(${queueIds}::bigint[])`);
}

/** Similar open items, as read. */
interface LineRow {
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
function groupsOf(
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
interface Measured {
  readonly handlingSeconds: number;
  readonly items: number;
  readonly over: NonNullable<Schemas['QueueForecast']['restsOn']['measuredOver']>;
}

/** The finished items and their times, over a day and over thirty. */
interface Past {
  readonly dayItems: number;
  readonly dayMs: number;
  readonly monthItems: number;
  readonly monthMs: number;
}

// A mean over fewer items says little: a single long one would decide.
const enough = 10;

/** The mean of the recent minutes; if too few items were finished in them, and the past is known, the mean of a day or of thirty. */
function measuredOf({
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
interface Supply {
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
}

/** The pace of work, or the reason why it is not known; and in either case the number of items worked on at once. */
function paceOf(
  supply: Supply,
  { totals, measured, now }: Work,
): { readonly atOnce: number } & (
  { readonly pace: Pace } | { readonly code: 'ARCHIVED' | 'PAUSED' | 'NOT_MEASURED' | 'NOBODY_WORKS' }
) {
  const { status, archived, pausedUntil } = supply;
  const atOnce = workedAtOnce(supply, totals);
  if (archived) return { atOnce, code: 'ARCHIVED' };
  if (status === 'INACTIVE' && !pausedUntil) return { atOnce, code: 'PAUSED' };
  if (atOnce === 0) return { atOnce, code: 'NOBODY_WORKS' };
  if (!measured) return { atOnce, code: 'NOT_MEASURED' };
  const beginsOn = Math.max(now, status === 'INACTIVE' ? (pausedUntil?.getTime() ?? now) : now);
  // At least a millisecond, even where items were measured to take no time.
  return { atOnce, pace: { beginsOn, atOnce, handlingMs: Math.max(1, measured.handlingSeconds * 1000) } };
}

/** As many as now, or on average lately; if nobody is at work, as many as devices could take, or one if somebody was at work lately. */
function workedAtOnce({ slots }: Supply, totals: Totals): number {
  const { counts, finishedComplete, finishedFailed, handlingMilliseconds } = totals;
  const onAverage = handlingMilliseconds / (recentMinutes * 60_000);
  if (counts.IN_PROGRESS > 0) return Math.max(counts.IN_PROGRESS, onAverage);
  return Math.max(slots, onAverage, finishedComplete + finishedFailed > 0 ? 1 : 0);
}
