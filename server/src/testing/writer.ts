import pg from 'pg';
import type { App } from './app.ts';

/** Begins a transaction that has written, and may write more. @returns a function that ends it, without a trace */
export async function beginWriter({ connection }: App): Promise<() => Promise<void>> {
  const client = new pg.Client(connection);
  await client.connect();
  await client.query('begin; select pg_current_xact_id()');
  return () => client.end();
}
