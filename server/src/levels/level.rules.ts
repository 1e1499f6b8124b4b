import type { Id, Schemas } from '@millrace/api';
import { Refusal, refuseStale, type ErrorDetail } from '../engine/errors.ts';
import type { Calendar } from './calendar.rules.ts';
import type { Promised } from './forecast.rules.ts';
import { after, dueAfter, mostDays, timetableOf } from './timetable.rules.ts';

/** The service level of a queue as a person sets it, in its stored form. */
export interface LevelSettings extends Promised {
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

/** Refuses a promise that never ends in the calendar: nobody would ever learn that it is broken. @throws Refusal */
export function refuseEndless(
  { longestWaitMinutes: wait, dueTime, cutOff }: Omit<Promised, 'warnMinutes'>,
  calendar: Calendar,
  now: Date,
): void {
  const timetable = timetableOf(calendar);
  const since = now.getTime();
  const latest = since + mostDays * 86_400_000;
  const isInTime = (end: number | undefined) => end !== undefined && end <= latest;
  if (wait !== undefined && !isInTime(after(timetable, since, wait * 60_000)))
    throw endless('longestWaitMinutes', `${wait} minutes`);
  if (dueTime !== undefined && !isInTime(dueAfter(timetable, since, { dueTime, cutOff: cutOff ?? dueTime })))
    throw endless('dueTime', 'any day');
}

function endless(field: string, what: string): Refusal {
  const message = `cannot be kept to: the calendar does not have ${what} of working time within ${mostDays} days. Add hours to the calendar, or promise less`;
  return new Refusal('INVALID_REQUEST', `${field} ${message}.`, { details: [{ field, message }] });
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

/** Refuses to overwrite a service level that somebody else has changed since the version that the caller read. */
export function refuseOther(queueId: Id, version: number, sent: Schemas['NewQueueLevel']): void {
  if (sent.version === undefined) return;
  refuseStale('service level of queue', { id: queueId, version }, { version: sent.version });
}

/** The last reported state of a service level. */
export interface Told {
  readonly state: Schemas['LevelState'];
  /** The time since when it looks kept, while the reported state is at risk or broken. */
  readonly calmSince?: Date | undefined;
}

/** The event to record. */
export type LevelEvent = 'warnQueueLevel' | 'breakQueueLevel' | 'keepQueueLevel';

// A wavering service level is not reported again each minute.
const calmMs = 5 * 60_000;

/**
 * The state to report from now on: once at risk, once broken, and kept again after it has looked so for a while, or when nothing is open.
 */
export function tell(
  told: Told,
  seen: { readonly state: Schemas['LevelState']; readonly isOpen: boolean },
  now: Date,
): Told & { readonly event?: LevelEvent } {
  const { state } = seen;
  if (state === 'BROKEN') return told.state === 'BROKEN' ? { state } : { state, event: 'breakQueueLevel' };
  if (state === 'AT_RISK') {
    if (told.state === 'KEPT') return { state, event: 'warnQueueLevel' };
    return { state: told.state };
  }
  if (told.state === 'KEPT') return { state };
  const calmSince = told.calmSince ?? now;
  const isCalm = !seen.isOpen || now.getTime() - calmSince.getTime() >= calmMs;
  return isCalm ? { state, event: 'keepQueueLevel' } : { state: told.state, calmSince };
}
