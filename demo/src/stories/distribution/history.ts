import type { Id } from '@millrace/api';
import type { Event } from './feed.ts';
import type { Span } from './spans.ts';

/** An item on a device, from its start to its end; without an end while it lasts. */
export interface Stint {
  readonly queueId: Id;
  readonly itemId: Id;
  readonly deviceId: Id;
  readonly from: number;
  readonly to?: number;
  /** The status that the item had then. */
  readonly outcome?: Event['to'];
  /** The time from which it cannot be undone. */
  readonly pointOfNoReturnOn?: number;
}

/** An item that waits to be begun; without an end while it lasts. */
export interface Wait {
  readonly queueId: Id;
  readonly itemId: Id;
  readonly from: number;
  readonly to?: number;
}

/** The history of items, devices and queues, from the events. */
export interface History {
  readonly stints: readonly Stint[];
  readonly waits: readonly Wait[];
  /** The pauses of queues. */
  readonly pauses: readonly (Partial<Span> & { readonly queueId: Id; readonly from: number })[];
  /** The quarantines of devices, with their times. */
  readonly quarantines: readonly { readonly deviceId: Id; readonly on: number }[];
}

type Mutable<T> = { -readonly [Name in keyof T]: T[Name] };

/** Reads events in their order. */
export function historyOf(events: readonly Event[]): History {
  const stints: Mutable<Stint>[] = [];
  const waits: Mutable<Wait>[] = [];
  const pauses: Mutable<History['pauses'][number]>[] = [];
  const quarantines: Mutable<History['quarantines'][number]>[] = [];
  for (const event of events) {
    const on = Date.parse(event.on);
    noteItem(stints, waits, event, on);
    notePause(pauses, event, on);
    if (event.operation === 'quarantineDevice' && event.itemId === undefined && event.deviceId !== undefined)
      quarantines.push({ deviceId: event.deviceId, on });
  }
  return { stints, waits, pauses, quarantines };
}

function noteItem(stints: Mutable<Stint>[], waits: Mutable<Wait>[], event: Event, on: number): void {
  const { queueId, itemId, deviceId, from, to } = event;
  if (queueId === undefined || itemId === undefined) return;
  const ofItem = (one: Stint | Wait) =>
    one.itemId === itemId && one.queueId === queueId && one.to === undefined;
  if (from === 'IN_PROGRESS' && to === 'IN_PROGRESS')
    return notePointOfNoReturn(stints.find(ofItem), event, on);
  if (from === to) return;
  const stint = from === 'IN_PROGRESS' ? stints.find(ofItem) : undefined;
  if (stint) Object.assign(stint, { to: on, outcome: to });
  const wait = from === 'NEW' ? waits.find(ofItem) : undefined;
  if (wait) wait.to = on;
  if (to === 'NEW') waits.push({ queueId, itemId, from: on });
  if (to === 'IN_PROGRESS' && deviceId !== undefined) stints.push({ queueId, itemId, deviceId, from: on });
}

function notePointOfNoReturn(stint: Mutable<Stint> | undefined, { changes }: Event, on: number): void {
  if (stint && changes?.['pointOfNoReturnOn'] !== undefined) stint.pointOfNoReturnOn = on;
}

function notePause(pauses: Mutable<History['pauses'][number]>[], event: Event, on: number): void {
  const { operation, queueId } = event;
  if (queueId === undefined) return;
  if (operation === 'pauseQueue') pauses.push({ queueId, from: on });
  const open = pauses.find((pause) => pause.queueId === queueId && pause.to === undefined);
  if (operation === 'resumeQueue' && open) open.to = on;
}
