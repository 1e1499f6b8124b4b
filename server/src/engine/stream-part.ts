/** A message of a stream, as the contract has it: where the stream goes on behind it, and what kind of message it is. */
interface StreamMessage {
  readonly cursor: string;
  readonly operation: string;
}

/** The next part of a stream. */
export interface StreamPart {
  readonly list: readonly StreamMessage[];
  /** Where the next part begins. */
  readonly cursor: string;
  /** Whether there is more to read at once. */
  readonly isMore: boolean;
  /** Whether there are events that must wait, because an older transaction is under way. */
  readonly isBehind: boolean;
  /** For how long at least nothing further is read. */
  readonly restMs?: number;
}
