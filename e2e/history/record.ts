/** The answers that participants got, the events that the server recorded, and the state at the end. */

/** The outcomes that a holder may report. */
export type Says = 'COMPLETE' | 'BUSINESS' | 'SYSTEM' | 'DEFERRED' | 'NEW';

/** The findings of a person about an item in doubt. */
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

/** A line in the log of a participant. Calls are noted beforehand as well: the answer may never come. */
export type Note =
  | { readonly note: 'creating'; readonly keys: readonly string[] }
  | { readonly note: 'created'; readonly id: number; readonly key: string }
  /** A file is about to be sent, with a row for each key; all of it was acknowledged. */
  | { readonly note: 'uploading' | 'uploaded'; readonly keys: readonly string[] }
  | (Grant & { readonly note: 'granted'; readonly device?: number; readonly runAs?: number })
  | (Grant & { readonly note: 'kept' | 'passed' })
  | (Grant & { readonly note: 'reporting'; readonly says: Says })
  | (Grant & { readonly note: 'accepted'; readonly says: Says; readonly versionAfter: number })
  | (Grant & { readonly note: 'refused'; readonly says: Says; readonly code: string })
  /** A person is about to hold something, was told that it is held, is about to release it, was told that it is free. */
  | (Moment & { readonly note: 'holding' | 'held' | 'releasing' | 'released' })
  | { readonly note: 'answering'; readonly id: number; readonly version: number; readonly answer: Answer }
  /** Somebody called an operation without the right to, and was refused, or let. */
  | { readonly note: 'denied' | 'let'; readonly by: number; readonly operation: string }
  /** A person does something to many items, and was told how many that changed. */
  | { readonly note: 'doing'; readonly by: number; readonly action: string }
  | { readonly note: 'done'; readonly by: number; readonly action: string; readonly changed: number };

export type NoteOf<N extends Note['note']> = Note & { readonly note: N };

/** An item at the end. */
export interface FinalItem {
  readonly id: number;
  readonly queueId: number;
  /** The key by which its producer knows it. */
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

/** An event as read in the feed. */
export interface ReadEvent extends Omit<Happening, 'at'> {
  readonly cursor: string;
}

/** The parts of a history that do not change. */
export interface Stage {
  readonly queues: readonly Queue[];
  readonly devices: readonly Device[];
  readonly automations: readonly Automation[];
  /** Users who belong to no queue. */
  readonly strangerIds: readonly number[];
}

export interface Queue {
  readonly id: number;
  readonly retryLimit: number;
  /** The number of times in a row that its lease may expire; 0 for no limit. */
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
  /** One log for each participant and life, each in its order. */
  readonly logs: readonly (readonly Note[])[];
  readonly items: readonly FinalItem[];
  /** All events in the order of their ids: a writer that waits for another writes later. */
  readonly record: readonly Happening[];
  /** The events that a reader, killed on the way and started again, read in the feed, in its order. */
  readonly feed: readonly ReadEvent[];
  /** The ids of the events in the timeline of each existing item, as its operation answers them. */
  readonly timelines: ReadonlyMap<number, readonly number[]>;
  /** The numbers of items by status, as each queue counts them. */
  readonly counts: ReadonlyMap<number, Readonly<Record<string, number>>>;
  /** The slots in use on each device at the end, as the server tells. */
  readonly busySlots: ReadonlyMap<number, number>;
}

/** The notes of these kinds, of all participants. */
export function notesOf<N extends Note['note']>({ logs }: Pick<History, 'logs'>, ...kinds: N[]): NoteOf<N>[] {
  return logs.flat().filter((one): one is NoteOf<N> => (kinds as string[]).includes(one.note));
}
