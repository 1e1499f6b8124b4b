/** Tasks on the machine of the server, for its operator, while the server runs or not. */
import { readConfig } from './engine/config.ts';
import type { ConnectionConfig } from './engine/db.ts';
import { borrowPostgres } from './postgres/supervisor.ts';

/** Writes a line for the person at the terminal; standard output is for other programs. */
export const say = (line: string) => void process.stderr.write(`${line}\n`);

/** Works with the database of the server; the embedded one is started for it if it is not running. */
export async function withDatabase(work: (connection: ConnectionConfig) => Promise<void>): Promise<void> {
  const { databaseUrl, dataFolder } = readConfig();
  const database =
    databaseUrl === undefined
      ? await borrowPostgres({ dataFolder, log: say })
      : { connection: { connectionString: databaseUrl }, stop: () => Promise.resolve() };
  try {
    await work(database.connection);
  } finally {
    await database.stop();
  }
}

/** Writes why something failed, and makes the process exit with an error. */
export function fail(error: unknown): void {
  say(messageOf(error as Error & { code?: string }));
  process.exitCode = 1;
}

const missing = new Set(['42P01', '42703']);

function messageOf({ code = '', message }: Error & { code?: string }): string {
  return missing.has(code)
    ? 'The database is not of this version of Millrace. Start its server once, which brings it up to date.'
    : message;
}
