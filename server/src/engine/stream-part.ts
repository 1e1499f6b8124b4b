/** A message of a stream, as in the contract: the place from which the stream goes on after it, and its kind. */
interface StreamMessage {
  readonly cursor: string;
  readonly operation: string;
}

/** News for a reader beside the messages, not recorded: it has no place in the stream, and is not repeated. */
export interface Aside {
  readonly kind: string;
  readonly data: object;
}

/** The next part of a stream. */
export interface StreamPart {
  readonly list: readonly StreamMessage[];
  /** The state of work under way; each piece is sent when it has changed. */
  readonly asides?: readonly Aside[];
  /** The start of the next part. */
  readonly cursor: string;
  /** Whether more can be read at once. */
  readonly isMore: boolean;
  /** Whether events have to wait because an older transaction is under way. */
  readonly isBehind: boolean;
  /** The least time in milliseconds until the next read. */
  readonly restMs?: number;
}
