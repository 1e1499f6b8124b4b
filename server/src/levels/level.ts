import type { Id, Schemas } from '@millrace/api';
import { seenBy } from '../access/members/membership.ts';
import { raw, sql, type Db, type Sql } from '../engine/db.ts';
import { Refusal, refuseStale, type ErrorDetail } from '../engine/errors.ts';
import { listQuery, pageOf } from '../engine/lists/lists.ts';
import type { Field } from '../engine/lists/values.ts';
import {
  authorOf,
  type Author,
  type PlainOperation,
  type QueueContext,
  type QueueOperation,
} from '../engine/operation.ts';
import { recordOfQueue } from '../journal/journal.ts';
import type { Promised } from './forecast.rules.ts';
import { refuseEndless } from './level.rules.ts';
import { isPromise, levelColumns, levelTables, selectLevel, type StoredLevel } from './stored.ts';
import type { Calendar } from './timetable.rules.ts';

export const getQueueLevel: QueueOperation<'getQueueLevel'> = ({ db, queue }) => answerLevel(db, queue);

async function answerLevel(db: Db, queue: QueueContext['queue']): Promise<Schemas['QueueLevel']> {
  const stored = await selectLevel(db, queue.id);
  return stored ? shown(stored) : { queueId: queue.id, queueName: queue.name, version: 0 };
}

function shown(stored: StoredLevel): Schemas['QueueLevel'] {
  const { calendar, state: _, stateOn: __, calmSince: ___, forecast: ____, updatedOn, ...level } = stored;
  return { ...level, ...(calendar && { timeZone: calendar.timeZone }), updatedOn: updatedOn.toISOString() };
}

export const setQueueLevel: QueueOperation<'setQueueLevel'> = async (context, { body }) => {
  const { db, queue } = context;
  await lockQueue(db, queue.id);
  await refuseOther(db, queue.id, body);
  const settings = settleLevel(body);
  const calendar = await readCalendar(context, settings);
  if (calendar) refuseEndless(settings, calendar, context.now);
  await upsertLevel(db, queue.id, settings, authorOf(context));
  await recordOfQueue(context, queue.id, { operation: 'setQueueLevel', changes: settings });
  return answerLevel(db, queue);
};

export const removeQueueLevel: QueueOperation<'removeQueueLevel'> = async (context, { query }) => {
  const { db, queue } = context;
  await lockQueue(db, queue.id);
  await refuseOther(db, queue.id, query);
  const isGone = await deleteLevel(db, queue.id);
  if (isGone) await recordOfQueue(context, queue.id, { operation: 'removeQueueLevel' });
};

export const listQueueLevels: PlainOperation<'listQueueLevels'> = async ({ db, actor }, { body }) => {
  const query = listQuery(body, levelFields, raw('l.queue_id'));
  const rows = sql`${levelTables} where ${seenBy(actor)} and q.archived_on is null and ${isPromise}`;
  const page = await pageOf(db, query, rows);
  const list = await db.rows<StoredLevel>(sql`
    select ${levelColumns} from ${rows} and ${query.where} order by ${query.orderBy} limit ${query.limit} offset ${query.offset}`);
  return { page, list: list.map(withState) };
};

function withState(stored: StoredLevel): Schemas['QueueLevelState'] {
  const { state, stateOn, forecast } = stored;
  return { ...shown(stored), state, stateOn: stateOn.toISOString(), ...(forecast && { forecast }) };
}

const levelFields: Record<string, Field> = {
  queueId: { column: raw('l.queue_id'), type: 'id' },
  queueName: { column: raw('q.name'), type: 'text' },
  state: { column: raw('l.state'), type: ['KEPT', 'AT_RISK', 'BROKEN'] },
  urgency: {
    column: raw(`(case l.state when 'BROKEN' then 2 when 'AT_RISK' then 1 else 0 end)`),
    type: 'integer',
  },
  calendarId: { column: raw('l.calendar_id'), type: 'id' },
  updatedOn: { column: raw('l.updated_on'), type: 'time' },
};

/** Makes changes of a queue's service level come one after the other, even the first two. */
async function lockQueue(db: Db, queueId: Id): Promise<void> {
  await db.rows(sql`select from queues where id = ${queueId} for no key update`);
}

