import { Refusal } from './errors.ts';
import type { Identity } from './operation.ts';

interface Limits {
  /** Pieces of work that run at the same time. */
  readonly atOnce: number;
  /** Further ones that may wait. */
  readonly waiting: number;
  /** The error for any beyond those. */
  readonly refusal: () => Error;
}

/** Runs a piece of work as soon as few enough others run. */
export type Limiter = <T>(work: () => Promise<T>) => Promise<T>;

/** Runs pieces of work in order of arrival, a few at a time; refuses when too many wait already. */
export function createLimiter({ atOnce, waiting, refusal }: Limits): Limiter {
  let running = 0;
  const queue: (() => void)[] = [];

  return async (work) => {
    if (running >= atOnce) await wait();
    else running += 1;
    try {
      return await work();
    } finally {
      // The place goes to the next in line without becoming free in between, or a newcomer could take it.
      const next = queue.shift();
      if (next) next();
      else running -= 1;
    }
  };

  function wait(): Promise<void> {
    if (queue.length >= waiting) return Promise.reject(refusal());
    return new Promise((resolve) => void queue.push(resolve));
  }
}

/** A limiter for each name: a user with much to do keeps nobody else waiting. */
export function createLimiterByName(limits: Limits): (name: string) => Limiter {
  const lines = new Map<string, { readonly limiter: Limiter; pieces: number }>();

  return (name) => async (work) => {
    const line = lines.get(name) ?? { limiter: createLimiter(limits), pieces: 0 };
    lines.set(name, line);
    line.pieces += 1;
    try {
      return await line.limiter(work);
    } finally {
      line.pieces -= 1;
      if (line.pieces === 0) lines.delete(name);
    }
  };
}

interface FairLimits extends Limits {
  /** Pieces of work that may wait in all lines together. */
  readonly waitingInAll: number;
}

interface Waiting {
  readonly go: () => void;
  readonly refuse: () => void;
}

/**
 * A limiter that serves the lines of several names in turn: the sender of a flood waits behind it alone. When too many wait in all, the
 * longest line gives up a place to a shorter one.
 */
export function createFairLimiter(limits: FairLimits): (name: string) => Limiter {
  const lines = new FairLines(limits);
  let running = 0;

  return (name) => async (work) => {
    if (running >= limits.atOnce) await lines.wait(name);
    else running += 1;
    try {
      return await work();
    } finally {
      const next = lines.next();
      if (next) next.go();
      else running -= 1;
    }
  };
}

/** The lines of waiting work, one for each name. */
class FairLines {
  readonly #limits: FairLimits;
  // In the order of their turns; none is empty.
  readonly #lines = new Map<string, Waiting[]>();
  #waiting = 0;

  constructor(limits: FairLimits) {
    this.#limits = limits;
  }

  /** Takes the first of the line whose turn it is; the line then goes to the end. */
  next(): Waiting | undefined {
    const [first] = this.#lines;
    if (!first) return undefined;
    const [name, line] = first;
    this.#lines.delete(name);
    const piece = line.shift();
    if (line.length > 0) this.#lines.set(name, line);
    this.#waiting -= 1;
    return piece;
  }

  wait(name: string): Promise<void> {
    const { waiting, refusal } = this.#limits;
    const line = this.#lines.get(name) ?? [];
    if (line.length >= waiting || !this.#hasPlace(line)) return Promise.reject(refusal());
    this.#lines.set(name, line);
    this.#waiting += 1;
    return new Promise((go, reject) => void line.push({ go, refuse: () => reject(refusal()) }));
  }

  #hasPlace(line: readonly Waiting[]): boolean {
    if (this.#waiting < this.#limits.waitingInAll) return true;
    const lines = [...this.#lines.values()];
    const longest = lines.reduce((one, other) => (other.length > one.length ? other : one), []);
    if (longest.length <= line.length + 1) return false;
    this.#waiting -= 1;
    longest.pop()?.refuse();
    return true;
  }
}

/** The limiters by which reads, and callers without a proved token, share connections to the database. */
interface ReadLimiters {
  /** The limiter of a caller. */
  readonly of: (caller: Pick<Identity, 'userId' | 'tenantUuid'>) => Limiter;
  /** The limiter of work that takes minutes, such as files: separate from reads, which would wait for it. */
  readonly ofLong: Limiter;
  /** The limiter of streams, which pass through a limiter of their own before it. */
  readonly ofStreams: Limiter;
  /** The limiter of callers without a proved token, by their address. */
  readonly ofStrangers: (address: string) => Limiter;
}

// A user with more reads at once is not looking at the answers.
const waitingPerUser = 100;

/**
 * Reads may take long and may be many: they share half of the connections. Long work and strangers share the others but one, so that jobs,
 * claims, heartbeats and reports always find a connection, where there are five or more. No tenant gets all that reads have, and no
 * user of a tenant all that the tenant may have.
 */
export function createReadLimiters(connections: number): ReadLimiters {
  const half = Math.max(1, Math.floor(connections / 2));
  const aside = Math.max(1, Math.floor((connections - half - 1) / 2));
  const ofAll = createLimiter({ atOnce: half, waiting: Infinity, refusal: tooMany });
  const ofTenant = createLimiterByName({
    atOnce: Math.max(1, half - 1),
    waiting: Infinity,
    refusal: tooMany,
  });
  const ofUser = createLimiterByName({
    atOnce: Math.max(1, Math.floor(half / 2)),
    waiting: waitingPerUser,
    refusal: tooMany,
  });
  // The user's own limiter comes first: a read that waits there is in nobody's way.
  const of: ReadLimiters['of'] = ({ userId, tenantUuid }) => {
    return (work) => ofUser(String(userId))(() => ofTenant(tenantUuid)(() => ofAll(work)));
  };
  const ofStrangers = createFairLimiter({
    atOnce: aside,
    waiting: waitingPerUser,
    waitingInAll: waitingPerUser * 10,
    refusal: tooManyStrangers,
  });
  const ofLong = createLimiter({ atOnce: aside, waiting: Infinity, refusal: tooMany });
  return { of, ofLong, ofStreams: ofAll, ofStrangers };
}

function tooManyStrangers(): Refusal {
  return new Refusal('UNAVAILABLE', 'Too many calls about tokens wait already. Try again in a moment.', {
    retryAfter: 2,
  });
}

function tooMany(): Refusal {
  return new Refusal(
    'UNAVAILABLE',
    `${waitingPerUser} of your reads wait for the database already. Wait for their answers, then try again.`,
    { retryAfter: 2 },
  );
}
