import type { Config } from './config.ts';
import { Refusal } from './errors.ts';
import type { Who } from './operation.ts';
import type { Siblings } from './siblings.ts';

/** Requests a second that a user or a tenant may send for long; undefined for any number. */
type Rates = Pick<Config, 'userRequests' | 'tenantRequests'>;

/** Counts a request of a user, and refuses it if it is one too many. */
export type CountRequest = (who: Who) => Counted;

interface Counted {
  /** The limit with its time, and the remainder with its reset, by draft-ietf-httpapi-ratelimit-headers. */
  readonly headers: Record<string, string>;
  readonly refusal?: Refusal;
}

/** Requests not sent in this many seconds may be sent at once. */
const windowSeconds = 10;

/** The requests that a user or tenant may still send: at most the capacity of the bucket, which fills at the rate. */
interface Bucket {
  tokens: number;
  /** The time of that count, in seconds. */
  at: number;
}

type Whose = 'user' | 'tenant';

interface Level {
  readonly kind: Buckets;
  readonly name: string;
  readonly bucket: Bucket;
}

/** The buckets of all users, or of all tenants, with their common rate. */
class Buckets {
  readonly who: Whose;
  readonly rate: number;
  readonly policy: string;
  readonly #buckets = new Map<string, Bucket>();

  constructor(who: Whose, rate: number) {
    this.who = who;
    this.rate = rate;
    this.policy = `"${who}";q=${this.capacity};w=${windowSeconds}`;
  }

  get capacity(): number {
    return this.rate * windowSeconds;
  }

  /** The bucket of a user or tenant, filled up to now. */
  at(name: string, now: number): Level {
    const { capacity, rate } = this;
    const bucket = this.#buckets.get(name) ?? this.#add(name, now);
    bucket.tokens = Math.min(capacity, bucket.tokens + (now - bucket.at) * rate);
    bucket.at = now;
    return { kind: this, name, bucket };
  }

  #add(name: string, now: number): Bucket {
    if (this.#buckets.size >= mostBuckets) this.#forgetFull(now);
    const bucket = { tokens: this.capacity, at: now };
    this.#buckets.set(name, bucket);
    return bucket;
  }

  /** A bucket that is full by now is as good as a new one. */
  #forgetFull(now: number): void {
    const { capacity, rate } = this;
    for (const [name, { tokens, at }] of this.#buckets)
      if (tokens + (now - at) * rate >= capacity) this.#buckets.delete(name);
  }
}

// A bucket exists only for proved users and tenants, most of whom are not here at the same time.
const mostBuckets = 10_000;

interface Surroundings {
  /** Seconds, by the timer of the process. */
  readonly clock?: () => number;
  /** The other processes, which exchange the numbers of requests with this one; the buckets hold for all of them. */
  readonly siblings?: Pick<Siblings, 'tellRequests' | 'hear'> | undefined;
}

/** Limits how many requests users and tenants send to this server. */
export function createRateLimits(
  rates: Rates,
  { clock = () => performance.now() / 1000, siblings }: Surroundings = {},
): CountRequest {
  const kinds = kindsOf(rates);
  const policy = kinds.map((kind) => kind.policy).join(', ');
  const spend = siblings ? sharing(kinds, clock, siblings) : () => undefined;
  return ({ userId, tenantUuid }) => {
    const now = clock();
    const levels = kinds.map((kind) => kind.at(kind.who === 'user' ? String(userId) : tenantUuid, now));
    const empty = levels.find(({ bucket }) => bucket.tokens < 1);
    // A refused request takes nothing from any bucket.
    if (!empty) for (const { bucket } of levels) bucket.tokens -= 1;
    if (!empty) spend(levels);
    const [tightest] = levels.toSorted((one, other) => one.bucket.tokens - other.bucket.tokens);
    const headers = tightest ? { 'ratelimit-policy': policy, ratelimit: left(tightest) } : {};
    return empty ? { headers, refusal: tooMany(empty) } : { headers };
  };
}

function kindsOf({ userRequests, tenantRequests }: Rates): Buckets[] {
  return [
    ...(userRequests === undefined ? [] : [new Buckets('user', userRequests)]),
    ...(tenantRequests === undefined ? [] : [new Buckets('tenant', tenantRequests)]),
  ];
}

/**
 * The other processes learn of requests here a tenth of a second later. A bucket may go into debt, so that the rate holds in the long run.
 */
const tellMs = 100;

function sharing(
  kinds: readonly Buckets[],
  clock: () => number,
  { tellRequests, hear }: Pick<Siblings, 'tellRequests' | 'hear'>,
): (levels: readonly Level[]) => void {
  const spent = new Map<Bucket, Level & { requests: number }>();
  let timer: NodeJS.Timeout | undefined;
  const tell = () => {
    timer = undefined;
    tellRequests([...spent.values()].map(({ kind, name, requests }) => [kind.who, name, requests]));
    spent.clear();
  };
  hear({
    requests: (heard) => {
      const now = clock();
      for (const [who, name, requests] of heard) {
        const kind = kinds.find((one) => one.who === who);
        if (kind) kind.at(name, now).bucket.tokens -= requests;
      }
    },
  });
  return (levels) => {
    for (const level of levels) {
      const known = spent.get(level.bucket);
      if (known) known.requests += 1;
      else spent.set(level.bucket, { ...level, requests: 1 });
    }
    timer ??= setTimeout(tell, tellMs).unref();
  };
}

/** The remaining requests, and the seconds until the bucket is full again. */
function left({ kind: { who, capacity, rate }, bucket: { tokens } }: Level): string {
  return `"${who}";r=${Math.max(0, Math.floor(tokens))};t=${Math.ceil((capacity - tokens) / rate)}`;
}

function tooMany({ kind: { who, rate }, bucket: { tokens } }: Level): Refusal {
  const owner = who === 'user' ? 'You have' : 'Your tenant has';
  return new Refusal(
    'TOO_MANY_REQUESTS',
    `${owner} sent more requests to this server than the ${rate} a second that are possible for long. Send fewer, with more in each, or ` +
      `have MILLRACE_MAX_${who.toUpperCase()}_REQUESTS raised.`,
    { retryAfter: Math.max(1, Math.ceil((1 - tokens) / rate)) },
  );
}
