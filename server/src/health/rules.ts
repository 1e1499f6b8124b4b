import type { Schemas } from '@millrace/api';

/** The findings of one check of the server and its database. */
export interface Findings {
  /** Whether the database left the last question without an answer. */
  readonly isAway: boolean;
  /** Its last answer; undefined when it never gave one. */
  readonly database: DatabaseFindings | undefined;
  /** The disk of the embedded database. */
  readonly disk: Space | undefined;
  /** The disk for uploaded files until they have been read. */
  readonly uploads: Space | undefined;
  /** Milliseconds since the database last refused a change because its disk was full; Infinity when it never did. */
  readonly msSinceFull: number;
  /** Processes of this server that are not ready. */
  readonly missingProcesses: number;
}

interface DatabaseFindings {
  readonly isReadOnly: boolean;
  /** Whether it answers before the work is on disk. */
  readonly losesWork: boolean;
  /** Whether it has migrations from after the start of this server. */
  readonly isNewer: boolean;
  /** Distance between the clocks of this server and of the database, in either direction. */
  readonly clockOffMs: number;
  /** Time for which the same transaction has held back readers of events. */
  readonly heldBackMs: number;
}

interface Space {
  readonly folder: string;
  readonly freeBytes: number;
  readonly sizeBytes: number;
}

export interface Limits {
  /** With less room than this on its disk, the embedded database is about to stop. */
  readonly fullBytes: number;
  readonly nearlyFullBytes: number;
  /** Relative to the whole disk: a small one must not count as nearly full all the time. */
  readonly nearlyFullShare: number;
  readonly largestFileBytes: number;
  readonly clockOffMs: number;
  readonly heldBackMs: number;
  /** The database counts as full for this long after it has said so. */
  readonly fullSaidMs: number;
  /** Life of one session: settings of the role or the database apply to new sessions only. */
  readonly sessionMs: number;
}

const mebibyte = 1024 * 1024;

export const usualLimits: Omit<Limits, 'largestFileBytes'> = {
  fullBytes: 128 * mebibyte,
  // The greatest size of the write-ahead log.
  nearlyFullBytes: 2048 * mebibyte,
  nearlyFullShare: 0.1,
  clockOffMs: 5000,
  heldBackMs: 30_000,
  fullSaidMs: 60_000,
  sessionMs: 10_000,
};

type Code = keyof typeof conditions;

/** Conditions that somebody should mend, the worst first. The sentences are public. */
const conditions = {
  DATABASE_AWAY: {
    stops: true,
    message:
      'The database does not answer. Check that it runs and can be reached; the log of this server says more.',
  },
  DATABASE_READ_ONLY: {
    stops: true,
    message:
      'The database takes no changes: it is a standby, or set to be read-only. Promote it, or take the setting back.',
  },
  DISK_FULL: {
    stops: true,
    message:
      'The disk of the database is full. Make room before the database stops; work is taken again by itself then.',
  },
  DISK_NEARLY_FULL: {
    stops: false,
    message: 'The disk of the database is nearly full. Make room soon: without any, no work is taken.',
  },
  CHANGES_REFUSED: {
    stops: false,
    message:
      'Within the last minute the database refused a change because its disk was full. Make room there.',
  },
  NO_ROOM_FOR_FILES: {
    stops: false,
    message:
      'A file of the largest size would not fit on the disk for temporary files. Make room, or uploads will fail.',
  },
  PROCESSES_MISSING: {
    stops: false,
    message:
      'Not all processes of this server are ready. One that ended is started again by itself; the log of the server says why it ended.',
  },
  CLOCK_OFF: {
    stops: false,
    message:
      'The clocks of this server and of the database differ by more than 5 seconds. Have both set by the network.',
  },
  EVENTS_HELD_BACK: {
    stops: false,
    message:
      'Readers of events have waited for one transaction for more than 30 seconds. Find what keeps it open, and end it.',
  },
  COMMITS_NOT_DURABLE: {
    stops: false,
    message:
      'The database answers before work is on disk: a crash loses some. Set fsync and synchronous_commit to on.',
  },
  DATABASE_NEWER: {
    stops: false,
    message:
      'A newer Millrace has changed the database since this server started. Start the newer version here, too.',
  },
} as const;

interface Condition extends Pick<Schemas['Condition'], 'code' | 'message'> {
  /** Whether no work can be done meanwhile. */
  readonly stops: boolean;
}

/**
 * The present conditions, the worst first.
 * @param given limits that replace the usual ones
 */
export function decideConditions(
  found: Findings,
  given: Pick<Limits, 'largestFileBytes'> & Partial<Limits>,
): Condition[] {
  const { database, disk, uploads } = found;
  const limits: Limits = { ...usualLimits, ...given };
  const isFull = isBelow(disk, limits.fullBytes);
  const nearlyFull = Math.min(limits.nearlyFullBytes, limits.nearlyFullShare * (disk?.sizeBytes ?? 0));
  const holds: Record<Code, boolean | undefined> = {
    DATABASE_AWAY: found.isAway,
    DATABASE_READ_ONLY: database?.isReadOnly,
    DISK_FULL: isFull,
    DISK_NEARLY_FULL: !isFull && isBelow(disk, nearlyFull),
    CHANGES_REFUSED: found.msSinceFull < limits.fullSaidMs,
    NO_ROOM_FOR_FILES: isBelow(uploads, limits.largestFileBytes),
    PROCESSES_MISSING: found.missingProcesses > 0,
    CLOCK_OFF: database && database.clockOffMs > limits.clockOffMs,
    EVENTS_HELD_BACK: database && database.heldBackMs > limits.heldBackMs,
    COMMITS_NOT_DURABLE: database?.losesWork,
    DATABASE_NEWER: database?.isNewer,
  };
  const codes = Object.keys(conditions) as Code[];
  return codes.filter((code) => holds[code]).map((code) => ({ code, ...conditions[code] }));
}

function isBelow(space: Space | undefined, bytes: number): boolean {
  return space !== undefined && space.freeBytes < bytes;
}
