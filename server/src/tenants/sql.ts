import type { Id } from '@millrace/api';
import { sql, type Db } from '../db.ts';

// Any number will do, as long as every Millrace server takes the same.
const startLock = 7_455_702;

/** Servers that start together prepare the database one after the other: the lock lasts until the transaction ends. */
export async function lockStart(db: Db): Promise<void> {
  await db.rows(sql`select pg_advisory_xact_lock(${startLock})`);
}

export async function hasTenant(db: Db): Promise<boolean> {
  return (await db.row(sql`select id from tenants limit 1`)) !== undefined;
}

export async function insertTenant(db: Db, name: string): Promise<Id> {
  const [row] = await db.rows<{ id: Id }>(sql`insert into tenants (name) values (${name}) returning id`);
  return (row as { id: Id }).id;
}
