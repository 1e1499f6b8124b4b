import { sql, transaction, type Db, type Pool } from '../engine/db.ts';
import { restartFeed } from '../journal/restart.ts';
import { ensureSigningKey } from './auth/signing-keys.ts';
import { hashPassword, makePassword, problemOf } from './users/passwords.ts';
import { addTenant, saveSystemRoles } from './users/tenants.ts';
import { addAdministrator } from './users/users.ts';

/**
 * Prepares the database for a start: the feed of events in order, the roles of this version and a signing key; and at the first start a
 * tenant with the user `admin`, who also manages the installation. Servers may start at the same time.
 * @returns the generated password of `admin`, when this start made one
 * @throws Error when the given password is weak and this is the first start; later ones do not read it.
 */
export function prepareTenant(pool: Pool, adminPassword: string | undefined): Promise<string | undefined> {
  return transaction(pool, async (db, clock) => {
    const now = await clock;
    await lockStart(db);
    await restartFeed({ db, now });
    await ensureSigningKey(db, now);
    if (await hasTenant(db)) {
      await saveSystemRoles(db, now);
      return undefined;
    }
    const tenantId = await addTenant(db, now, 'default');
    const password = adminPassword ?? makePassword();
    if (adminPassword !== undefined) await refuseWeak(adminPassword);
    await addAdministrator(db, now, {
      tenantId,
      username: 'admin',
      passwordHash: await hashPassword(password),
      isOperator: true,
    });
    return adminPassword === undefined ? password : undefined;
  });
}

/** @throws Error with the reason why a password for `admin` is weak */
export async function refuseWeak(adminPassword: string): Promise<void> {
  const problem = await problemOf(adminPassword, 'admin');
  if (problem !== undefined) throw new Error(`MILLRACE_ADMIN_PASSWORD ${problem}.`);
}

// Any number will do, as long as every Millrace server takes the same.
const startLock = 7_455_702;

/** Servers that start together prepare the database one after the other: the lock lasts until the transaction ends. */
async function lockStart(db: Db): Promise<void> {
  await db.rows(sql`select pg_advisory_xact_lock(${startLock})`);
}

async function hasTenant(db: Db): Promise<boolean> {
  return (await db.row(sql`select id from tenants limit 1`)) !== undefined;
}
