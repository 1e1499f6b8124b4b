import pg from 'pg';
import { afterEach, describe, expect, test } from 'vitest';
import { createDatabase } from '../testing/app.ts';
import { startLine } from '../testing/line.ts';
import { poolWakeUp } from './wake-ups.ts';
import { Notifier } from './notifier.ts';

const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const open: Notifier[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((notifier) => notifier.close()));
});

/** A notifier that collects the notices that it hears, and a promise for the next one. */
function listen(connection: pg.ClientConfig) {
  const heard: (readonly [name: unknown, items: number])[] = [];
  const waiting: (() => void)[] = [];
  const notifier = new Notifier(connection, log, (name, items) => {
    heard.push([name, items]);
    for (const wake of waiting.splice(0)) wake();
  });
  open.push(notifier);
  const next = () => new Promise<void>((resolve) => waiting.push(resolve));
  return { notifier, heard, next };
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

/** Waits until this many notifiers have their connection. */
async function listening(connection: pg.ClientConfig, count: number): Promise<void> {
  const text = `select from pg_stat_activity where application_name = 'millrace notifier' and datname = current_database()
    and query like 'select%'`;
  while ((await run(connection, text)).rowCount !== count)
    await new Promise((resolve) => setTimeout(resolve, 50));
}

describe('a notifier', () => {
  test('hears what another server tells, added up by wake-up, and not what it tells itself', async () => {
    const connection = await createDatabase();
    const [here, there] = [listen(connection), listen(connection)];
    await listening(connection, 2);
    // The first may have found itself alone, and the newcomer's first notice may still be on its way.
    const met = there.next();
    const telling = setInterval(() => here.notifier.notify(1, 1), 50);
    await met;
    clearInterval(telling);
    here.notifier.notify(7, 1);
    here.notifier.notify(7, 2);
    here.notifier.notify(9007199254740993n, 1);
    here.notifier.notify(poolWakeUp(9007199254740993n), 2);
    await expect
      .poll(() => there.heard.filter(([name]) => name !== 1))
      .toEqual([
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
    // The newcomer's first notice may still be on its way: notices sent before it are lost to the test only.
    const telling = setInterval(() => first.notifier.notify(5, 1), 50);
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
       where application_name = 'millrace notifier' and datname = current_database()`,
    );
    const arrived = there.next();
    const telling = setInterval(() => here.notifier.notify(3, 1), 50);
    await arrived;
    clearInterval(telling);
    expect(there.heard[0]?.[0]).toBe(3);
  });

  test('opens a new connection when nothing comes through the one it has any more', async () => {
    const database = await createDatabase();
    const line = await startLine(database);
    const [here, there] = [listen(database), listen(line.connection)];
    await listening(database, 2);
    line.swallow();
    await line.mend();
    const arrived = there.next();
    const telling = setInterval(() => here.notifier.notify(3, 1), 50);
    await arrived;
    clearInterval(telling);
    expect(there.heard[0]?.[0]).toBe(3);
  });

  test('leaves nothing set in its session, which may be of a pooler', async () => {
    const line = await startLine(await createDatabase());
    const { notifier } = listen(line.connection);
    await listening(line.connection, 1);
    await notifier.close();
    expect(line.sent()).toContain('pg_notify');
    expect(line.sent()).not.toMatch(/set synchronous_commit/);
  });
});
