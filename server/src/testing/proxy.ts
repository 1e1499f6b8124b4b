import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import type pg from 'pg';
import { atEnd } from './endings.ts';
import { connectTo } from './line.ts';

/** A connection to PostgreSQL that can break at the worst moment. */
export interface Proxy {
  /** The connection parameters for the database through the proxy. */
  readonly connection: pg.ClientConfig;
  /** Begins, or ends, breaking each connection after the database has committed and before the answer arrives. */
  loseCommits(isLosing: boolean): void;
}

// The answer of PostgreSQL: CommandComplete, its length, the name of the command.
const committed = Buffer.from('C\0\0\0\u000bCOMMIT\0');

/** Stands between an application and its database until the test file ends. */
export async function startProxy(database: pg.ClientConfig): Promise<Proxy> {
  let losing = false;
  const server = createServer((client) => {
    const behind = connectTo(database);
    const end = () => {
      client.destroy();
      behind.destroy();
    };
    for (const socket of [client, behind]) socket.once('error', end).once('close', end);
    client.on('data', (part) => behind.write(part));
    behind.on('data', (part) => (losing && part.includes(committed) ? end() : client.write(part)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return {
    connection: { ...database, host: '127.0.0.1', port },
    loseCommits: (isLosing) => (losing = isLosing),
  };
}
