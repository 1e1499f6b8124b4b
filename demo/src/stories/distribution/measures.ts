import type { Id } from '@millrace/api';
import type { History, Stint, Wait } from './history.ts';
import { lengthOf, overlap, union, without, type Span } from './spans.ts';

/** A queue, and its part of the devices when all have work. */
export interface Weighted {
  readonly queueId: Id;
  readonly weight: number;
}

/** The share of a queue in the device time while all queues had work waiting: the actual one, and the one due by weight. */
export interface Share {
  readonly queueId: Id;
  readonly got: number;
  readonly due: number;
}

/** The times in which every queue had an item that could have begun. */
export function contestedSpans(history: History, queueIds: readonly Id[], now: number): Span[] {
  const [first = [], ...others] = queueIds.map((queueId) => openSpans(history, queueId, now));
  return others.reduce<Span[]>(overlap, first);
}

/** The share of device time that each queue got in these spans. */
export function sharesIn(
  spans: readonly Span[],
  { stints }: History,
  queues: readonly Weighted[],
  now: number,
): Share[] {
  const times = queues.map(({ queueId }) => {
    const own = stints.filter((stint) => stint.queueId === queueId);
    // Stints of different devices lie beside each other: their lengths are added one by one.
    return sum(own.map((stint) => lengthOf(overlap([closed(stint, now)], spans))));
  });
  const [time, weight] = [sum(times), sum(queues.map((queue) => queue.weight))];
  return queues.map((queue, index) => ({
    queueId: queue.queueId,
    got: time === 0 ? 0 : (times[index] ?? 0) / time,
    due: queue.weight / weight,
  }));
}

/** The time until which a device could work at all: until it was killed or taken out of use, else until now. */
export function inUseUntil(
  { quarantines }: History,
  killed: ReadonlyMap<Id, number>,
  deviceId: Id,
  now: number,
): number {
  const quarantined = quarantines.find((one) => one.deviceId === deviceId)?.on;
  return Math.min(now, killed.get(deviceId) ?? now, quarantined ?? now);
}

/** The share of work in a device's time, from its first item for as long as it was in use. */
export function busyShare(history: History, deviceId: Id, until: number): number {
  const spans = busySpans(history, deviceId, until);
  const [first] = spans;
  if (!first || first.from >= until) return 0;
  return lengthOf(overlap(spans, [{ from: first.from, to: until }])) / (until - first.from);
}

/** The times in which the device was at work. */
function busySpans({ stints }: History, deviceId: Id, now: number): Span[] {
  return union(stints.filter((stint) => stint.deviceId === deviceId).map((stint) => closed(stint, now)));
}

/**
 * The longest time that one of the devices stood idle while one of the queues had an item that it could have begun, in milliseconds.
 * @param inUse the time until which each device could work, before it was killed or taken out of use
 */
export function longestIdle(
  history: History,
  queueIds: readonly Id[],
  inUse: ReadonlyMap<Id, number>,
  now: number,
): number {
  const work = union(queueIds.flatMap((queueId) => openSpans(history, queueId, now)));
  const idle = [...inUse].flatMap(([deviceId, to]) => {
    const present = overlap(work, [{ from: -Infinity, to }]);
    return without(present, busySpans(history, deviceId, now));
  });
  return Math.max(0, ...idle.map(({ from, to }) => to - from));
}

/** The times in which the queue had an item that could have begun: one that waits, while the queue is not paused. */
function openSpans({ waits, pauses }: History, queueId: Id, now: number): Span[] {
  const ofQueue = (one: { queueId: Id }) => one.queueId === queueId;
  const waiting = waits.filter(ofQueue).map((wait) => closed(wait, now));
  return without(
    union(waiting),
    pauses.filter(ofQueue).map((pause) => closed(pause, now)),
  );
}

function closed({ from, to }: Pick<Stint | Wait, 'from' | 'to'>, now: number): Span {
  return { from, to: to ?? now };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
