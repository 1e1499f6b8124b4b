import type { ClientOptions, Id } from '@millrace/api';
import type { Emit } from './events.ts';

/** The queue of a runner, and how much work it takes. */
export interface RunOptions extends ClientOptions {
  /** Name or id of the queue. */
  readonly queue: Id | string;
  /** Items worked on at once; 1 when left out. */
  readonly slots?: number | undefined;
  /** The time an item stays with a dead runner, from 1 to 86400; 60 when left out. Heartbeats go out three times as often. */
  readonly leaseSeconds?: number | undefined;
  /** The time to wait, when told to stop, for running items and unsent reports; 60 when left out. */
  readonly drainSeconds?: number | undefined;
  /** Recorded with the items. */
  readonly deviceId?: Id | undefined;
  /** The largest output of an item, as JSON; 1,000,000 when left out. */
  readonly maxOutputBytes?: number | undefined;
  /**
   * Aborted to stop in good order: no more claims, running items end, reports are sent. Without it the runner listens for SIGTERM
   * and SIGINT.
   */
  readonly signal?: AbortSignal | undefined;
  /** Aborted to stop at once. */
  readonly killSignal?: AbortSignal | undefined;
  /** Called with each event; without it, events that matter to people are written to stderr. */
  readonly onEvent?: Emit | undefined;
}

/** The amount of a runner's work at once, and its time limits. */
export interface WorkSettings {
  readonly slots: number;
  readonly leaseSeconds: number;
  readonly drainSeconds: number;
  readonly maxOutputBytes: number;
}

export interface Settings extends WorkSettings {
  readonly queue: Id | string;
  readonly deviceId: Id | undefined;
}

/** @throws RangeError that names the option. */
export function settingsOf(options: RunOptions): Settings {
  const settings = {
    queue: options.queue,
    slots: options.slots ?? 1,
    leaseSeconds: options.leaseSeconds ?? 60,
    drainSeconds: options.drainSeconds ?? 60,
    maxOutputBytes: options.maxOutputBytes ?? 1_000_000,
    deviceId: options.deviceId,
  };
  if (settings.queue === '') throw new RangeError('queue is empty; give the name or the id of a queue.');
  if (!Number.isInteger(settings.slots)) throw new RangeError('slots must be a whole number.');
  checkRange('slots', settings.slots, 1, 1000);
  checkRange('leaseSeconds', settings.leaseSeconds, 1, 86_400);
  checkRange('drainSeconds', settings.drainSeconds, 0, 86_400);
  checkRange('maxOutputBytes', settings.maxOutputBytes, 2, 1_000_000);
  return settings;
}

/** @throws RangeError that names the option. */
export function checkRange(name: string, value: number, least: number, most: number): void {
  if (value >= least && value <= most) return;
  throw new RangeError(`${name} is ${String(value)}; it must be from ${String(least)} to ${String(most)}.`);
}
