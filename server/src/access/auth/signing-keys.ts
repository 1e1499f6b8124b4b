import { generateKeyPair, randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { sql, type Db } from '../../engine/db.ts';
import type { PlainOperation } from '../../engine/operation.ts';
import { recordOfAccess } from '../../journal/journal.ts';
import { selectSigningKey } from './sql.ts';
import type { SigningKey } from './tokens.ts';

export const rotateSigningKey: PlainOperation<'rotateSigningKey'> = async (context, { body }) => {
  const { db, now } = context;
  const { endSessions = false } = body ?? {};
  const id = await addSigningKey(db, now);
  if (endSessions) await endAllSessions(db, id);
  await recordOfAccess(context, { operation: 'rotateSigningKey', changes: { keyId: id, endSessions } });
  return { id, createdOn: now.toISOString() };
};

/** Adds a key that signs from now on; returns its id. */
export async function addSigningKey(db: Db, now: Date): Promise<string> {
  const key = await makeSigningKey();
  await insertSigningKey(db, now, key);
  return key.id;
}

/** Adds a key if there is none. */
export async function ensureSigningKey(db: Db, now: Date): Promise<void> {
  if (!(await selectSigningKey(db))) await addSigningKey(db, now);
}

async function insertSigningKey(db: Db, now: Date, key: SigningKey): Promise<void> {
  await db.rows(sql`insert into signing_keys (id, private_key, public_key, created_on)
    values (${key.id}, ${key.privateKey}, ${key.publicKey}, ${now})`);
}

/** Tokens of other keys are not accepted any more, and browsers get no new ones. */
async function endAllSessions(db: Db, newKeyId: string): Promise<void> {
  await db.rows(sql`delete from signing_keys where id <> ${newKeyId}`);
  await db.rows(sql`delete from sessions`);
}

export async function makeSigningKey(): Promise<SigningKey> {
  const pair = await promisify(generateKeyPair)('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  return { id: randomUUID(), ...pair };
}
