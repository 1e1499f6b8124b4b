import { chmod, writeFile } from 'node:fs/promises';
import path from 'node:path';
import pg from 'pg';
import type { Done } from './accounts.ts';

const rows = 50_000;

/**
 * The yardstick of bulk loading: the items of a queue and their records by COPY, into tables with the columns, checks and indexes of
 * Millrace's, 50,000 a transaction. Their events, which Millrace writes too, are left out.
 * @param folder that PostgreSQL can read.
 */
export async function copyFor(
  connection: pg.ClientConfig,
  folder: string,
  seconds: number,
  record: () => string,
): Promise<Done> {
  const client = new pg.Client(connection);
  await client.connect();
  try {
    return await copyUntil(client, await prepare(client, folder, record), seconds);
  } finally {
    await client.query('rollback; drop table if exists bench_items, bench_data');
    await client.end();
  }
}

async function copyUntil(
  client: pg.Client,
  files: Record<'items' | 'data', string>,
  seconds: number,
): Promise<Done> {
  const begun = performance.now();
  let items = 0;
  for (; performance.now() - begun < seconds * 1000; items += rows) {
    await client.query('begin');
    await client.query(`copy bench_items (queue_id, status, sort_key, priority, created_by, created_on, updated_by, updated_on)
      from '${files.items}' csv`);
    await client.query(`copy bench_data (queue_id, json) from '${files.data}' csv`);
    await client.query('commit');
  }
  return { items, requests: items / rows, seconds: (performance.now() - begun) / 1000 };
}

async function prepare(client: pg.Client, folder: string, record: () => string) {
  await client.query('drop table if exists bench_items, bench_data');
  await client.query('create table bench_items (like work_items including all)');
  await client.query(`create table bench_data (like work_item_data including all)`);
  await client.query('alter table bench_data alter item_id add generated always as identity');
  const [items, data] = ['bench-items.csv', 'bench-data.csv'].map((name) => path.join(folder, name)) as [
    string,
    string,
  ];
  const now = new Date().toISOString();
  const numbers = Array.from({ length: rows }, (_, index) => index);
  const item = (index: number) => `1,NEW,\\x05${index.toString(16).padStart(16, '0')},5,1,${now},1,${now}\n`;
  // PostgreSQL runs as another account where this one is root's.
  await chmod(folder, 0o755);
  await writeFile(items, numbers.map(item).join(''));
  await writeFile(data, numbers.map(() => `1,"${record().replaceAll('"', '""')}"\n`).join(''));
  return { items, data };
}
