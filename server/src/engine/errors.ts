import type { Id, Schemas } from '@millrace/api';

/** Each kind of refusal has a stable code for programs and an HTTP status. */
const statusByCode = {
  INVALID_REQUEST: 400,
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  PASSWORD_CHANGE_REQUIRED: 403,
  NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  NAME_TAKEN: 409,
  IN_USE: 409,
  QUOTA_REACHED: 409,
  VERSION_CONFLICT: 409,
  STATUS_CONFLICT: 409,
  LATE_REPORT: 409,
  LEASE_LOST: 409,
  DUPLICATE: 409,
  KEY_REUSED: 409,
  KEY_IN_USE: 409,
  TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  TOO_MANY_REQUESTS: 429,
  FAILURE: 500,
  UNAVAILABLE: 503,
} as const;

export type ErrorCode = keyof typeof statusByCode;
export type ErrorDetail = Schemas['ErrorDetail'];

/** The greatest number of details that one refusal shows. */
export const shownProblems = 100;

/** A request that is not granted, for a reason that the caller may read. */
export class Refusal extends Error {
  readonly code: ErrorCode;
  readonly details: ErrorDetail[] | undefined;
  /** Seconds after which a retry makes sense. */
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

export function tokenExpired(): Refusal {
  return new Refusal('UNAUTHENTICATED', 'The access token has expired. Log in again.');
}

/** The id and version of a thing, as stored or as sent. */
interface Versioned {
  readonly id?: Id | undefined;
  readonly version: number;
}

/**
 * Refuses a change of another thing, or of another version of it, than the stored one.
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

/** The meaning of a broken constraint of the database to a caller, by the name of the constraint. */
const refusalByConstraint = new Map<string, Pick<Refusal, 'code' | 'message'>>();

/** Registers refusals for constraints that the statements of a room may break. Called when the room is loaded. */
export function registerConstraints(refusals: Record<string, Pick<Refusal, 'code' | 'message'>>): void {
  for (const [constraint, refusal] of Object.entries(refusals)) refusalByConstraint.set(constraint, refusal);
}

const overtaken = { message: 'Other changes got in the way of this one. Try again.', seconds: 1 };

/** Errors of the database, and of the disk of this server, that pass by themselves, and the seconds until then. */
const waitByCode: Record<string, { message: string; seconds: number }> = {
  '40001': overtaken,
  '40P01': overtaken,
  '55P03': { message: 'Another change holds what this one needs. Try again.', seconds: 1 },
  '25006': {
    message: 'The database takes no changes now: it is a standby, or read-only. Try again shortly.',
    seconds: 1,
  },
  '53100': {
    message: 'The disk of the database is full. Try again when its operator has made room.',
    seconds: 60,
  },
  ENOSPC: {
    message:
      'The disk of this server has no room for temporary files. Try again when its operator has made some.',
    seconds: 60,
  },
  '53200': { message: 'The database is short of memory. Try again, or ask for less at a time.', seconds: 5 },
  '53300': {
    message: 'The database has no connection left for this. Try again shortly.',
    seconds: 2,
  },
  '57014': {
    message: 'This took the database too long. Ask for less at a time; where there is a filter, narrow it.',
    seconds: 5,
  },
  '57P03': {
    message: 'The database is starting or stopping. Try again shortly.',
    seconds: 1,
  },
};

/** A database that restarts, or fails over to another, needs a moment. */
const reconnectMs = 150;

interface DatabaseError extends Error {
  code?: string;
  constraint?: string;
}

/**
 * Milliseconds until a retry of the transaction may succeed, since it changed nothing: it lost against another one, which is done by then,
 * or found its connection broken. Undefined for all other errors; also after a deadline, as callers have waited long enough.
 */
export function retryMs(error: unknown): number | undefined {
  if (['40001', '40P01'].includes((error as DatabaseError).code ?? '')) return 0;
  const isGivenUp =
    error instanceof CommitUnanswered || error instanceof Unanswered || isTimeout(error as Error);
  return !isGivenUp && isConnectionFailure(error as DatabaseError) ? reconnectMs : undefined;
}

/** The database did not answer a statement, and the connection was given up. */
export class Unanswered extends Error {
  constructor(milliseconds: number) {
    super(`nothing was heard from the database for ${milliseconds / 1000} s`);
  }
}

/** The connection broke after the commit was sent: the transaction is on disk whole, or not at all. */
export class CommitUnanswered extends Error {
  constructor(cause: Error) {
    super(`the connection broke before the commit was answered: ${cause.message}`, { cause });
  }
}

/**
 * Whether the database is available and has kept nothing of the transaction that failed with this error: parts of its work may be tried by
 * themselves. After a commit without an answer they might be done twice.
 */
export function isUndone(error: unknown): boolean {
  return !(error instanceof CommitUnanswered) && !isConnectionFailure(error as DatabaseError);
}

/** Whether a transaction was given up because it waited too long, for a lock or for a statement. */
export function isHeldUp(error: unknown): boolean {
  return ['55P03', '57014'].includes((error as DatabaseError).code ?? '');
}

/** The refusal for an error. Errors of the server itself become a FAILURE without internals; the caller of this function logs them. */
export function toRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  const { code, constraint, message } = error as DatabaseError;
  if (error instanceof CommitUnanswered) return connectionBroke();
  const known = refusalByConstraint.get(constraint ?? '');
  if (known) return new Refusal(known.code, known.message);
  if (code === '23503') return goneMeanwhile();
  const wait = code === undefined ? undefined : waitByCode[code];
  if (wait) return new Refusal('UNAVAILABLE', wait.message, { retryAfter: wait.seconds });
  if (error instanceof Unanswered || isTimeout(error as Error)) return silent();
  if (isConnectionFailure(error as DatabaseError)) return connectionBroke();
  if (error instanceof RangeError && message.includes('call stack')) {
    return new Refusal('INVALID_REQUEST', 'The data is nested too deep to be stored. Flatten it.');
  }
  return new Refusal('FAILURE', 'The server failed on this request.');
}

// Callers name only existing things: a reference breaks when somebody deletes its target, or refers to it, at the same moment.
function goneMeanwhile(): Refusal {
  return new Refusal(
    'STATUS_CONFLICT',
    'Something that belongs to this was deleted or bound at the same time. Read it again, then repeat the change.',
  );
}

function connectionBroke(): Refusal {
  return new Refusal(
    'UNAVAILABLE',
    'The connection to the database broke. Try again shortly; if this was to change something, look first whether it did.',
    { retryAfter: 1 },
  );
}

function silent(): Refusal {
  return new Refusal(
    'UNAVAILABLE',
    'The database does not answer. Try again shortly; if this was to change something, look first whether it did.',
    { retryAfter: 2 },
  );
}

/** Whether no connection became free in time. */
function isTimeout({ message }: Error): boolean {
  return /timeout expired|timeout exceeded when trying to connect|due to connection timeout/.test(message);
}

// 57P: shutdown, crash; 08: connection; 53300: too many connections; 25006: now a standby; 25P03: idle for too long.
function isConnectionFailure(error: DatabaseError): boolean {
  const { code = '', message } = error;
  return (
    error instanceof Unanswered ||
    isTimeout(error) ||
    /^(57P|08|53300|25006|25P03|ECONN|ENOENT|EPIPE|ETIMEDOUT|ENOTFOUND|EHOSTUNREACH)/.test(code) ||
    /Connection terminated|Client has encountered/.test(message)
  );
}
