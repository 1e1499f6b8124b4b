import { hashPassword } from '../access/users/passwords.ts';
import { openPool, transaction } from '../engine/db.ts';
import { addTenant as insertTenant } from '../access/users/tenants.ts';
import { addAdministrator } from '../access/users/users.ts';
import { password, type App, type TestUser } from './app.ts';

/** Adds a second tenant, with the roles of every tenant; returns its administrator. */
export async function addTenant(app: App, name: string): Promise<TestUser> {
  const username = `admin of ${name}`;
  const passwordHash = await hashPassword(password);
  const pool = openPool(app.connection, 1);
  const id = await transaction(pool, async (db, clock) => {
    const now = await clock;
    const tenantId = await insertTenant(db, now, name);
    return addAdministrator(db, now, { tenantId, username, passwordHash });
  });
  await pool.end();
  const { body } = await app.as(undefined).logIn({ body: { username, password } });
  return { id: Number(id), token: body.token, call: app.as(body.token) };
}
