import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemRoles } from './users/permissions.ts';
import { verifyPassword } from './users/passwords.ts';
import { openPool, type Pool } from '../engine/db.ts';
import { createDatabase } from '../testing/app.ts';
import { prepareTenant } from './first-start.ts';

const pools: Pool[] = [];
let pool: Pool;

async function freshPool(): Promise<Pool> {
  const fresh = openPool(await createDatabase(), 5);
  pools.push(fresh);
  return fresh;
}

beforeAll(async () => {
  pool = await freshPool();
});

afterAll(() => Promise.all(pools.map((one) => one.end())));

interface Role {
  name: string;
  permissions: string[];
  version: number;
}

async function rows<T extends object>(text: string): Promise<T[]> {
  return (await pool.query<T>(text)).rows;
}

const admins = () =>
  rows<{ id: number; username: string; password_hash: string; roles: string }>(
    `select u.id, u.username, u.password_hash, string_agg(r.name, ',' order by r.id) as roles
     from users u join user_roles ur on ur.user_id = u.id join roles r on r.id = ur.role_id group by u.id`,
  );
const roles = () => rows<Role>('select name, permissions, version from roles order by id');

describe('the migration to operators', () => {
  const migration = readFileSync(new URL('../../migrations/0011_sessions.sql', import.meta.url), 'utf8');

  it('makes the first administrator of the first tenant the operator, and nobody else', async () => {
    const old = await freshPool();
    await old.query(undone);
    await old.query(`
      insert into tenants (name) values ('one'), ('two');
      insert into users (tenant_id, username, disabled, created_by, created_on, updated_by, updated_on)
        select t.id, u.name || ' of ' || t.name, u.name = 'gone', 0, now(), 0, now()
        from tenants t, (values (1, 'plain'), (2, 'gone'), (3, 'first'), (4, 'second')) as u (number, name) order by u.number, t.id;
      insert into roles (tenant_id, name, permissions, created_by, created_on, updated_by, updated_on)
        select id, 'AAE_Admin', '{useQueues}', 0, now(), 0, now() from tenants;
      insert into user_roles (user_id, role_id) select u.id, r.id from users u join roles r on r.tenant_id = u.tenant_id
        where u.username not like 'plain%'`);
    await old.query(migration);
    const { rows: operators } = await old.query<{ username: string }>(`
      select u.username from users u join user_roles ur on ur.user_id = u.id join roles r on r.id = ur.role_id
      where 'manageInstallation' = any (r.permissions)`);
    expect(operators).toEqual([{ username: 'first of one' }]);
    await prepareTenant(old, undefined);
    const { rows: versions } = await old.query(`select version from roles where name = 'AAE_Operator'`);
    expect(versions).toEqual([{ version: 0 }, { version: 0 }]);
  });

  const undone = `
    alter table revoked_sessions rename to revoked_tokens;
    alter table revoked_tokens rename constraint revoked_sessions_pkey to revoked_tokens_pkey;
    drop table known_logins`;
});

describe('prepareTenant', () => {
  it('creates tenant, roles, key and administrator once, however many servers start at the same time', async () => {
    const passwords = await Promise.all(Array.from({ length: 4 }, () => prepareTenant(pool, undefined)));
    const [password, ...others] = passwords.filter((one) => one !== undefined);
    expect(password).toMatch(/^([a-z2-9]{5}-){3}[a-z2-9]{5}$/);
    expect(others).toEqual([]);
    const [admin, ...more] = await admins();
    expect(admin).toMatchObject({ id: 1, username: 'admin', roles: 'AAE_Admin,AAE_Operator' });
    expect(more).toEqual([]);
    expect(await verifyPassword(admin?.password_hash, password ?? '')).toBe(true);
    expect(await rows('select name from tenants')).toEqual([{ name: 'default' }]);
    expect(await rows('select id from signing_keys')).toHaveLength(1);
    expect(await roles()).toEqual(
      Object.entries(systemRoles).map(([name, { permissions }]) => ({ name, permissions, version: 0 })),
    );
  });

  it('changes nothing at later starts, whatever password is given then', async () => {
    const [before] = await admins();
    expect(await prepareTenant(pool, 'another password')).toBeUndefined();
    expect(await admins()).toEqual([before]);
    expect((await roles()).map(({ version }) => version)).toEqual([0, 0, 0, 0, 0, 0, 0]);
    expect(await rows('select id from signing_keys')).toHaveLength(1);
  });

  it('brings the roles of the server up to date, in every tenant, and leaves others alone', async () => {
    await pool.query(`insert into tenants (name) values ('second')`);
    await pool.query(`update roles set permissions = '{useQueues}' where name = 'AAE_Admin'`);
    await pool.query(`delete from roles where name = 'AAE_Bot Runner'`);
    await pool.query(`insert into roles (tenant_id, name, permissions, created_by, created_on, updated_by, updated_on)
      values (1, 'Finance', '{useQueues}', 1, now(), 1, now())`);
    await prepareTenant(pool, undefined);
    const now = await roles();
    const named = (wanted: string) => now.filter(({ name }) => name === wanted);
    expect(named('Finance')).toEqual([{ name: 'Finance', permissions: ['useQueues'], version: 0 }]);
    for (const [name, { permissions }] of Object.entries(systemRoles)) {
      expect(named(name).map((role) => role.permissions)).toEqual([permissions, permissions]);
    }
    expect(named('AAE_Admin').map(({ version }) => version)).toEqual([1, 0]);
  });

  it('refuses a weak password at the first start, by the name of the setting, and leaves nothing behind', async () => {
    const fresh = await freshPool();
    for (const weak of ['password1', 'admin-admin', '        '])
      await expect(prepareTenant(fresh, weak)).rejects.toThrow(
        /^MILLRACE_ADMIN_PASSWORD (must|is) .*; take .*\.$/,
      );
    expect((await fresh.query('select from tenants')).rowCount).toBe(0);
  });

  it('takes the password that is given at the first start, and does not repeat it', async () => {
    pool = await freshPool();
    expect(await prepareTenant(pool, 'as it was set')).toBeUndefined();
    const [admin] = await admins();
    expect(await verifyPassword(admin?.password_hash, 'as it was set')).toBe(true);
  });
});
