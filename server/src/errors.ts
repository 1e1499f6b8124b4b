import type { Id, Schemas } from '@millrace/api';

/** Each kind of refusal has a stable code for programs and an HTTP status. */
const statusByCode = {
  INVALID_REQUEST: 400,
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  NAME_TAKEN: 409,
  IN_USE: 409,
  VERSION_CONFLICT: 409,
  STATUS_CONFLICT: 409,
  LATE_REPORT: 409,
  LEASE_LOST: 409,
  DUPLICATE: 409,
  TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  TOO_MANY_REQUESTS: 429,
  FAILURE: 500,
  UNAVAILABLE: 503,
} as const;

export type ErrorCode = keyof typeof statusByCode;
export type ErrorDetail = Schemas['ErrorDetail'];

/** A request that is not granted, for a reason that the caller may read. */
export class Refusal extends Error {
  readonly code: ErrorCode;
  readonly details: ErrorDetail[] | undefined;
  /** Seconds after which trying again makes sense. */
  readonly retryAfter: number | undefined;

  constructor(code: ErrorCode, message: string, more: { details?: ErrorDetail[]; retryAfter?: number } = {}) {
    super(message);
    this.code = code;
    this.details = more.details;
    this.retryAfter = more.retryAfter;
  }

  get status(): number {
    return statusByCode[this.code];
  }

  /** The error as the contract words it. */
  toJSON(): Schemas['Error'] {
    const { code, message, details } = this;
    return details ? { code, message, details } : { code, message };
  }
}

/** A thing that is changed by version, as it is stored or as somebody sends it. */
interface Versioned {
  readonly id?: Id | undefined;
  readonly version: number;
}

/**
 * Refuses a change to another thing, or to another version of it, than there is.
 * @param what its name in the sentence, such as `pool`.
 */
export function refuseStale(what: string, current: Required<Versioned>, sent: Versioned): void {
  const { id, version } = current;
  if (sent.id !== undefined && sent.id !== id) {
    throw new Refusal(
      'INVALID_REQUEST',
      `The body is about ${what} ${sent.id}, the path about ${what} ${id}.`,
    );
  }
  if (sent.version === version) return;
  throw new Refusal(
    'VERSION_CONFLICT',
    `The ${what} ${id} is at version ${version} by now, not ${sent.version}. Read it again, then repeat the change.`,
  );
}

const outOfStep = () =>
  new Refusal(
    'STATUS_CONFLICT',
    'This does not go with the state that the item is in. Read it again, then repeat the change.',
  );

// Whoever names a thing has seen it before. What can break a reference is that somebody deletes it, or refers to it, just now.
const goneMeanwhile = () =>
  new Refusal(
    'STATUS_CONFLICT',
    'Something that belongs to this was deleted or bound at the same time. Read it again, then repeat the change.',
  );

/** What breaking a named constraint of the database means to a caller. */
const refusalByConstraint: Record<string, () => Refusal> = {
  users_username_unique: () => new Refusal('NAME_TAKEN', 'This user name is taken. Choose another.'),
  roles_name_unique: () =>
    new Refusal('NAME_TAKEN', 'A role of this name exists already. Choose another name.'),
  work_item_models_name_unique: () =>
    new Refusal('NAME_TAKEN', 'A work item model of this name exists already. Choose another name.'),
  queues_name_unique: () =>
    new Refusal('NAME_TAKEN', 'A queue of this name exists already. Choose another name.'),
  pools_name_unique: () =>
    new Refusal('NAME_TAKEN', 'A pool of this name exists already. Choose another name.'),
  automations_name_unique: () =>
    new Refusal('NAME_TAKEN', 'An automation of this name exists already. Choose another name.'),
  work_items_lease: outOfStep,
  work_items_outcome: outOfStep,
  work_items_point_of_no_return: outOfStep,
  work_items_cancellation: outOfStep,
};

const overtaken = { message: 'Other changes got in the way of this one. Try again.', seconds: 1 };

/** Errors of the database that pass by themselves, after so many seconds. */
const waitByCode: Record<string, { message: string; seconds: number }> = {
  '40001': overtaken,
  '40P01': overtaken,
  '55P03': { message: 'Another change holds what this one needs. Try again.', seconds: 1 },
  '53100': {
    message: 'The disk of the database is full. Try again when its operator has made room.',
    seconds: 60,
  },
  '53200': { message: 'The database is short of memory. Try again, or ask for less at a time.', seconds: 5 },
  '57014': {
    message: 'This took the database too long. Ask for less at a time; where there is a filter, narrow it.',
    seconds: 5,
  },
};

interface DatabaseError extends Error {
  code?: string;
  constraint?: string;
}

/** Whether running the same transaction again may succeed: it lost against another one and changed nothing. */
export function isTransient(error: unknown): boolean {
  return ['40001', '40P01'].includes((error as DatabaseError).code ?? '');
}

/** The connection broke behind a commit: the transaction is on disk whole, or not at all. */
export class CommitUnanswered extends Error {
  constructor(cause: Error) {
    super(`the connection broke before the commit was answered: ${cause.message}`, { cause });
  }
}

/**
 * Whether the database is there and has kept nothing of a transaction that failed so: parts of its work may be tried
 * alone. After a commit without an answer they might be done twice.
 */
export function isUndone(error: unknown): boolean {
  return !(error instanceof CommitUnanswered) && !isConnectionFailure(error as DatabaseError);
}

/**
 * What the caller is told of an error. Errors that are nobody's but ours become a FAILURE without internals; the
 * caller of this function logs them.
 */
export function toRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  const { code, constraint, message } = error as DatabaseError;
  if (error instanceof CommitUnanswered) return connectionBroke();
  const known = constraint && refusalByConstraint[constraint];
  if (known) return known();
  if (code === '23503') return goneMeanwhile();
  if (isConnectionFailure(error as DatabaseError)) return connectionBroke();
  const wait = code === undefined ? undefined : waitByCode[code];
  if (wait) return new Refusal('UNAVAILABLE', wait.message, { retryAfter: wait.seconds });
  if (error instanceof RangeError && message.includes('call stack')) {
    return new Refusal('INVALID_REQUEST', 'The data is nested too deep to be stored. Flatten it.');
  }
  return new Refusal('FAILURE', 'The server failed on this request.');
}

function connectionBroke(): Refusal {
  return new Refusal(
    'UNAVAILABLE',
    'The connection to the database broke. Try again shortly; if this was to change something, look first whether it did.',
    { retryAfter: 1 },
  );
}

// 57P: shutdown, crash; 08: connection; 53300: too many connections; 25006: now a standby; 25P03: idle for too long.
function isConnectionFailure({ code = '', message }: DatabaseError): boolean {
  return (
    /^(57P|08|53300|25006|25P03|ECONN|ENOENT|EPIPE|ETIMEDOUT|ENOTFOUND|EHOSTUNREACH)/.test(code) ||
    /Connection terminated|timeout exceeded when trying to connect|Client has encountered/.test(message)
  );
}
