import { describe, expect, it } from 'vitest';
import { openPool, transaction } from '../../engine/db.ts';
import { password, startApp } from '../../testing/app.ts';
import { addTenant } from '../../testing/tenant.ts';
import { resetLostPassword } from './lost.ts';

const app = await startApp();
const anyone = app.as(undefined);
const logIn = (username: string, given: string) => anyone.logIn({ body: { username, password: given } });

async function reset(username?: string) {
  const pool = openPool(app.connection, 1);
  try {
    return await transaction(pool, async (db, clock) =>
      resetLostPassword({ db, now: await clock, wake: () => undefined }, username),
    );
  } finally {
    await pool.end();
  }
}

describe('admin reset-password', () => {
  it('gives the only administrator a temporary password, ends the sessions, and is on record', async () => {
    const { token } = (await logIn('admin', password)).body;
    const { username, temporaryPassword } = await reset();
    expect(username).toBe('admin');
    expect((await logIn('admin', password)).status).toBe(401);
    expect((await app.as(token).getMe()).status).toBe(401);
    const temporary = app.as((await logIn('admin', temporaryPassword)).body.token);
    expect((await temporary.listQueues()).error.code).toBe('PASSWORD_CHANGE_REQUIRED');
    const body = { password: temporaryPassword, newPassword: 'the next horse battery' };
    expect((await temporary.changePassword({ body })).status).toBe(204);
    const own = app.as((await logIn('admin', 'the next horse battery')).body.token);
    const { list } = (await own.listEvents({ query: { operation: 'resetUserPassword', last: 1 } })).body;
    expect(list).toMatchObject([
      { actorId: 0, reason: expect.stringContaining('on the machine of the server') },
    ]);
    expect(JSON.stringify(list)).not.toContain(temporaryPassword);
  });

  it('asks for a name where there are several administrators, and takes that of any user, in any case', async () => {
    await addTenant(app, 'second');
    await expect(reset()).rejects.toThrow(
      'Say whose password is lost. Administrators are: admin, admin of second.',
    );
    await expect(reset('nobody')).rejects.toThrow(
      'There is no user nobody. Administrators are: admin, admin of second.',
    );
    const { temporaryPassword } = await reset('ADMIN of second');
    expect((await logIn('admin of second', temporaryPassword)).status).toBe(200);
  });

  it('does nothing for a user who is disabled', async () => {
    const { temporaryPassword } = await reset('admin');
    const admin = app.as((await logIn('admin', temporaryPassword)).body.token);
    await admin.changePassword({ body: { password: temporaryPassword, newPassword: password } });
    const { body } = await admin.createUser({ body: { username: 'leaver', password, disabled: true } });
    expect(body.disabled).toBe(true);
    await expect(reset('leaver')).rejects.toThrow('The user leaver is disabled');
    expect((await admin.getUser({ path: { id: body.id } })).body.version).toBe(0);
  });
});
