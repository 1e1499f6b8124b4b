/** Throw it when the item cannot be done for reasons of its own, such as an amount above a limit: it is not tried again. */
export class BusinessError extends Error {
  override readonly name = 'BusinessError';
}

/** Throw it to put the item aside: until a time, or for ever when there is none. */
export class Defer extends Error {
  override readonly name = 'Defer';
  readonly until: Date | undefined;
  constructor(until?: Date, reason = '') {
    super(reason);
    this.until = until;
  }
}

/** Throw it to return the item untried: it keeps its place in the queue, and the attempt does not count. */
export class GiveBack extends Error {
  override readonly name = 'GiveBack';
}

/** Throw it when no item can be done here, such as a missing program: the runner stops, and the item comes back untried. */
export class RunnerFault extends Error {
  override readonly name = 'RunnerFault';
}

/** The reason why a handler's signal is aborted: the item belongs to somebody else now, and its report would be refused. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** The reason why a handler's signal is aborted: the runner stops and did not wait any longer. */
export class RunnerStopped extends Error {
  override readonly name = 'RunnerStopped';
  /** Whether there is no time left to end in good order. */
  readonly isUrgent: boolean;
  constructor(isUrgent: boolean) {
    super(
      isUrgent ? 'the runner was told to stop at once' : 'the runner stops, and the time to drain is over',
    );
    this.isUrgent = isUrgent;
  }
}

/**
 * The reason why a handler's signal is aborted: a person has asked for it. An error that the handler then throws fails the item for good.
 */
export class Cancelled extends Error {
  override readonly name = 'Cancelled';
}
