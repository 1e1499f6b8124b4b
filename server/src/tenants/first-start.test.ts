import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemRoles } from '../auth/permissions.ts';
import { verifyPassword } from '../auth/passwords.ts';
import { openPool, type Pool } from '../db.ts';
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
    `select u.id, u.username, u.password_hash, string_agg(r.name, ',') as roles
     from users u join user_roles ur on ur.user_id = u.id join roles r on r.id = ur.role_id group by u.id`,
  );
const roles = () => rows<Role>('select name, permissions, version from roles order by id');

describe('prepareTenant', () => {
  it('creates tenant, roles, key and administrator once, however many servers start at the same time', async () => {
    const passwords = await Promise.all(Array.from({ length: 4 }, () => prepareTenant(pool, undefined)));
    const [password, ...others] = passwords.filter((one) => one !== undefined);
    expect(password).toMatch(/^([a-z2-9]{5}-){3}[a-z2-9]{5}$/);
    expect(others).toEqual([]);
    const [admin, ...more] = await admins();
    expect(admin).toMatchObject({ id: 1, username: 'admin', roles: 'AAE_Admin' });
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
    expect((await roles()).map(({ version }) => version)).toEqual([0, 0, 0, 0, 0]);
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

  it('takes the password that is given at the first start, and does not repeat it', async () => {
    pool = await freshPool();
    expect(await prepareTenant(pool, 'as it was set')).toBeUndefined();
    const [admin] = await admins();
    expect(await verifyPassword(admin?.password_hash, 'as it was set')).toBe(true);
  });
});
