import pg from 'pg';
import { Connection } from './connection.ts';
import { sessionSettings, type ConnectionConfig, type Pool } from './db.ts';
import type { Log } from './operation.ts';

interface Demands {
  /** Whether a database may lose acknowledged work in a crash. */
  readonly allowLoss: boolean;
  readonly log: Pick<Log, 'info' | 'warn'>;
}

/**
 * Makes sure that sessions have the properties that Millrace relies on, by the same route as later ones: a pooler may stand in between.
 * @param pool must not have opened a connection yet: its sessions would be from before the settings.
 * @param direct for migrations and listening.
 * @throws Error with the fault of the database, or of the pooler, and its remedy.
 */
export async function prepareSessions(pool: Pool, direct: ConnectionConfig, demands: Demands): Promise<void> {
  await refuseOtherDatabase(pool);
  // Before more sessions are opened: a pooler would keep those, without the settings.
  await ensureSettings(pool, direct, demands.log);
  await refuseLoss(pool, demands);
  await refuseSharedSessions(direct);
  await refuseForgottenStatements(pool);
}

/** Works with a connection that is closed afterwards, as its session may be from before a change of its defaults. */
async function onNewConnection<T>(pool: Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  try {
    return await work(client);
  } finally {
    client.release(true);
  }
}

async function processOf(client: pg.Client): Promise<number | undefined> {
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  return rows[0]?.pid;
}

/** Whether a pooler stands in between: it gives connections ids of its own. */
async function isPooled(client: pg.Client): Promise<boolean> {
  const { processID } = client as unknown as { processID: number };
  return (await processOf(client)) !== processID;
}

/** Refuses sessions that pass to somebody else after each transaction: notifications cannot be received in them. */
async function refuseSharedSessions(direct: ConnectionConfig): Promise<void> {
  const [one, two] = [new Connection(direct), new Connection(direct)];
  try {
    await one.connect();
    if (!(await isPooled(one))) return;
    await two.connect();
    const own = await processOf(one);
    await two.query('begin');
    if ((await processOf(two)) !== own && (await processOf(one)) === own) return;
  } finally {
    await Promise.all([one.end(), two.end()]);
  }
  throw new Error(
    'The connection for migrations and for listening goes through a pooler that shares sessions out, as PgBouncer does in ' +
      'transaction mode. Set MILLRACE_DATABASE_DIRECT_URL to the address of PostgreSQL itself.',
  );
}

async function refuseForgottenStatements(pool: Pool): Promise<void> {
  const isWell = await onNewConnection(pool, async (one) =>
    (await isPooled(one)) ? onNewConnection(pool, (two) => keepStatements(one, two)) : true,
  );
  if (isWell) return;
  throw new Error(
    'The pooler at MILLRACE_DATABASE_URL forgets named statements. In transaction mode Millrace needs PgBouncer 1.21 or newer ' +
      'with max_prepared_statements = 200 or more; with an older one use session mode.',
  );
}

/** Whether a session keeps its named statements, even after another session has had its turn. */
async function keepStatements(one: pg.PoolClient, two: pg.PoolClient): Promise<boolean> {
  const statement = { name: 'millrace_probe', text: 'select 1' };
  try {
    await one.query(statement);
    await two.query('begin');
    // A pooler with one session for both knows the name already ...
    await two.query(statement);
    // ... and one with several gives this one another session, while the transaction of the other lasts.
    (one as Connection & pg.PoolClient).deadline = 2_000;
    await one.query(statement).catch(refuseUnknown);
    return true;
  } catch (error) {
    if (['42P05', '26000'].includes((error as { code?: string }).code ?? '')) return false;
    throw error;
  }
}

/** A pooler with a single session answers nothing while the other transaction lasts, which is fine. */
function refuseUnknown(error: Error): void {
  if ('code' in error) throw error;
}

