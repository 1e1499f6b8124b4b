import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Id } from '@millrace/api';
import { sql, type Db } from '../engine/db.ts';
import { Refusal } from '../engine/errors.ts';
import type { Context, RecordKey, SealingKey } from '../engine/operation.ts';
import { millrace, recordTenantEvents } from '../journal/journal.ts';
import { keyIdOf } from './seal.rules.ts';

/** The key in a file, for changes of the record: without its signature the seals would not accept the change. */
export const recordKeyIn =
  (file: string): RecordKey =>
  (context) =>
    sealingKeyOf(context, file).catch((error: Error) => {
      throw new Refusal(
        'UNAVAILABLE',
        `What is erased of the record of events is signed, and this server has no key for that: ${error.message} ` +
          'Let it write its key file, or set MILLRACE_SEALING_KEY_FILE.',
      );
    });

/**
 * The key of this server. Makes one where there is none, or where its own was retired, and records that.
 * @throws Error when the file cannot be read or written, or has no key of this kind.
 */
export async function sealingKeyOf(
  context: Pick<Context, 'db' | 'now' | 'wake'>,
  file: string,
): Promise<SealingKey> {
  const present = (await readKey(file)) ?? (await makeKey(file, 'NEW'));
  const known = await selectKey(context.db, present.id);
  if (known && !known.isRetired) return present;
  if (!known) return register(context, present);
  return register(context, await makeKey(file, 'INSTEAD'), present.id);
}

async function readKey(file: string): Promise<SealingKey | undefined> {
  try {
    return keyIn(await readFile(file, 'utf8'), file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function keyIn(pem: string, file: string): SealingKey {
  const privateKey = createPrivateKey(pem);
  if (privateKey.asymmetricKeyType !== 'ed25519')
    throw new Error(
      `${file} must hold an Ed25519 key, as \`openssl genpkey -algorithm ed25519\` makes one, and holds one for ${privateKey.asymmetricKeyType}.`,
    );
  return { id: keyIdOf(publicHalf(privateKey)), privateKey };
}

function publicHalf(privateKey: KeyObject): string {
  return createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }) as string;
}

/** Writes a new key, whole or not at all. With NEW, servers that share a folder take the key of the first. */
async function makeKey(file: string, where: 'NEW' | 'INSTEAD'): Promise<SealingKey> {
  const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
  const draft = `${file}.${process.pid}.new`;
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(draft, pem, { mode: 0o600 });
  if (where === 'INSTEAD') await rename(draft, file);
  else await link(draft, file).catch(acceptOther);
  await rm(draft, { force: true });
  return (await readKey(file)) as SealingKey;
}

function acceptOther(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}

async function register(
  context: Pick<Context, 'db' | 'now' | 'wake'>,
  key: SealingKey,
  replaces?: string,
): Promise<SealingKey> {
  const { db, now } = context;
  const row = await db.row(sql`
    insert into sealing_keys (id, public_key, created_on) values (${key.id}, ${publicHalf(key.privateKey)}, ${now})
    on conflict do nothing returning id`);
  const event = { operation: 'addSealingKey', actorId: millrace, changes: { keyId: key.id, replaces } };
  if (row) await recordTenantEvents(context, await selectFirstTenant(db), [event]);
  return key;
}

function selectKey(db: Db, id: string) {
  return db.row<{ isRetired: boolean }>(
    sql`select retired_on is not null as "isRetired" from sealing_keys where id = ${id}`,
  );
}

/** Keys belong to the installation: events about them are recorded in its first tenant. */
async function selectFirstTenant(db: Db): Promise<Id> {
  const row = await db.row<{ id: Id }>(sql`select id from tenants order by id limit 1`);
  return (row as { id: Id }).id;
}
