import { fromAbsolute, toCalendarDate, type CalendarDate } from '@internationalized/date';
import type { Schemas } from '@millrace/api';
import { count, span } from '../why/words.ts';
import type { Outlook, Promised } from './forecast.rules.ts';

/** The facts of the sentence about the end of a queue. */
export interface Said {
  readonly now: number;
  readonly timeZone: string;
  readonly code: Schemas['QueueForecast']['code'];
  readonly open: number;
  readonly endOn: number | undefined;
  readonly promised: Promised | undefined;
  readonly level: Outlook | undefined;
  /** Items that come in, per minute; `rate` is the number that can be done. */
  readonly arriving: number;
  readonly rate: number | undefined;
}

/** The forecast in words: the end of the queue and the outlook for its service level, the most urgent first. */
export function forecastSentence(said: Said): string {
  const parts = [...late(said), ...missed(said), ...end(said), ...more(said)];
  const times = parts.some((part) => /\d\d:\d\d/.test(part)) ? ` Times are of ${said.timeZone}.` : '';
  return `${parts.join(' ')}${times}`;
}

function late({ level, promised }: Said): string[] {
  if (!level || level.late === 0) return [];
  const isOne = level.late === 1;
  const longest = promised?.longestWaitMinutes;
  if (longest !== undefined)
    return [`${count(level.late, 'item')} ${isOne ? 'waits' : 'wait'} longer than ${waitOf(longest)}.`];
  const are = isOne ? 'is over the time by which it was' : 'are over the time by which they were';
  return [`${count(level.late, 'item')} ${are} due.`];
}

/** Two more devices from 14:00, or 312 items miss 17:00. */
function missed(said: Said): string[] {
  const { level, now } = said;
  if (!level?.misses || level.dueOn === undefined) return [];
  const what = missing(said, { misses: level.misses, dueOn: level.dueOn, isMore: level.late > 0 });
  if (!level.more) return [`${what}: more devices would come too late.`];
  const { devices, fromOn } = level.more;
  const from = fromOn - now < 60_000 ? 'now' : `from ${clock(fromOn, said)}`;
  return [`${count(devices, 'more device')} ${from}, or ${what}.`];
}

interface Missed {
  readonly misses: number;
  readonly dueOn: number;
  /** Whether other items are late already. */
  readonly isMore: boolean;
}

function missing(said: Said, { misses, dueOn, isMore }: Missed): string {
  const isOne = misses === 1;
  const items = count(misses, isMore ? 'more item' : 'item');
  const longest = said.promised?.longestWaitMinutes;
  if (longest === undefined) return `${items} ${isOne ? 'misses' : 'miss'} ${clock(dueOn, said)}`;
  const first = isOne ? 'at' : 'the first at';
  return `${items} ${isOne ? 'waits' : 'wait'} longer than ${waitOf(longest)}, ${first} ${clock(dueOn, said)}`;
}

const unknown = {
  ARCHIVED: 'the queue is archived',
  PAUSED: 'the queue is paused, and nobody said until when',
  NOT_MEASURED: 'nothing was finished in the last thirty days, so that nobody knows how long an item takes',
  NOBODY_WORKS: 'nobody works on it, and no device that could is connected',
} as const;

function end(said: Said): string[] {
  const { code, endOn, open } = said;
  if (code === 'DONE') return ['Nothing is open.'];
  if (code !== 'ENDS')
    return [`When the queue is done cannot be known: ${unknown[code]}.`, ...nextDue(said, code)];
  if (endOn === undefined) return [];
  const who = open === 1 ? 'The only open item is' : `The last of ${count(open, 'open item')} is`;
  const left = span(Math.max(0, (endOn - said.now) / 1000));
  return [`${who} done at about ${clock(endOn, said)}, in ${left}.`];
}

/** The prospects of the next due item under present conditions. */
const prospects = {
  ARCHIVED: '',
  PAUSED: ', and late unless somebody resumes the queue before',
  NOT_MEASURED: '; whether it will be in time nobody knows',
  NOBODY_WORKS: ', and late unless somebody works on it, or connects a device that can, before',
} as const;

function nextDue(said: Said, code: keyof typeof prospects): string[] {
  const { level } = said;
  if (level?.nextDueOn === undefined) return [];
  return [`Its next item is due at ${clock(level.nextDueOn, said)}${prospects[code]}.`];
}

/** A sentence where the line grows, as the forecast leaves out items that are still to come. */
function more({ arriving, rate, code }: Said): string[] {
  if (code !== 'ENDS' || rate === undefined || arriving <= rate) return [];
  const [comes, goes] = [arriving, rate].map((number) => String(Math.round(number * 10) / 10));
  return [`In the last 15 minutes more came in than can be done: ${comes} a minute, against ${goes}.`];
}

/** A time of day by the clock of the zone, with its date unless that is today. */
function clock(at: number, { now, timeZone }: Said): string {
  const isToday = dayAt(at, timeZone).compare(dayAt(now, timeZone)) === 0;
  const day = isToday ? {} : ({ weekday: 'short', day: 'numeric', month: 'short' } as const);
  const format = new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', minute: '2-digit', ...day });
  return format.format(at).replace(',', '');
}

/** `4 hours`, `90 minutes`. */
function waitOf(minutes: number): string {
  return minutes % 60 === 0 ? count(minutes / 60, 'hour') : count(minutes, 'minute');
}

interface Saved {
  readonly complete: number;
  readonly hours?: Schemas['QueueSavings']['hours'] | undefined;
  readonly money?: Schemas['QueueSavings']['money'] | undefined;
}

/** The savings in words. */
export function savingsSentence({ hours, money, complete }: Saved): string {
  if (!hours)
    return 'What is saved cannot be said: the settings of the queue do not say how long a person needs for an item.';
  if (complete === 0 && hours.saved === 0) return 'Nothing was finished.';
  const amount = money ? `, ${money.currency} ${amountOf(money.saved)}` : '';
  const number = Math.abs(hours.saved).toLocaleString('en-US', { maximumFractionDigits: 1 });
  if (hours.saved < 0) return `It took ${number} hours more than it saved${amount}.`;
  return `${number} ${number === '1' ? 'hour was' : 'hours were'} saved${amount}.`;
}

function amountOf(money: number): string {
  return money.toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 });
}

/** The day in calendars of the zone at an instant. */
function dayAt(at: number, timeZone: string): CalendarDate {
  return toCalendarDate(fromAbsolute(at, timeZone));
}
