import type { Id, Schemas } from '@millrace/api';
import { raw, sql, type Db } from '../engine/db.ts';
import type { Calendar } from './timetable.rules.ts';

/** The service level of a queue, with its calendar and its last reported state. */
export type StoredLevel = Omit<Schemas['QueueLevelState'], 'stateOn' | 'updatedOn' | 'warnMinutes'> &
  Told & {
    readonly warnMinutes: number;
    readonly calendar?: Calendar;
    readonly stateOn: Date;
    readonly updatedOn: Date;
  };

/** Columns of a level `l` with its queue `q` and its calendar `c`. */
export const levelColumns =
  raw(`l.queue_id as "queueId", q.name as "queueName", l.calendar_id as "calendarId", c.name as "calendarName",
  case when c.id is not null then json_build_object('timeZone', c.time_zone, 'hours', c.hours, 'holidays', c.holidays) end as calendar,
  l.longest_wait_minutes as "longestWaitMinutes", l.due_time as "dueTime", l.cut_off as "cutOff", l.warn_minutes as "warnMinutes",
  l.hourly_cost as "hourlyCost", l.currency, l.version, l.state, l.state_on as "stateOn", l.calm_since as "calmSince", l.forecast,
  l.updated_by as "updatedBy", l.updated_on as "updatedOn"`);

export const levelTables = raw(
  'queue_levels l join queues q on q.id = l.queue_id left join calendars c on c.id = l.calendar_id',
);

/** The condition that a level promises anything, instead of only giving the cost of an hour. */
export const isPromise = raw('(l.longest_wait_minutes is not null or l.due_time is not null)');

/** The service level of a queue; undefined where there is none. */
export function selectLevel(db: Db, queueId: Id): Promise<StoredLevel | undefined> {
  return db.row(sql`select ${levelColumns} from ${levelTables} where l.queue_id = ${queueId}`);
}

/** The last reported state of a service level. */
export interface Told {
  readonly state: Schemas['LevelState'];
  /** The time since when it looks kept, while the reported state is at risk or broken. */
  readonly calmSince?: Date | undefined;
}
