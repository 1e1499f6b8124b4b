import { Refusal } from '../engine/errors.ts';
import type { Promised } from './forecast.rules.ts';
import { after, dueAfter, mostDays, timetableOf, type Calendar } from './timetable.rules.ts';

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
