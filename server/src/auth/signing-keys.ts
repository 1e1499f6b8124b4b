import type { Db } from '../db.ts';
import { makeSigningKey } from './signing.ts';
import { insertSigningKey, selectSigningKey } from './sql.ts';

/** Adds a key that signs from now on, and answers its id. */
export async function addSigningKey(db: Db, now: Date): Promise<string> {
  const key = await makeSigningKey();
  await insertSigningKey(db, now, key);
  return key.id;
}

/** Adds a key if there is none. */
export async function ensureSigningKey(db: Db, now: Date): Promise<void> {
  if (!(await selectSigningKey(db))) await addSigningKey(db, now);
}
