import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import type pg from 'pg';
import { atEnd } from './endings.ts';
import { connectTo } from './line.ts';

type Mode = 'session' | 'transaction';

// ReadyForQuery outside of a transaction, at the end of an answer.
const idle = Buffer.from('Z\0\0\0\u0005I');
// BackendKeyData, before the process id and the secret of a session.
const keyData = Buffer.from('K\0\0\0\u000c');

const isIdle = (answer: Buffer) => answer.subarray(-idle.length).equals(idle);

/**
 * Stands between an application and its database like PgBouncer, until the test file ends: connections have ids of its own. With
 * `transaction` each transaction of a connection gets another session, which does not know statements named before.
 */
export async function startPooler(database: pg.ClientConfig, mode: Mode): Promise<pg.ClientConfig> {
  const server = createServer((near) => {
    const carry = carrier(near, database, mode);
    let carried = Promise.resolve();
    near.on('data', (part: Buffer) => void (carried = carried.then(() => carry(part))));
    near.on('error', () => undefined);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  atEnd(() => void server.close());
  return { ...database, host: '127.0.0.1', port: (server.address() as AddressInfo).port };
}

/** Carries the messages of a connection to its session: one for good, or a new one for each transaction. */
function carrier(near: Socket, database: pg.ClientConfig, mode: Mode) {
  let hello: Buffer | undefined;
  let far: Socket | undefined;
  let isFree = true;
  near.on('close', () => far?.destroy());
  return async (part: Buffer): Promise<void> => {
    if (!far || (isFree && mode === 'transaction')) {
      far?.removeAllListeners('close').destroy();
      far = connectTo(database).on('error', () => undefined);
      far.write(hello ?? part);
      const greeting = await greetingOf(far);
      far
        .on('close', () => near.destroy())
        .on('data', (answer: Buffer) => {
          isFree = isIdle(answer);
          near.write(answer);
        });
      if (!hello) near.write(withOtherId(greeting));
    }
    if (hello) far.write(part);
    else hello = part;
  };
}

/** The messages of a new session until it is ready for a query. */
async function greetingOf(far: Socket): Promise<Buffer> {
  let greeting = Buffer.alloc(0);
  while (!isIdle(greeting)) greeting = Buffer.concat([greeting, ...((await once(far, 'data')) as Buffer[])]);
  return greeting;
}

function withOtherId(greeting: Buffer): Buffer {
  const at = greeting.indexOf(keyData) + keyData.length;
  return greeting.fill(7, at, at + 4);
}
