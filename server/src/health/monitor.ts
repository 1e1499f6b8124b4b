import { statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import type { Output } from '@millrace/api';
import type { DatabaseClock } from '../engine/clock.ts';
import type { Config } from '../engine/config.ts';
import { contractText } from '../engine/contract.ts';
import { onPool, openPool, sql, type ConnectionConfig, type Pool } from '../engine/db.ts';
import { Refusal } from '../engine/errors.ts';
import type { Log } from '../engine/operation.ts';
import type { Siblings } from '../engine/siblings.ts';
import { sleep } from '../engine/sleep.ts';
import { decideConditions, usualLimits, type Findings, type Limits } from './rules.ts';

// The server looks no more often, however many callers ask.
const lookMs = 1000;
// Callers who ask while a look hangs are still answered within two seconds.
const patienceMs = 1600;

const { version } = (JSON.parse(contractText) as { info: { version: string } }).info;

type Condition = ReturnType<typeof decideConditions>[number] & { readonly since: Date };

interface Parts {
  readonly config: Config;
  readonly connection: ConnectionConfig;
  /** Notified when the database answers again, after several checks without an answer. */
  readonly pool: Pick<Pool, 'giveUpDead'>;
  /** Set at each check. */
  readonly clock: DatabaseClock;
  readonly log: Log;
  /** Limits that replace the usual ones. */
  readonly limits?: Partial<Limits> | undefined;
  /** The other processes of the server, which readiness covers as well. */
  readonly siblings?: Pick<Siblings, 'tellReadiness' | 'missing'> | undefined;
}

/** Checks the server and its database each second, and logs the beginning and the end of each condition once. */
export class HealthMonitor {
  readonly #parts: Parts;
  readonly #probe: Probe;
  readonly #closing = new AbortController();
  readonly #watching: Promise<void>;
  #looking: Promise<void> | undefined;
  #lookedAt = -Infinity;
  /** Checks in a row without an answer. */
  #missed = 0;
  #database: Findings['database'];
  #fullAt = -Infinity;
  #conditions: readonly Condition[] = [];
  #upSince: Date | undefined;

  constructor(parts: Parts) {
    const { connection, clock, limits } = parts;
    this.#parts = parts;
    this.#probe = new Probe(connection, clock, limits?.sessionMs ?? usualLimits.sessionMs);
    this.#watching = this.#watch();
  }

  /** Notes the error of a request: only errors show that the disk of a database elsewhere is full. */
  note({ code }: Error & { code?: string }): void {
    if (code === '53100') this.#fullAt = performance.now();
  }

  /**
   * Answers the state of the server, within two seconds.
   * @throws Refusal UNAVAILABLE with all problems, when no work can be done.
   */
  readonly readiness = async (): Promise<Output<'getReadiness'>> => {
    await this.look();
    const details = this.#conditions.map(({ code, message, since }) => ({
      code,
      message,
      since: since.toISOString(),
    }));
    if (this.#upSince)
      return { status: 'UP', version, since: this.#upSince.toISOString(), warnings: details };
    const sentences = this.#conditions.filter(({ stops }) => stops).map(({ message }) => message);
    throw new Refusal('UNAVAILABLE', sentences.join(' '), { details, retryAfter: 1 });
  };

  /** Checks, unless a check is under way or less than a second old. A connection broken since then makes an older check worthless. */
  async look(): Promise<void> {
    const isFresh = performance.now() - this.#lookedAt < lookMs && !this.#probe.isBroken;
    if (!isFresh) await this.#lookNow();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#watching;
    this.#probe.close();
  }

  async #watch(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      await this.#lookNow();
      await sleep(lookMs, signal);
    }
  }

  #lookNow(): Promise<void> {
    this.#looking ??= this.#find().finally(() => {
      this.#looking = undefined;
      this.#lookedAt = performance.now();
    });
    return this.#looking;
  }

  async #find(): Promise<void> {
    const { config, pool, siblings } = this.#parts;
    const { databaseUrl, dataFolder } = config;
    let trouble: unknown;
    const asking = inTime(this.#probe.ask()).catch((error: unknown) => {
      trouble = error;
      this.#probe.hangUp();
    });
    const [database, disk, uploads] = await Promise.all([
      asking,
      databaseUrl === undefined ? spaceIn(dataFolder) : undefined,
      spaceIn(tmpdir()),
    ]);
    // While the database does not answer, its last findings are taken to hold.
    this.#database = database ?? this.#database;
    // One late answer says nothing of a network: hanging statements are only slow then, and would be lost for nothing.
    if (this.#missed > 1 && database) pool.giveUpDead();
    this.#missed = database ? 0 : this.#missed + 1;
    const msSinceFull = performance.now() - this.#fullAt;
    const missingProcesses = siblings?.missing() ?? 0;
    const isAway = this.#missed > 0;
    this.#settle({ isAway, database: this.#database, disk, uploads, msSinceFull, missingProcesses }, trouble);
    siblings?.tellReadiness(this.#upSince !== undefined);
  }

  #settle(found: Findings, trouble: unknown): void {
    const { clock, config, limits, log } = this.#parts;
    const now = clock.now();
    const before = new Map(this.#conditions.map((one) => [one.code, one]));
    this.#conditions = decideConditions(found, { largestFileBytes: config.maxFileBytes, ...limits }).map(
      (one) => {
        const { code, message } = one;
        const known = before.get(code);
        if (!known) log.warn({ condition: code, found, err: trouble }, message);
        before.delete(code);
        return { ...one, since: known?.since ?? now };
      },
    );
    for (const { code, message, since } of before.values())
      log.info({ condition: code, since }, `Over: ${message}`);
    this.#upSince = this.#conditions.some(({ stops }) => stops) ? undefined : (this.#upSince ?? now);
  }
}