/** The calendar of the service level, locked against changes; undefined where every hour counts. @throws Refusal */
async function readCalendar(
  { db, actor }: QueueContext,
  { calendarId }: LevelSettings,
): Promise<Calendar | undefined> {
  if (calendarId === undefined) return undefined;
  const calendar = await db.row<Calendar>(sql`
    select time_zone as "timeZone", hours, holidays from calendars
    where id = ${calendarId} and tenant_id = ${actor.tenantId} for share`);
  if (calendar) return calendar;
  throw new Refusal(
    'NOT_FOUND',
    `There is no calendar ${calendarId}. POST /v4/wlm/calendars/list lists those that there are.`,
  );
}

/** Stores the service level, to be checked at once: the report about the former one no longer applies. */
async function upsertLevel(
  db: Db,
  queueId: Id,
  settings: LevelSettings,
  { actorId, now }: Author,
): Promise<void> {
  const { calendarId, longestWaitMinutes, dueTime, cutOff, warnMinutes, hourlyCost, currency } = settings;
  const set = (column: string) => `${column} = excluded.${column}`;
  const columns = [
    'calendar_id',
    'longest_wait_minutes',
    'due_time',
    'cut_off',
    'warn_minutes',
    'hourly_cost',
    'currency',
  ];
  const renewed: Sql = raw([...columns, 'updated_by', 'updated_on', 'state', 'state_on'].map(set).join(', '));
  await db.rows(sql`
    insert into queue_levels as l (queue_id, ${raw(columns.join(', '))}, updated_by, updated_on, state_on)
    values (${queueId}, ${calendarId ?? null}, ${longestWaitMinutes ?? null}, ${dueTime ?? null}, ${cutOff ?? null}, ${warnMinutes},
      ${hourlyCost ?? null}, ${currency ?? null}, ${actorId}, ${now}, ${now})
    on conflict (queue_id) do update set ${renewed}, version = l.version + 1, calm_since = null, looked_on = null, forecast = null`);
}

async function deleteLevel(db: Db, queueId: Id): Promise<boolean> {
  const rows = await db.rows(sql`delete from queue_levels where queue_id = ${queueId} returning queue_id`);
  return rows.length > 0;
}

/** The service level of a queue as a person sets it, in its stored form. */
interface LevelSettings extends Promised {
  readonly calendarId?: Id | undefined;
  readonly hourlyCost?: number | undefined;
  readonly currency?: string | undefined;
}

const usualWarning = 15;

/** @throws Refusal when it promises two things at once, or nothing */
export function settleLevel(wanted: Schemas['NewQueueLevel']): LevelSettings {
  const {
    calendarId,
    longestWaitMinutes,
    dueTime,
    warnMinutes = usualWarning,
    hourlyCost,
    currency,
  } = wanted;
  const details = problemsOf(wanted);
  const [first] = details;
  if (first) throw new Refusal('INVALID_REQUEST', `${first.field} ${first.message}.`, { details });
  return {
    calendarId,
    longestWaitMinutes,
    dueTime,
    cutOff: wanted.cutOff ?? dueTime,
    warnMinutes,
    hourlyCost,
    currency,
  };
}

function problemsOf(wanted: Schemas['NewQueueLevel']): ErrorDetail[] {
  const { longestWaitMinutes: wait, dueTime, cutOff, hourlyCost, currency, calendarId } = wanted;
  const promises = wait !== undefined || dueTime !== undefined;
  const checks: [string, boolean, string][] = [
    [
      'dueTime',
      wait !== undefined && dueTime !== undefined,
      'and longestWaitMinutes are two promises: give one',
    ],
    ['cutOff', cutOff !== undefined && dueTime === undefined, 'goes with dueTime only'],
    ['calendarId', calendarId !== undefined && !promises, 'goes with longestWaitMinutes or dueTime only'],
    [
      'currency',
      hourlyCost !== undefined && currency === undefined,
      'is missing: hourlyCost is in one, such as EUR',
    ],
    [
      'hourlyCost',
      hourlyCost === undefined && currency !== undefined,
      'is missing: currency goes with it only',
    ],
    [
      'longestWaitMinutes',
      !promises && hourlyCost === undefined,
      'or dueTime or hourlyCost is missing; DELETE takes the promise away',
    ],
  ];
  return checks.flatMap(([field, isWrong, message]) => (isWrong ? [{ field, message }] : []));
}

/** Refuses to replace or remove a service level that somebody else has changed since the version that the caller read, if that is given. */
async function refuseOther(
  db: Db,
  queueId: Id,
  { version }: { readonly version?: number | undefined },
): Promise<void> {
  if (version === undefined) return;
  const stored = await selectLevel(db, queueId);
  refuseStale('service level of queue', { id: queueId, version: stored?.version ?? 0 }, { version });
}
