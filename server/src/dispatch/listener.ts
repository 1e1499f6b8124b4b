import { randomUUID } from 'node:crypto';
import { toId } from '@millrace/api';
import pg from 'pg';
import type { ConnectionConfig } from '../db.ts';
import type { Log } from '../operation.ts';
import { sleep } from '../sleep.ts';
import type { BellName } from './bell.ts';

const channel = 'millrace_work';
const applicationName = 'millrace listener';
// Each notice takes a lock on the whole database at its commit: one in so many milliseconds, whatever happens.
const gatherMs = 20;
const bellsInNotice = 200;
const aliveMs = 15_000;
const shortestPauseMs = 100;
const longestPauseMs = 10_000;

interface Notice {
  readonly server: string;
  readonly bells: readonly (readonly [name: string, items: number])[];
}

/**
 * Carries the bell between servers on one database, on a connection of its own that is opened anew whenever it breaks.
 * A hint only: what it misses, waiting consumers find by themselves.
 */
export class Listener {
  readonly #server = randomUUID();
  readonly #closing = new AbortController();
  readonly #gathered = new Map<BellName, number>();
  readonly #ring: (name: BellName, items: number) => void;
  readonly #listening: Promise<void>;
  #session: pg.Client | undefined;
  #hasOthers = true;
  #timer: NodeJS.Timeout | undefined;

  /** @param ring is called for what other servers tell. */
  constructor(connection: ConnectionConfig, log: Log, ring: (name: BellName, items: number) => void) {
    this.#ring = ring;
    this.#listening = this.#listen(connection, log);
  }

  /** Tells the other servers that a bell rings for so many items; several in a short time go together. */
  tell(name: BellName, items: number): void {
    if (!this.#hasOthers) return;
    this.#gathered.set(name, (this.#gathered.get(name) ?? 0) + items);
    this.#timer ??= setTimeout(() => void this.#send().catch(() => undefined), gatherMs);
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#closing.abort();
    await this.#listening;
  }

  async #send(): Promise<void> {
    this.#timer = undefined;
    const gathered = [...this.#gathered];
    this.#gathered.clear();
    for (let start = 0; start < gathered.length; start += bellsInNotice) {
      const bells = gathered
        .slice(start, start + bellsInNotice)
        .map(([name, items]) => [String(name), items] as const);
      const notice: Notice = { server: this.#server, bells };
      await this.#session?.query('select pg_notify($1, $2)', [channel, JSON.stringify(notice)]);
    }
  }

  async #listen(connection: ConnectionConfig, log: Log): Promise<void> {
    const { signal } = this.#closing;
    let pauseMs = shortestPauseMs;
    while (!signal.aborted) {
      const session = new pg.Client({
        ...connection,
        keepAlive: true,
        application_name: applicationName,
      });
      try {
        await open(session, (notice) => this.#hear(notice));
        this.#session = session;
        pauseMs = shortestPauseMs;
        // Others may have stopped telling, for want of somebody to tell: they hear that there is a new one.
        await session.query('select pg_notify($1, $2)', [
          channel,
          JSON.stringify({ server: this.#server, bells: [] } satisfies Notice),
        ]);
        await untilBroken(session, signal, async () => {
          this.#hasOthers = await hasOthers(session);
        });
      } catch (error) {
        log.warn({ err: error }, 'the listener for new work lost its connection and opens a new one');
      }
      this.#session = undefined;
      await session.end().catch(() => undefined);
      await sleep(pauseMs, signal);
      pauseMs = Math.min(pauseMs * 2, longestPauseMs);
    }
  }

  #hear({ payload = '' }: pg.Notification): void {
    const notice = JSON.parse(payload) as Notice;
    if (notice.server === this.#server) return;
    this.#hasOthers = true;
    for (const [name, items] of notice.bells) this.#ring(bellName(name), items);
  }
}

/** A queue's bell is named by its id, which is text in a notice. */
function bellName(name: string): BellName {
  return /^\d+$/.test(name) ? toId(name) : (name as BellName);
}

async function open(session: pg.Client, hear: (notice: pg.Notification) => void): Promise<void> {
  session.on('notification', hear);
  // A connection that breaks is noticed by `untilBroken`; without a listener it would end the process before that.
  session.on('error', () => undefined);
  await session.connect();
  // A notice is worth nothing after a crash: waiting for the disk would only slow the others down.
  await session.query(`set synchronous_commit = off; listen ${channel}`);
}

/** Whether other servers listen on this database. */
async function hasOthers(session: pg.Client): Promise<boolean> {
  const { rows } = await session.query<{ others: boolean }>(
    `select exists (select from pg_stat_activity where application_name = $1 and datname = current_database()
      and pid <> pg_backend_pid()) as others`,
    [applicationName],
  );
  return rows[0]?.others ?? true;
}

/** Until the connection breaks, which nobody would notice without asking something now and then. */
async function untilBroken(session: pg.Client, signal: AbortSignal, ask: () => Promise<void>): Promise<void> {
  const broken = new Promise<never>((_, reject) => {
    session.once('error', reject);
    session.once('end', () => reject(new Error('the database closed the connection')));
  });
  broken.catch(() => undefined);
  while (!signal.aborted) {
    await Promise.race([ask(), broken]);
    await Promise.race([sleep(aliveMs, signal), broken]);
  }
}
