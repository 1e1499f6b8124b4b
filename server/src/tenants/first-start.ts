import { randomInt } from 'node:crypto';
import type { Id } from '@millrace/api';
import { hashPassword } from '../auth/passwords.ts';
import { ensureSigningKey } from '../auth/signing-keys.ts';
import { transaction, type Db, type Pool } from '../db.ts';
import { restartFeed } from '../events/sql.ts';
import { addAdministrator, saveSystemRoles } from '../users/accounts.ts';
import { hasTenant, insertTenant, lockStart } from './sql.ts';

/**
 * Sees to what every start needs: the feed of events in order, the roles of this version and a signing key; and at the
 * first one a tenant with the user `admin`. Servers may start at the same time.
 * @returns the password of `admin`, when this start made one up.
 */
export function prepareTenant(pool: Pool, adminPassword: string | undefined): Promise<string | undefined> {
  return transaction(pool, async (db, clock) => {
    const now = await clock;
    await lockStart(db);
    await restartFeed(db);
    await ensureSigningKey(db, now);
    if (await hasTenant(db)) {
      await saveSystemRoles(db, now);
      return undefined;
    }
    const tenantId = await createTenant(db, now, 'default');
    const password = adminPassword ?? makePassword();
    await addAdministrator(db, now, {
      tenantId,
      username: 'admin',
      passwordHash: await hashPassword(password),
    });
    return adminPassword === undefined ? password : undefined;
  });
}

/** Creates a tenant with the roles of this version, without users. */
export async function createTenant(db: Db, now: Date, name: string): Promise<Id> {
  const tenantId = await insertTenant(db, name);
  await saveSystemRoles(db, now);
  return tenantId;
}

// Without characters that are mistaken for one another when somebody copies them from a screen.
const alphabet = 'abcdefghjkmnpqrstuvwxyz23456789';

/** A password that can be read out and typed: four groups of five characters, 99 random bits. */
function makePassword(): string {
  const group = () => Array.from({ length: 5 }, () => alphabet[randomInt(alphabet.length)]).join('');
  return Array.from({ length: 4 }, group).join('-');
}
