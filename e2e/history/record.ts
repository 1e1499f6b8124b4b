/** What the clients of a server were told while they worked, and what was there at the end. */

/** What a consumer may say of its item. */
export type Says = 'COMPLETE' | 'BUSINESS' | 'SYSTEM' | 'DEFERRED';

/** A right to an item, as a claim answered it; `by` is the id of the user. */
export interface Grant {
  readonly by: number;
  readonly id: number;
  readonly version: number;
}

/** A line in the log of a client. What it is about to ask is noted too: the answer may never come. */
export type Note =
  | { readonly note: 'creating'; readonly keys: readonly string[] }
  | { readonly note: 'created'; readonly id: number; readonly key: string }
  | (Grant & { readonly note: 'granted' })
  | (Grant & { readonly note: 'kept' })
  | (Grant & { readonly note: 'reporting'; readonly says: Says })
  | (Grant & { readonly note: 'accepted'; readonly says: Says; readonly versionAfter: number })
  | (Grant & { readonly note: 'refused'; readonly says: Says; readonly code: string });

export type NoteOf<N extends Note['note']> = Extract<Note, { readonly note: N }>;

/** An item at the end. */
export interface FinalItem {
  readonly id: number;
  /** What its producer knows it by. */
  readonly key: string;
  readonly status: string;
  readonly version: number;
  readonly retryCount: number;
}

/** A line in the timeline of an item; `by` is 0 for the server itself. */
export interface Happening {
  readonly operation: string;
  readonly by: number;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

export interface History {
  readonly retryLimit: number;
  /** One log a client process, each in the order of its life. */
  readonly logs: readonly (readonly Note[])[];
  readonly items: readonly FinalItem[];
  /** By the id of the item, oldest first. */
  readonly timelines: ReadonlyMap<number, readonly Happening[]>;
  /** Items by status, as the queue counts them. */
  readonly counts: Readonly<Record<string, number>>;
  /** Items that consumers have brought to an end, as the queue counts them. */
  readonly finished: { readonly complete: number; readonly failed: number };
}

/** The notes of one kind, of all clients. */
export function notesOf<N extends Note['note']>({ logs }: History, ...kinds: N[]): NoteOf<N>[] {
  return logs.flat().filter((one): one is NoteOf<N> => (kinds as string[]).includes(one.note));
}
