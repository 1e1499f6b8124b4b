import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { sql, type Reader } from './db.ts';
import { Vault, type KeySource } from './vault.ts';

/** The default file of the master key: beside the embedded database, whose backups do not contain it. */
export function masterKeyIn(dataFolder: string): string {
  return path.join(dataFolder, 'master-key');
}

/** Makes the file, readable by this account alone, unless it exists. @returns whether it was made */
export async function makeMasterKey(file: string): Promise<boolean> {
  const key = `${randomBytes(32).toString('base64')}\n`;
  try {
    await writeFile(file, key, { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** The vault of a server, and the file of the master key if it was just made. */
interface OpenedVault {
  readonly vault: Vault;
  readonly madeFile: string | undefined;
}

/**
 * Opens the vault of a server on its database.
 * @param ownFile the file of the master key where none is given. It is made only while nothing is encrypted yet: a new key could open
 *   nothing.
 * @throws Error when a master key is wrong or missing
 */
export async function openVault(
  db: Reader,
  given: KeySource,
  ownFile: string | undefined,
): Promise<OpenedVault> {
  const isGiven = given.masterKey !== undefined || given.masterKeyFile !== undefined;
  const file = isGiven ? undefined : ownFile;
  const isMade = file !== undefined && !(await hasKeys(db)) && (await makeMasterKey(file));
  const isThere = file !== undefined && existsSync(file);
  const vault = new Vault(isThere ? { masterKey: undefined, masterKeyFile: file } : given);
  await vault.check(db);
  return { vault, madeFile: isMade ? file : undefined };
}

async function hasKeys(db: Reader): Promise<boolean> {
  return (await db.row(sql`select from tenant_keys limit 1`)) !== undefined;
}
