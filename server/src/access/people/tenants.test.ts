import { describe, expect, it } from 'vitest';
import { password, startApp, type Caller } from '../../testing/app.ts';
import { browserAt, cookieIn } from '../../testing/browser.ts';
import { addTenant } from '../../testing/tenant.ts';

const app = await startApp();
const foreigner = await addTenant(app, 'second');
const anyone = app.as(undefined);

const refusal = ({ status, error }: { status: number; error: { code: string } }) => [status, error.code];
const logIn = (username: string, given = password) => anyone.logIn({ body: { username, password: given } });

async function tenantId(name: string): Promise<number> {
  const filter = { operator: 'eq', field: 'name', value: name };
  return Number((await app.admin.listTenants({ body: { filter } })).body.list[0]?.id);
}

const calls: Record<
  string,
  (caller: Caller, id: number) => Promise<{ status: number; error: { code: string } }>
> = {
  createTenant: (caller) => caller.createTenant({ body: { name: 'third', administrator: 'admin of third' } }),
  listTenants: (caller) => caller.listTenants(),
  disableTenant: (caller, id) => caller.disableTenant({ path: { id } }),
  enableTenant: (caller, id) => caller.enableTenant({ path: { id } }),
};

describe.each(Object.entries(calls))('%s', (operationId, call) => {
  it(`${operationId} is for operators of the installation, not for administrators of tenants`, async () => {
    const administrator = await app.user(`administrator and ${operationId}`, ['AAE_Admin']);
    for (const caller of [foreigner.call, administrator.call])
      expect(refusal(await call(caller, await tenantId('second')))).toEqual([403, 'FORBIDDEN']);
    expect(refusal(await call(anyone, 1))).toEqual([401, 'UNAUTHENTICATED']);
  });
});

describe('createTenant', () => {
  it('createTenant makes a tenant with its roles and an administrator, who chooses a password first', async () => {
    const { status, body } = await app.admin.createTenant({
      body: { name: 'third', administrator: 'admin of third' },
    });
    expect([status, body.tenant.name, body.tenant.disabled]).toEqual([200, 'third', false]);
    const temporary = app.as((await logIn('admin of third', body.temporaryPassword)).body.token);
    expect((await temporary.listQueues()).error.code).toBe('PASSWORD_CHANGE_REQUIRED');
    await temporary.changePassword({ body: { password: body.temporaryPassword, newPassword: password } });
    const own = app.as((await logIn('admin of third')).body.token);
    expect((await own.getMe()).body.roles.map(({ name }) => name)).toEqual(['AAE_Admin']);
    expect((await own.listUsers()).body.page.total).toBe(1);
    expect((await own.listRoles()).body.page.total).toBe(7);
    expect(
      (await own.listEvents({ query: { last: 100 } })).body.list.map(({ operation }) => operation),
    ).not.toContain('createTenant');
    const { list } = (await app.admin.listEvents({ query: { operation: 'createTenant', last: 1 } })).body;
    expect(list).toMatchObject([
      { changes: { tenantId: body.tenant.id, name: 'third', address: '127.0.0.1' } },
    ]);
    expect(JSON.stringify(list)).not.toContain(body.temporaryPassword);
  });

  it('createTenant leaves nothing when a name is taken or cannot be read', async () => {
    const before = (await app.admin.listTenants()).body.page.total;
    const attempts = [
      [{ name: 'second', administrator: 'somebody new' }, 409],
      [{ name: 'fourth', administrator: 'ADMIN' }, 409],
      [{ name: 'a\tb', administrator: 'somebody new' }, 400],
      [{ name: '', administrator: 'somebody new' }, 400],
    ] as const;
    for (const [body, status] of attempts)
      expect((await app.admin.createTenant({ body })).status).toBe(status);
    expect((await app.admin.listTenants()).body.page.total).toBe(before);
  });
});

describe('disableTenant', () => {
  it('disableTenant keeps everybody of it out at once, until enableTenant lets them in as they were', async () => {
    const closed = await addTenant(app, 'closed');
    const { apiKey = '' } = (await closed.call.createApiKey()).body;
    const browser = browserAt(app.url);
    const cookie = cookieIn(await browser.open(closed.token));
    const id = await tenantId('closed');
    expect((await app.admin.disableTenant({ path: { id } })).body).toMatchObject({ id, disabled: true });
    expect((await app.admin.disableTenant({ path: { id } })).status).toBe(200);
    expect(refusal(await closed.call.getMe())).toEqual([401, 'UNAUTHENTICATED']);
    expect(refusal(await closed.call.refreshToken())).toEqual([401, 'UNAUTHENTICATED']);
    expect((await browser.exchange(cookie)).status).toBe(401);
    expect(refusal(await logIn('admin of closed'))).toEqual([401, 'UNAUTHENTICATED']);
    const byKey = () => anyone.logIn({ body: { username: 'admin of closed', apiKey } });
    expect(refusal(await byKey())).toEqual([401, 'UNAUTHENTICATED']);
    expect((await foreigner.call.getMe()).status).toBe(200);
    expect((await app.admin.enableTenant({ path: { id } })).body).toMatchObject({ id, disabled: false });
    expect((await logIn('admin of closed')).status).toBe(200);
    expect((await byKey()).status).toBe(200);
    // Sessions from before stay ended.
    expect(refusal(await closed.call.getMe())).toEqual([401, 'UNAUTHENTICATED']);
    const { list } = (
      await app.admin.listEvents({ query: { operation: 'disableTenant,enableTenant', last: 9 } })
    ).body;
    expect(list.map(({ operation }) => operation)).toEqual(['disableTenant', 'enableTenant']);
  });

  it('disableTenant refuses the operator’s own tenant, and finds none that does not exist', async () => {
    const own = await tenantId('default');
    expect(refusal(await app.admin.disableTenant({ path: { id: own } }))).toEqual([409, 'STATUS_CONFLICT']);
    for (const call of [app.admin.disableTenant, app.admin.enableTenant])
      expect(refusal(await call({ path: { id: 987_654_321 } }))).toEqual([404, 'NOT_FOUND']);
  });
});

describe('listTenants', () => {
  it('listTenants filters and sorts on every member that it promises', async () => {
    const values = { id: '1', uuid: 'x', name: 'second', disabled: 'true', createdOn: '2024-03-01' };
    for (const [field, value] of Object.entries(values)) {
      const body = { filter: { operator: 'eq', field, value }, sort: [{ field }] };
      expect((await app.admin.listTenants({ body })).status, field).toBe(200);
    }
  });
});
