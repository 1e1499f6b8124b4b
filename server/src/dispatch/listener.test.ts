import pg from 'pg';
import { afterEach, describe, expect, test } from 'vitest';
import { createDatabase } from '../testing/app.ts';
import { poolBell } from './bell.ts';
import { Listener } from './listener.ts';

const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const open: Listener[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((listener) => listener.close()));
});

/** A listener that notes what it hears, and says when it has heard something. */
function listen(connection: pg.ClientConfig) {
  const heard: (readonly [name: unknown, items: number])[] = [];
  const waiting: (() => void)[] = [];
  const listener = new Listener(connection, log, (name, items) => {
    heard.push([name, items]);
    for (const wake of waiting.splice(0)) wake();
  });
  open.push(listener);
  const next = () => new Promise<void>((resolve) => waiting.push(resolve));
  return { listener, heard, next };
}

async function run(connection: pg.ClientConfig, text: string): Promise<pg.QueryResult> {
  const client = new pg.Client(connection);
  await client.connect();
  try {
    return await client.query(text);
  } finally {
    await client.end();
  }
}

/** Until so many listeners have their connection. */
async function listening(connection: pg.ClientConfig, count: number): Promise<void> {
  const text = `select from pg_stat_activity where application_name = 'millrace listener' and datname = current_database()
    and query like 'select%'`;
  while ((await run(connection, text)).rowCount !== count)
    await new Promise((resolve) => setTimeout(resolve, 50));
}

describe('a listener', () => {
  test('hears what another server tells, added up by bell, and not what it tells itself', async () => {
    const connection = await createDatabase();
    const [here, there] = [listen(connection), listen(connection)];
    await listening(connection, 2);
    const arrived = there.next();
    here.listener.tell(7, 1);
    here.listener.tell(7, 2);
    here.listener.tell(9007199254740993n, 1);
    here.listener.tell(poolBell(9007199254740993n), 2);
    await arrived;
    expect(there.heard).toEqual([
      [7, 3],
      [9007199254740993n, 1],
      ['pool 9007199254740993', 2],
    ]);
    expect(here.heard).toEqual([]);
  });

  test('hears a server that was alone before it came', async () => {
    const connection = await createDatabase();
    const first = listen(connection);
    await listening(connection, 1);
    const second = listen(connection);
    await listening(connection, 2);
    const arrived = second.next();
    // The newcomer's first words may still be on their way: what is told before them is nobody's loss but the test's.
    const telling = setInterval(() => first.listener.tell(5, 1), 50);
    await arrived;
    clearInterval(telling);
    expect(second.heard[0]).toEqual([5, expect.any(Number)]);
  });

  test('opens a new connection when the database cuts the one it has', async () => {
    const connection = await createDatabase();
    const [here, there] = [listen(connection), listen(connection)];
    await listening(connection, 2);
    await run(
      connection,
      `select pg_terminate_backend(pid) from pg_stat_activity
       where application_name = 'millrace listener' and datname = current_database()`,
    );
    const arrived = there.next();
    const telling = setInterval(() => here.listener.tell(3, 1), 50);
    await arrived;
    clearInterval(telling);
    expect(there.heard[0]?.[0]).toBe(3);
  });
});
