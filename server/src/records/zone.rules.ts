/** Clocks of time zones, by the data of the runtime. */
import { remembering } from './remembering.rules.ts';

/** The reading of a clock: the day, the time with milliseconds, and the offset from UTC. */
interface WallTime {
  /** Such as 2026-03-01. */
  readonly day: string;
  /** Such as 09:30:00, with milliseconds if there are any. */
  readonly time: string;
  /** Such as +01:00. */
  readonly offset: string;
}

/** The reading of clocks in the zone at an instant. */
export function wallTime(timeZone: string, at: number): WallTime {
  const ahead = offsetAt(timeZone, at);
  const [day = '', time = ''] = new Date(at + ahead).toISOString().slice(0, -1).split('T');
  const minutes = Math.round(Math.abs(ahead) / 60_000);
  const padded = (number: number) => String(number).padStart(2, '0');
  const offset = `${ahead < 0 ? '-' : '+'}${padded(Math.floor(minutes / 60))}:${padded(minutes % 60)}`;
  return { day, time: time.replace(/\.000$/, ''), offset };
}

const offsets = new Map<string, number>();
const hourMs = 3_600_000;

/** Milliseconds by which clocks of the zone are ahead of UTC. */
export function offsetAt(timeZone: string, at: number): number {
  if (timeZone === 'UTC') return 0;
  const hour = Math.floor(at / (hourMs / 4));
  const key = `${timeZone} ${hour}`;
  const known = offsets.get(key);
  if (known !== undefined) return known;
  const parts = formatOf(timeZone).formatToParts(hour * (hourMs / 4));
  const of = (type: string) => Number(parts.find((part) => part.type === type)?.value);
  const shown = Date.UTC(of('year'), of('month') - 1, of('day'), of('hour'), of('minute'), of('second'));
  if (offsets.size > 10_000) offsets.clear();
  offsets.set(key, shown - hour * (hourMs / 4));
  return shown - hour * (hourMs / 4);
}

const formatOf = remembering((timeZone) => {
  const numeric = 'numeric' as const;
  const fields = {
    year: numeric,
    month: numeric,
    day: numeric,
    hour: numeric,
    minute: numeric,
    second: numeric,
  };
  return new Intl.DateTimeFormat('en-US', { timeZone, hourCycle: 'h23', ...fields });
}, 100);

/** The reason why a time zone is invalid. */
export function timeZoneProblem(timeZone: string): string | undefined {
  try {
    formatOf(timeZone);
    return undefined;
  } catch {
    return `is no time zone: "${timeZone}". It is one such as UTC or Europe/Berlin`;
  }
}
