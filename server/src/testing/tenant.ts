import type { App, TestUser } from './app.ts';

/** Adds a second tenant, with the roles of the first; answers its administrator. */
export async function addTenant(app: App, name: string): Promise<TestUser> {
  const admin = await app.user(`admin of ${name}`, ['AAE_Admin']);
  const [tenant] = await app.sql<{ id: string }>('insert into tenants (name) values ($1) returning id', [
    name,
  ]);
  await app.sql(
    `insert into roles (tenant_id, name, permissions, created_by, created_on, updated_by, updated_on)
     select $1, r.name, r.permissions, 0, now(), 0, now()
     from roles r join users u on u.tenant_id = r.tenant_id where u.username = 'admin'`,
    [tenant?.id],
  );
  // The user moves over with the token that it has.
  await app.sql('update users set tenant_id = $1 where id = $2', [tenant?.id, admin.id]);
  await app.sql(
    `update user_roles set role_id = (select id from roles where tenant_id = $1 and name = 'AAE_Admin')
     where user_id = $2`,
    [tenant?.id, admin.id],
  );
  return admin;
}
