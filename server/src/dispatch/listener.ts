import { randomUUID } from 'node:crypto';
import { toId, type Id } from '@millrace/api';
import pg from 'pg';
import type { ConnectionConfig } from '../db.ts';
import type { Log } from '../operation.ts';
import { sleep } from '../sleep.ts';

/** Carries the bell between servers on one database. A hint only: what it misses, waiting consumers find themselves. */
export interface Listener {
  /** Tells the other servers that a queue has got so many items; several in a short time go together. */
  tell(queueId: Id, items: number): void;
  close(): Promise<void>;
}

const channel = 'millrace_work';
// Each notice takes a lock on the whole database at its commit: one in so many milliseconds, whatever happens.
const gatherMilliseconds = 20;
const queuesInNotice = 200;
const aliveMilliseconds = 15_000;
const longestPause = 10_000;

interface Notice {
  readonly server: string;
  readonly queues: readonly (readonly [id: string, items: number])[];
}

/** Listens on a connection of its own, and opens a new one whenever it breaks. */
export function openListener(
  connection: ConnectionConfig,
  log: Log,
  ring: (queueId: Id, items: number) => void,
): Listener {
  const server = randomUUID();
  const gathered = new Map<Id, number>();
  const closing = new AbortController();
  let client: pg.Client | undefined;
  let timer: NodeJS.Timeout | undefined;

  const hear = ({ payload = '' }: pg.Notification) => {
    const notice = JSON.parse(payload) as Notice;
    if (notice.server === server) return;
    for (const [id, items] of notice.queues) ring(toId(id), items);
  };

  async function send(): Promise<void> {
    timer = undefined;
    const queues = [...gathered].slice(0, queuesInNotice).map(([id, items]) => [String(id), items] as const);
    for (const [id] of [...gathered].slice(0, queuesInNotice)) gathered.delete(id);
    if (gathered.size > 0) schedule();
    const notice: Notice = { server, queues };
    await client?.query('select pg_notify($1, $2)', [channel, JSON.stringify(notice)]);
  }

  const schedule = () => {
    timer ??= setTimeout(() => void send().catch(() => undefined), gatherMilliseconds);
  };

  async function listen(): Promise<void> {
    let pauseMilliseconds = 100;
    while (!closing.signal.aborted) {
      const session = new pg.Client({
        ...connection,
        keepAlive: true,
        application_name: 'millrace listener',
      });
      try {
        await connect(session, hear);
        client = session;
        pauseMilliseconds = 100;
        await broken(session, closing.signal);
      } catch (error) {
        log.warn({ err: error }, 'the listener for new work lost its connection and opens a new one');
      }
      client = undefined;
      await session.end().catch(() => undefined);
      await sleep(pauseMilliseconds, closing.signal);
      pauseMilliseconds = Math.min(pauseMilliseconds * 2, longestPause);
    }
  }

  const listening = listen();
  return {
    tell: (queueId, items) => {
      gathered.set(queueId, (gathered.get(queueId) ?? 0) + items);
      schedule();
    },
    close: async () => {
      clearTimeout(timer);
      closing.abort();
      await listening;
    },
  };
}

async function connect(session: pg.Client, hear: (notice: pg.Notification) => void): Promise<void> {
  session.on('notification', hear);
  await session.connect();
  // A notice is worth nothing after a crash: waiting for the disk would only slow the others down.
  await session.query(`set synchronous_commit = off; listen ${channel}`);
}

/** Until the connection breaks, which nobody would notice without asking now and then. */
async function broken(session: pg.Client, signal: AbortSignal): Promise<void> {
  const failed = new Promise<never>((_, reject) => {
    session.once('error', reject);
    session.once('end', () => reject(new Error('the database closed the connection')));
  });
  failed.catch(() => undefined);
  while (!signal.aborted) {
    await Promise.race([sleep(aliveMilliseconds, signal), failed]);
    if (!signal.aborted) await Promise.race([session.query('select'), failed]);
  }
}
