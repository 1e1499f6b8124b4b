import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ConnectionConfig } from '../../server/src/engine/db.ts';
import { databaseUser } from '../../server/src/postgres/cluster.ts';
import { choosePlace } from '../../server/src/postgres/place.ts';
import { startPostgres } from '../../server/src/postgres/supervisor.ts';
import { atEnd } from '../../server/src/testing/endings.ts';
import { startLine, type Line } from '../../server/src/testing/line.ts';
import { mountDisk, type Disk } from '../history/disk.ts';
import { postgresIn, type Postgres } from '../history/postgres.ts';
import { runServer, urlOf, type ServerProcess } from '../history/server.ts';

/** The real server and its database, to be struck. */
export interface Place {
  readonly server: ServerProcess;
  readonly database: Postgres;
  /** The way to the database that no fault spoils. */
  readonly connection: ConnectionConfig;
}

export const password = 'a password for the faults';
const settings = { MILLRACE_ADMIN_PASSWORD: password };

/** A server with its embedded database, as people start it. */
export async function openPlace(data = newFolder()): Promise<Place> {
  const server = await runServer({ ...settings, MILLRACE_DATA: data });
  const database = postgresIn(data);
  atEnd(async () => {
    await server.stop();
    // Nobody else ends the database of a server that was killed.
    await database.shutDown();
  });
  const { sockets = '' } = await choosePlace(data);
  const connection = { host: sockets, port: 5432, user: databaseUser, database: 'millrace' };
  return { server, database, connection };
}

/** The same on a small disk of its own; answers the reason where there is none to be had. */
export async function openPlaceOnDisk(): Promise<(Place & { readonly disk: Disk }) | string> {
  const folder = newFolder();
  const disk = mountDisk(folder, 600);
  if (typeof disk === 'string') return disk;
  atEnd(disk.unmount);
  const data = path.join(folder, 'data');
  mkdirSync(data);
  return { ...(await openPlace(data)), disk };
}

/** A server whose way to its database can be spoiled. */
export async function openPlaceOnLine(): Promise<Place & { readonly line: Line }> {
  const data = newFolder();
  const postgres = await startPostgres({ dataFolder: data, log: () => undefined });
  atEnd(() => postgres.stop());
  const { connection } = postgres;
  const line = await startLine(connection);
  const server = await runServer({ ...settings, MILLRACE_DATABASE_URL: urlOf(line.connection) });
  atEnd(() => server.stop());
  return { server, database: postgresIn(data), connection, line };
}

function newFolder(): string {
  const folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'millrace-faults-')));
  atEnd(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
