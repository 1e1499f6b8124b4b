/** What those who took part were told while they worked, what the server put on record, and what was there at the end. */

/** What the holder of an item may say of it. */
export type Says = 'COMPLETE' | 'BUSINESS' | 'SYSTEM' | 'DEFERRED' | 'NEW';

/** What a person may find out about an item in doubt. */
export type Answer = 'DONE' | 'NOT_DONE' | 'PARTLY';

/** A right to an item, as its grant answered it; `by` is the id of the user. */
export interface Grant {
  readonly by: number;
  readonly id: number;
  readonly version: number;
}

/** Something that can be held: `device 3`, `queue 4` or `automation 5`. */
export type Target = `${'device' | 'queue' | 'automation'} ${number}`;

/** A moment, in milliseconds of the clock that all processes and the database share. */
interface Moment {
  readonly target: Target;
  readonly at: number;
}

/** A line in the log of a participant. What it is about to ask is noted too: the answer may never come. */
export type Note =
  | { readonly note: 'creating'; readonly keys: readonly string[] }
  | { readonly note: 'created'; readonly id: number; readonly key: string }
  | (Grant & { readonly note: 'granted'; readonly device?: number; readonly runAs?: number })
  | (Grant & { readonly note: 'kept' | 'passed' })
  | (Grant & { readonly note: 'reporting'; readonly says: Says })
  | (Grant & { readonly note: 'accepted'; readonly says: Says; readonly versionAfter: number })
  | (Grant & { readonly note: 'refused'; readonly says: Says; readonly code: string })
  /** A person is about to hold something, was told that it is held, is about to release it, was told that it is free. */
  | (Moment & { readonly note: 'holding' | 'held' | 'releasing' | 'released' })
  | { readonly note: 'answering'; readonly id: number; readonly version: number; readonly answer: Answer }
  /** A person does something to many items, and was told how many that changed. */
  | { readonly note: 'doing'; readonly by: number; readonly action: string }
  | { readonly note: 'done'; readonly by: number; readonly action: string; readonly changed: number };

export type NoteOf<N extends Note['note']> = Note & { readonly note: N };

/** An item at the end. */
export interface FinalItem {
  readonly id: number;
  readonly queueId: number;
  /** What its producer knows it by. */
  readonly key: string;
  readonly status: string;
  readonly version: number;
  readonly retryCount: number;
}

/** An event, as the database has it; `by` is 0 for the server itself. */
export interface Happening {
  readonly id: number;
  readonly queueId?: number | undefined;
  readonly itemId?: number | undefined;
  readonly operation: string;
  readonly by: number;
  readonly device?: number | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly changes?: Readonly<Record<string, unknown>> | undefined;
  /** When its transaction began, in milliseconds. */
  readonly at: number;
}

/** An event as somebody read it in the feed. */
export interface Told extends Omit<Happening, 'at'> {
  readonly cursor: string;
}

/** What does not change in a history. */
export interface Stage {
  readonly queues: readonly Queue[];
  readonly devices: readonly Device[];
  readonly automations: readonly Automation[];
}

export interface Queue {
  readonly id: number;
  readonly retryLimit: number;
  /** How often an item may lapse in a row; 0 for no limit. */
  readonly lapseLimit: number;
}

export interface Device {
  readonly id: number;
  readonly slots: number;
  readonly labels: readonly string[];
}

export interface Automation {
  readonly id: number;
  readonly queueId: number;
  readonly deviceIds: readonly number[];
  readonly labels: readonly string[];
  readonly runAsUserIds: readonly number[];
}

export interface History {
  readonly stage: Stage;
  /** One log a participant and life, each in its order. */
  readonly logs: readonly (readonly Note[])[];
  readonly items: readonly FinalItem[];
  /** All events in the order of their ids: who waits for another writes later. */
  readonly record: readonly Happening[];
  /** What somebody read in the feed who was killed and went on, in the order of reading. */
  readonly feed: readonly Told[];
  /** Ids of the events that the operation for it answers for each item that is there. */
  readonly timelines: ReadonlyMap<number, readonly number[]>;
  /** Items by status, as each queue counts them. */
  readonly counts: ReadonlyMap<number, Readonly<Record<string, number>>>;
  /** Slots that each device is said to use at the end. */
  readonly busySlots: ReadonlyMap<number, number>;
}

/** The notes of these kinds, of all participants. */
export function notesOf<N extends Note['note']>({ logs }: Pick<History, 'logs'>, ...kinds: N[]): NoteOf<N>[] {
  return logs.flat().filter((one): one is NoteOf<N> => (kinds as string[]).includes(one.note));
}