/** Asks the database on a connection of its own: those of requests may all be busy, or stuck. */
class Probe {
  readonly #connection: ConnectionConfig;
  readonly #clock: DatabaseClock;
  readonly #sessionMs: number;
  #pool: Pool;
  #line: Line | undefined;
  #openedAt = 0;
  #firstMigration: string | undefined;
  #oldest = { transaction: '', since: 0 };

  constructor(connection: ConnectionConfig, clock: DatabaseClock, sessionMs: number) {
    this.#connection = connection;
    this.#clock = clock;
    this.#sessionMs = sessionMs;
    this.#pool = openPool(connection, 1);
  }

  /** Whether the connection has broken since the last question. */
  get isBroken(): boolean {
    return this.#line?.isBroken ?? false;
  }

  async ask(): Promise<NonNullable<Findings['database']>> {
    const row = await this.#read();
    const { isReadOnly, losesWork, migration, transaction, isHeldBack } = row;
    // The start of a server brings the database to its version: later migrations are from a newer server.
    this.#firstMigration ??= migration;
    const now = performance.now();
    if (!isHeldBack || transaction !== this.#oldest.transaction) this.#oldest = { transaction, since: now };
    return {
      isReadOnly,
      losesWork,
      isNewer: migration > this.#firstMigration,
      clockOffMs: Math.abs(Date.now() - this.#clock.now().getTime()),
      heldBackMs: now - this.#oldest.since,
    };
  }

  async #read(): Promise<Row> {
    const line = this.#line ?? (await this.#open());
    const askedAt = performance.now();
    const row = await line.row<Row>(statement);
    if (!row) throw new Error('the database answered nothing');
    this.#clock.set(row.now, askedAt, performance.now());
    if (askedAt - this.#openedAt > this.#sessionMs) this.hangUp();
    return row;
  }

  async #open(): Promise<Line> {
    const pool = this.#pool;
    const line = await openLine(pool);
    // The connection was given up while it was being opened.
    if (pool !== this.#pool) line.hangUp();
    else this.#line = line;
    this.#openedAt = performance.now();
    return line;
  }

  /** Gives up the connection, whether it is being opened, waits for an answer or has broken. The next question opens another one. */
  hangUp(): void {
    this.close();
    this.#pool = openPool(this.#connection, 1);
  }

  close(): void {
    this.#line?.hangUp();
    this.#line = undefined;
    void this.#pool.end();
  }
}

interface Row {
  readonly now: Date;
  readonly isReadOnly: boolean;
  readonly losesWork: boolean;
  readonly migration: string;
  /** The oldest transaction under way: readers of events get none of a later one. */
  readonly transaction: string;
  readonly isHeldBack: boolean;
}

const statement = sql`
  select clock_timestamp() as now,
    current_setting('transaction_read_only') = 'on' as "isReadOnly",
    'off' in (current_setting('fsync'), current_setting('synchronous_commit')) as "losesWork",
    (select max(name) from migrations) as migration,
    pg_snapshot_xmin(pg_current_snapshot())::text as transaction,
    pg_snapshot_xmin(pg_current_snapshot()) < pg_snapshot_xmax(pg_current_snapshot()) as "isHeldBack"`;

type Line = Awaited<ReturnType<typeof openLine>>;

async function openLine(pool: Pool) {
  const client = await pool.connect();
  const line = { ...onPool(client), isBroken: false, hangUp: () => client.release(true) };
  client.once('end', () => (line.isBroken = true));
  return line;
}

/** The space on the disk of a folder; undefined where it cannot be found out. */
async function spaceIn(folder: string): Promise<Findings['disk']> {
  const found = await inTime(statfs(folder)).catch(() => undefined);
  if (!found) return undefined;
  const { bavail, blocks, bsize } = found;
  return { folder, freeBytes: bavail * bsize, sizeBytes: blocks * bsize };
}

/** @throws the error of the work, or an Error when it takes too long. */
async function inTime<T>(work: Promise<T>): Promise<T> {
  const done = new AbortController();
  const late = sleep(patienceMs, done.signal).then(() =>
    Promise.reject(new Error(`there was no answer within ${patienceMs / 1000} s`)),
  );
  try {
    return await Promise.race([work, late]);
  } finally {
    done.abort();
  }
}
