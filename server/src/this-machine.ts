/** What is done on the machine of the server, by whoever rules that, while the server runs or not. */
import { readConfig } from './engine/config.ts';
import type { ConnectionConfig } from './engine/db.ts';
import { borrowPostgres } from './postgres/supervisor.ts';

/** Tells whoever sits there; standard output is for what a program reads. */
export const say = (line: string) => void process.stderr.write(`${line}\n`);

/** Does something with the database of the server, which is started for that where it is the embedded one and stands still. */
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

/** Says why something failed, for the exit of a process. */
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
