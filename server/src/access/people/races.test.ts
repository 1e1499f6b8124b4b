import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { password, startApp, type App } from '../../testing/app.ts';
import { eventually } from '../../testing/fixtures.ts';
import { hashPassword } from '../users/passwords.ts';

const app = await startApp();
const administrator = ['AAE_Admin', 'AAE_Operator'];

/** Another server, as far as the database knows: it is in the middle of a transaction. */
async function inTheMiddle(one: App, work: (client: pg.Client) => Promise<void>): Promise<pg.Client> {
  const client = new pg.Client(one.connection);
  await client.connect();
  await client.query('begin');
  await work(client);
  return client;
}

/** Number of transactions of the application that wait for a lock. */
async function waiting(): Promise<number> {
  const [row] = await app.sql<{ count: number }>(
    `select count(*)::int as count from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
  );
  return row?.count ?? 0;
}

describe('changes of users at the same time', () => {
  it('disableUser does nothing for an administrator whom another one has disabled meanwhile', async () => {
    const [one, two] = [await app.user('one', administrator), await app.user('two', administrator)];
    const answers = await Promise.all([
      one.call.disableUser({ path: { id: two.id } }),
      two.call.disableUser({ path: { id: one.id } }),
    ]);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    const rows = await app.sql('select from users where disabled and id = any($1::bigint[])', [
      [one.id, two.id],
    ]);
    expect(rows).toHaveLength(1);
  });

  it('logIn with a password that is being reset begins no session', async () => {
    const { id } = await app.user('reset meanwhile');
    const client = await inTheMiddle(app, async (db) => {
      await db.query('select from users where id = $1 for no key update', [id]);
      await db.query('update users set password_hash = $2, must_change_password = true where id = $1', [
        id,
        await hashPassword('temporary horse battery'),
      ]);
      await db.query('delete from sessions where user_id = $1', [id]);
    });
    const answer = app.as(undefined).logIn({ body: { username: 'reset meanwhile', password } });
    await eventually(waiting, (count) => count > 0);
    await client.query('commit');
    await client.end();
    expect((await answer).status).toBe(401);
    expect(await app.sql('select from sessions where user_id = $1', [id])).toEqual([]);
  });

  it('resetUserPassword keeps nobody waiting while it hashes', async () => {
    const { id } = await app.user('reset in a crowd');
    const crowd = Array.from({ length: 60 }, () => hashPassword(password));
    const answer = app.admin.resetUserPassword({ path: { id } });
    // The crowd came first: the reset is hashed only after the last of it.
    const held: number[] = [];
    for (const one of crowd) {
      const [row] = await app.sql<{ count: number }>(
        `select count(*)::int as count from pg_locks where locktype = 'advisory' and objid = 7455703`,
      );
      const isLast = await Promise.race([crowd.at(-1), Promise.resolve(undefined)]);
      if (isLast === undefined) held.push(row?.count ?? 0);
      await one;
    }
    expect((await answer).status).toBe(200);
    expect(held.filter((count) => count > 0)).toEqual([]);
  });
});

describe('revokeApiKey', () => {
  it('revokeApiKey leaves the only way in of the last administrator', async () => {
    const one = await startApp();
    const { id: adminId } = (await one.admin.getMe()).body;
    const { id, call } = await one.user('program', administrator);
    const key = (await call.createApiKey({ body: { name: 'only' } })).body;
    await one.sql('update users set password_hash = null where id = $1', [id]);
    expect((await call.disableUser({ path: { id: adminId } })).status).toBe(200);
    const refused = await call.revokeApiKey({ path: { id: key.id } });
    expect([refused.status, refused.error.message]).toEqual([
      409,
      expect.stringContaining('last administrator'),
    ]);
    const second = (await call.createApiKey({ body: { name: 'second' } })).body;
    expect((await call.revokeApiKey({ path: { id: second.id } })).status).toBe(204);
    await one.stop();
  });
});
