/** A message of a stream, as the contract has it: where the stream goes on behind it, and what kind of message it is. */
interface StreamMessage {
  readonly cursor: string;
  readonly operation: string;
}

/** What a reader is told beside the messages and that is not on record: it has no place in the stream, and is not told again. */
export interface Aside {
  readonly kind: string;
  readonly data: object;
}

/** The next part of a stream. */
export interface StreamPart {
  readonly list: readonly StreamMessage[];
  /** How things are that are under way; each is told when it has changed. */
  readonly asides?: readonly Aside[];
  /** Where the next part begins. */
  readonly cursor: string;
  /** Whether there is more to read at once. */
  readonly isMore: boolean;
  /** Whether there are events that must wait, because an older transaction is under way. */
  readonly isBehind: boolean;
  /** For how long at least nothing further is read. */
  readonly restMs?: number;
}
