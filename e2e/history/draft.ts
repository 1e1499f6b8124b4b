import type { FinalItem, Happening, History, Note, Stage, ReadEvent } from './record.ts';

/** A history to change, to see whether the check notices. */
export interface Draft extends History {
  readonly logs: Note[][];
  items: FinalItem[];
  record: Happening[];
  feed: ReadEvent[];
  readonly timelines: Map<number, number[]>;
  readonly counts: Map<number, Record<string, number>>;
  readonly busySlots: Map<number, number>;
}

export function item(history: Draft, id: number, members: Partial<FinalItem>): void {
  history.items = history.items.map((one) => (one.id === id ? { ...one, ...members } : one));
}

export function note(history: Draft, ...notes: Note[]): void {
  history.logs.push(notes);
}

export function forget(history: Draft, which: (one: Note) => boolean): void {
  history.logs.splice(0, Infinity, ...history.logs.map((log) => log.filter((one) => !which(one))));
}

export function replace(history: Draft, by: (one: Note) => Note): void {
  history.logs.splice(0, Infinity, ...history.logs.map((log) => log.map(by)));
}

type Which = (one: Happening) => boolean;

/** Changes events, which stay at the places of their ids. */
export function events(history: Draft, which: Which, members: Partial<Happening>): void {
  const changed = history.record.map((one) => (which(one) ? { ...one, ...members } : one));
  history.record = changed.toSorted((one, other) => one.id - other.id);
}

/** The event that made a version of an item. */
export function change(history: Draft, id: number, version: number, members: Partial<Happening>): void {
  const isChange = ({ itemId, from, to, operation }: Happening) =>
    itemId === id && operation !== 'lateReport' && !(from === 'IN_PROGRESS' && to === 'IN_PROGRESS');
  const made = history.record.filter(isChange)[version];
  events(history, (one) => one === made, members);
}

export function drop(history: Draft, which: Which): void {
  history.record = history.record.filter((one) => !which(one));
}

export function append(history: Draft, event: Omit<Happening, 'id' | 'at'>): void {
  history.record.push({ ...event, id: 100, at: 100_000 });
}

type Loose<T> = { -readonly [M in keyof T]: T[M] };

function restage(history: Draft, members: Partial<Stage>): void {
  (history as Loose<Draft>).stage = { ...history.stage, ...members };
}

export function limit(history: Draft, members: Partial<Stage['queues'][number]>): void {
  restage(history, { queues: history.stage.queues.map((one) => ({ ...one, ...members })) });
}

export function slots(history: Draft, count: number): void {
  restage(history, { devices: history.stage.devices.map((one) => ({ ...one, slots: count })) });
}

export function wanted(history: Draft, members: Partial<Stage['automations'][number]>): void {
  restage(history, { automations: history.stage.automations.map((one) => ({ ...one, ...members })) });
}

export function runAs(history: Draft, runAsUserIds: number[]): void {
  wanted(history, { runAsUserIds });
}