async function refuseOtherDatabase(pool: Pool): Promise<void> {
  const { rows } = await onNewConnection(pool, (client) =>
    client.query<{ known: boolean }>(`select to_regclass('migrations') is not null as known`),
  );
  if (rows[0]?.known) return;
  throw new Error(
    'MILLRACE_DATABASE_URL and MILLRACE_DATABASE_DIRECT_URL must lead to the same database, and do not: the one that was ' +
      'migrated is not the one that requests use.',
  );
}

interface Session {
  readonly role: string;
  readonly database: string;
  /** Settings of Millrace that are not in force. */
  readonly missing: string[];
}

async function readSession(pool: Pool): Promise<Session> {
  const { rows } = await onNewConnection(pool, (client) =>
    client.query<{ role: string; database: string; name: string; value: string }>(
      `select current_user as role, current_database() as database, name, current_setting(name) as value
       from unnest($1::text[]) as name`,
      [Object.keys(sessionSettings)],
    ),
  );
  const { role = '', database = '' } = rows[0] ?? {};
  const others = rows.filter(({ name, value }) => value !== sessionSettings[name]);
  return { role, database, missing: others.map(({ name }) => name) };
}

async function ensureSettings(pool: Pool, direct: ConnectionConfig, log: Pick<Log, 'info'>): Promise<void> {
  const session = await readSession(pool);
  if (session.missing.length === 0) return;
  const statements = session.missing.map((name) => settingOf(session, name));
  await runOnce(direct, statements);
  log.info({ settings: session.missing }, 'set defaults for the sessions of Millrace in its database');
  const { missing } = await readSession(pool);
  if (missing.length === 0) return;
  throw new Error(
    `Sessions at MILLRACE_DATABASE_URL lack settings that Millrace needs (${missing.join(', ')}). If a pooler stands in between, ` +
      'have it open new connections (PgBouncer: RECONNECT) and start again. Else run these as a user who may, and start again:\n' +
      missing.map((name) => `  ${settingOf(session, name)};`).join('\n'),
  );
}

function settingOf({ role, database }: Session, name: string): string {
  const [user, place] = [role, database].map(pg.escapeIdentifier);
  return `alter role ${user} in database ${place} set ${name} = '${sessionSettings[name]}'`;
}

/**
 * Runs statements in one transaction, one server at a time. A server without the right to run them learns so from the settings that are
 * still missing afterwards.
 */
async function runOnce(direct: ConnectionConfig, statements: readonly string[]): Promise<void> {
  const client = new Connection(direct);
  try {
    await client.connect();
    client.deadline = 20_000;
    const lock = `select pg_advisory_xact_lock(hashtextextended('millrace settings', 0))`;
    await client.query(['begin', lock, ...statements, 'commit'].join('; '));
    // The settings are not in force in this session, which a pooler would keep and give to this server.
    await client.query('select pg_terminate_backend(pg_backend_pid())').catch(() => undefined);
  } catch (error) {
    if ((error as { code?: string }).code !== '42501') throw error;
  } finally {
    await client.end();
  }
}

/** An answer means that the work is on disk; a database set to answer earlier breaks that promise. */
async function refuseLoss(pool: Pool, { allowLoss, log }: Demands): Promise<void> {
  const { rows } = await onNewConnection(pool, (client) =>
    client.query<{ name: string }>(
      `select name from pg_settings where name in ('synchronous_commit', 'fsync') and setting = 'off' order by name`,
    ),
  );
  const [first] = rows;
  if (!first) return;
  const what = rows.map(({ name }) => name).join(' and ');
  if (!allowLoss)
    throw new Error(
      `PostgreSQL runs with ${what} off: a crash would lose work that was acknowledged. Turn it on in postgresql.conf and for the ` +
        'user and the database of Millrace (alter role, alter database), reload PostgreSQL, and start again.',
    );
  log.warn({ settings: what }, `PostgreSQL runs with ${what} off: a crash loses work that was acknowledged`);
}
