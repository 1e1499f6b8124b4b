import { randomUUID } from 'node:crypto';
import { toId } from '@millrace/api';
import type pg from 'pg';
import { Connection } from './connection.ts';
import type { ConnectionConfig } from './db.ts';
import type { Log } from './operation.ts';
import { sleep } from './sleep.ts';
import type { WakeUp } from './wake-ups.ts';

const channel = 'millrace_work';
// Servers of other versions look for one another by this name.
const applicationName = 'millrace notifier';
// Each notice takes a lock on the whole database at its commit: a server sends at most one in this time.
const gatherMs = 20;
const wakeUpsInNotice = 200;
const aliveMs = 10_000;
/** Time for the database to answer that it is there. */
const answerMs = 5_000;
const shortestPauseMs = 100;
// Work at another server is heard of soon again after the database is back.
const longestPauseMs = 1000;

interface Notice {
  readonly server: string;
  /** Servers of other versions on the database know the member by this name. */
  readonly wakeUps: readonly (readonly [name: string, items: number])[];
}

/**
 * Carries wake-ups between servers on one database, on a connection of its own that is opened again whenever it breaks. Each is only a
 * hint: waiting calls find by themselves the work that a notifier misses.
 */
export class Notifier {
  readonly #server = randomUUID();
  readonly #closing = new AbortController();
  readonly #gathered = new Map<WakeUp, number>();
  readonly #wake: (name: WakeUp, items: number) => void;
  readonly #listening: Promise<void>;
  #session: Connection | undefined;
  #hasOthers = true;
  #timer: NodeJS.Timeout | undefined;

  /** @param wake is called for each wake-up sent by another server. */
  constructor(
    connection: ConnectionConfig,
    log: Pick<Log, 'warn'>,
    wake: (name: WakeUp, items: number) => void,
  ) {
    this.#wake = wake;
    this.#listening = this.#listen(connection, log);
  }

  /** Notifies the other servers; wake-ups of a short time are sent together, with their items added up. */
  notify(name: WakeUp, items: number): void {
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
    for (let start = 0; start < gathered.length; start += wakeUpsInNotice) {
      const wakeUps = gathered
        .slice(start, start + wakeUpsInNotice)
        .map(([name, items]) => [String(name), items] as const);
      const notice: Notice = { server: this.#server, wakeUps };
      if (this.#session) await tell(this.#session, notice);
    }
  }

  async #listen(connection: ConnectionConfig, log: Pick<Log, 'warn'>): Promise<void> {
    const { signal } = this.#closing;
    let pauseMs = shortestPauseMs;
    while (!signal.aborted) {
      const session = new Connection({ ...connection, application_name: applicationName });
      try {
        await open(session, (notice) => this.#hear(notice));
        this.#session = session;
        pauseMs = shortestPauseMs;
        // A server that was alone sends nothing: it has to hear that there is another one now.
        await tell(session, { server: this.#server, wakeUps: [] });
        await untilBroken(session, signal, async () => {
          this.#hasOthers = await hasOthers(session);
        });
      } catch (error) {
        log.warn({ err: error }, 'the notifier lost its connection and opens a new one');
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
    for (const [name, items] of notice.wakeUps) this.#wake(wakeUpOf(name), items);
  }
}

/** A queue's wake-up is its id, which is text in a notice. */
function wakeUpOf(name: string): WakeUp {
  return /^\d+$/.test(name) ? toId(name) : (name as WakeUp);
}

async function open(session: Connection, hear: (notice: pg.Notification) => void): Promise<void> {
  session.on('notification', hear);
  await session.connect();
  session.deadline = answerMs;
  await session.query(`listen ${channel}`);
}

/** Sends a notice without waiting for the disk, which would only slow others down: after a crash it is worth nothing. */
async function tell(session: Connection, notice: Notice): Promise<void> {
  // For this transaction alone, as the session may pass to somebody else with a pooler.
  const text = `select set_config('synchronous_commit', 'off', true), pg_notify($1, $2)`;
  await session.query(text, [channel, JSON.stringify(notice)]);
}

/** Whether other servers listen on this database. */
async function hasOthers(session: Connection): Promise<boolean> {
  const { rows } = await session.query<{ others: boolean }>(
    `select exists (select from pg_stat_activity where application_name = $1 and datname = current_database()
      and pid <> pg_backend_pid()) as others`,
    [applicationName],
  );
  return rows[0]?.others ?? true;
}

/** Waits until the connection breaks, which only shows when a question is asked now and then. */
async function untilBroken(
  session: Connection,
  signal: AbortSignal,
  ask: () => Promise<void>,
): Promise<void> {
  const broken = new Promise<never>((_, reject) => {
    session.once('error', reject);
    session.once('end', () => reject(new Error('the database closed the connection')));
  });
  broken.catch(() => undefined);
  while (!signal.aborted) {
    session.deadline = answerMs;
    await Promise.race([ask(), broken]);
    session.deadline = 0;
    await Promise.race([sleep(aliveMs, signal), broken]);
  }
}
