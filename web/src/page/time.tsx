import { useEffect, useState } from 'react';
import { locale } from '../messages/region.ts';
import { timeZone } from '../store/preferences.ts';
import { createStore, useStore } from '../store/store.ts';
import { m } from './messages.ts';
import { instantIn } from './zones.ts';

const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto', style: 'short' });
const units = [
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
  ['second', 1],
] as const;

/** One clock for all times on the page, which go on without events. */
const minute = createStore(0);
let isHeld = false;
const tick = () => minute.set(minute.get() + 1);
setInterval(() => isHeld || tick(), 60_000);

/** Holds the times on the page as they are, or lets them go on. */
export function holdTimes(held: boolean): void {
  isHeld = held;
  if (!held) tick();
}

/** A relative time, with the exact one at hand. */
export function Time({ on }: { readonly on: string | undefined }) {
  useStore(timeZone);
  useStore(minute);
  if (on === undefined) return undefined;
  return (
    <time dateTime={on} title={exactly(on)}>
      {ago(new Date(on), new Date())}
    </time>
  );
}

function ago(then: Date, now: Date): string {
  const seconds = (then.getTime() - now.getTime()) / 1000;
  const [unit, size] = units.find(([, length]) => Math.abs(seconds) >= length) ?? ['second', 1];
  return relative.format(Math.round(seconds / size), unit);
}

/** The exact time in the chosen zone, with the zone. */
export function exactly(on: string): string {
  return formatted(on, 'exactly');
}

/** The day and the minute, in the chosen zone. */
export function momentOf(on: string): string {
  return formatted(on, 'moment');
}

/** The time of day, in the chosen zone. */
export function clockTime(on: string): string {
  return formatted(on, 'clock');
}

/** The day, in the chosen zone: the same text for all times of a day. */
export function dayOf(on: string): string {
  return formatted(on, 'day');
}

const styles = {
  exactly: { dateStyle: 'medium', timeStyle: 'long' },
  moment: { dateStyle: 'medium', timeStyle: 'short' },
  clock: { timeStyle: 'medium', hour12: false },
  day: { dateStyle: 'full' },
} as const;

const formats = new Map<string, Intl.DateTimeFormat>();

function formatted(on: string, style: keyof typeof styles): string {
  const zone = timeZone.get();
  const chosen = zone === '' ? {} : { timeZone: zone };
  const key = `${style} ${zone}`;
  const format = formats.get(key) ?? new Intl.DateTimeFormat(locale, { ...styles[style], ...chosen });
  formats.set(key, format);
  return format.format(new Date(on));
}

/** The instant of a typed local time, in the chosen zone. */
export function instantOf(local: string): string {
  return instantIn(local, timeZone.get()).toISOString();
}

/** The zone in which a time is typed, where it is not the browser's. */
export function ZoneHint() {
  const zone = useStore(timeZone);
  return zone === '' ? undefined : <small>{m.page.inZone(zone)}</small>;
}

/** The time that is left until a moment, going down by the second. */
export function Remaining({ until }: { readonly until: string }) {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => isHeld || setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return (
    <time dateTime={until} title={exactly(until)}>
      {duration(Math.max(0, (Date.parse(until) - now) / 1000))}
    </time>
  );
}

/** A length of time in its two largest units, such as `2 h 5 min`. */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  if (whole < 86_400) return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
  return `${Math.floor(whole / 86_400)} d ${Math.floor((whole % 86_400) / 3600)} h`;
}
