import { describe, expect, it } from 'vitest';
import { password, startApp, type Answer } from '../../testing/app.ts';
import { browserAt } from '../../testing/browser.ts';
import { publicUrl, signingOn, startProvider, worker } from '../../testing/sign-on.ts';
import { addTenant } from '../../testing/tenant.ts';

const loopback = 'http://127.0.0.1:8400/';
const acme = await startProvider([loopback]);
const groups = {
  'item workers': ['AAE_Basic'],
  reviewers: ['Reviewers'],
  administrators: ['AAE_Admin'],
  operators: ['Operators'],
  nothing: ['No such role'],
};
const ofAcme = JSON.parse(acme.settings({ groups })) as { providers: object[] };
const second = { name: 'second', title: 'Second', tenant: 'second', logOutThere: false };
const gone = { name: 'gone', title: 'Gone', issuer: 'http://127.0.0.1:9/' };
const strict = { name: 'strict', title: 'Strict', require: { hd: 'acme.example' }, userInfo: true };
const providers = [{}, second, gone, strict].map((more) => ({ ...ofAcme.providers[0], ...more }));
const app = await startApp({ signOn: JSON.stringify({ publicUrl, providers }) });
await app.admin.createRole({ body: { name: 'Reviewers', permissions: ['useQueues', 'viewEvents'] } });
await app.admin.createRole({ body: { name: 'Operators', permissions: ['manageInstallation'] } });
const anyone = app.as(undefined);

const { begin, cameBack, finish, signOn, lastEvent } = signingOn(app, acme);

const rolesIn = ({ body }: Answer<'finishSignOn'>) => body.user.roles.map(({ name }) => name);

describe('getLoginMethods', () => {
  it('getLoginMethods lists the providers of the first tenant, or of the one that is named', async () => {
    const named = (provider: string, title: string) => ({ type: 'PROVIDER', provider, title });
    expect((await anyone.getLoginMethods()).body.list).toEqual([
      { type: 'PASSWORD' },
      named('acme', 'Acme'),
      named('gone', 'Gone'),
      named('strict', 'Strict'),
    ]);
    const ofSecond = await anyone.getLoginMethods({ query: { tenant: 'second' } });
    expect(ofSecond.body.list).toEqual([{ type: 'PASSWORD' }, named('second', 'Second')]);
    const ofNone = await anyone.getLoginMethods({ query: { tenant: 'there is none' } });
    expect(ofNone.body.list).toEqual([{ type: 'PASSWORD' }]);
  });
});

describe('beginSignOn', () => {
  it('beginSignOn sends the browser to the provider with state, nonce and a challenge, and keeps none of them', async () => {
    const { url, secret } = await begin();
    const sent = new URL(url).searchParams;
    expect(Object.fromEntries(sent)).toMatchObject({
      response_type: 'code',
      client_id: 'millrace',
      redirect_uri: `${publicUrl}/console/sign-on`,
      scope: 'openid profile email',
      code_challenge_method: 'S256',
    });
    for (const name of ['state', 'nonce', 'code_challenge']) expect(sent.get(name)).toMatch(/^[\w-]{43}$/);
    expect(url).not.toContain(secret);
    expect(JSON.stringify(await app.sql('select * from sign_ons'))).not.toContain(secret);
  });

  it('beginSignOn says when a provider is not known, and when it does not answer', async () => {
    const unknown = await anyone.beginSignOn({ body: { provider: 'nobody' } });
    expect([unknown.status, unknown.error.message]).toEqual([
      404,
      expect.stringContaining('GET /v2/authentication/methods lists'),
    ]);
    const away = await anyone.beginSignOn({ body: { provider: 'gone' } });
    expect([away.status, away.error.message]).toEqual([
      503,
      'Gone does not answer as it should, so that nobody can sign on by it now. Try again shortly, or log in with a password.',
    ]);
  });

  it.each([
    'https://evil.example/',
    '//evil.example/console/',
    '/console/../docs',
    '/console/%2e%2e/docs',
    '/console\\..\\..\\evil.example',
    '/console//evil.example',
    '/docs',
    'javascript:alert(1)',
  ])('beginSignOn refuses to lead anywhere but to the console afterwards: %s', async (next) => {
    const { status, error } = await anyone.beginSignOn({ body: { provider: 'acme', next } });
    expect([status, error.details?.[0]?.field]).toEqual([400, 'next']);
  });

  it('beginSignOn is refused to an address that has begun very many and finished none', async () => {
    const open = (provider: string) =>
      app.sql(
        `insert into sign_ons select sha256(convert_to(n::text, 'UTF8')), $1, '', null, '127.0.0.1', now() + interval '1 minute'
         from generate_series(1, 1000) n`,
        [provider],
      );
    await open('many');
    const { status, headers } = await anyone.beginSignOn({ body: { provider: 'acme' } });
    await app.sql(`delete from sign_ons where provider = 'many'`);
    expect([status, headers.get('retry-after')]).toEqual([429, '60']);
  });
});

describe('finishSignOn', () => {
  it('finishSignOn creates the user with the roles of the groups, opens a session, and is on record', async () => {
    const begun = await begin('acme', { next: '/console/queues?q=late' });
    const { status, body } = await finish(await cameBack(begun, worker('ann')));
    expect(status).toBe(200);
    expect(body).toMatchObject({
      user: {
        username: 'ann@acme.example',
        email: 'ann@acme.example',
        firstName: 'Ann',
        lastName: 'Lee',
        passwordSet: false,
        provider: 'acme',
        roles: [{ name: 'AAE_Basic', provider: 'acme' }],
      },
      next: '/console/queues?q=late',
    });
    const { id } = body.user;
    expect((await app.as(body.token).getMe()).body.id).toBe(id);
    expect(await lastEvent()).toMatchObject({
      actorId: id,
      actorName: 'ann@acme.example',
      changes: {
        provider: 'acme',
        userId: id,
        isNew: true,
        rolesGiven: [expect.any(Number)],
        address: '127.0.0.1',
      },
    });
    const opened = await browserAt(app.url).open(body.token);
    expect(opened.status).toBe(200);
  });

  it('finishSignOn names the page at which the browser logs out at the provider too, unless that is not to be', async () => {
    const { body } = await signOn(worker('leaver'));
    const there = new URL(body.logOutUrl ?? '');
    expect([there.origin, there.searchParams.get('client_id')]).toEqual([acme.issuer, 'millrace']);
    expect(there.searchParams.get('post_logout_redirect_uri')).toBe(`${publicUrl}/console/login`);
    await addTenant(app, 'second');
    expect((await signOn(worker('leaver of the second'), 'second')).body.logOutUrl).toBeUndefined();
  });

  it('finishSignOn comes back to a program that listens on a port of its machine', async () => {
    const begun = await begin('acme', { port: 8400 });
    expect(new URL(begun.url).searchParams.get('redirect_uri')).toBe(loopback);
    expect((await finish(await cameBack(begun, worker('at a terminal')))).status).toBe(200);
  });

  it('finishSignOn knows the person again whatever the name, and brings e-mail and name up to date', async () => {
    const first = await signOn(worker('changes'));
    const renamed = {
      preferred_username: 'other@acme.example',
      email: 'new@acme.example',
      family_name: 'Ray',
    };
    const again = await signOn(worker('changes', renamed));
    expect(again.body.user).toMatchObject({
      id: first.body.user.id,
      username: 'changes@acme.example',
      email: 'new@acme.example',
      lastName: 'Ray',
    });
    expect((await lastEvent())?.changes).toMatchObject({ changed: ['email', 'lastName'] });
    const unverified = await signOn(worker('changes', { email: 'x@y.example', email_verified: false }));
    expect(unverified.body.user.email).toBe('');
  });

  it('finishSignOn lets roles follow the groups, and leaves those that were given by hand', async () => {
    const { body } = await signOn(worker('moves', { groups: ['item workers', 'reviewers'] }));
    const { id, version } = body.user;
    expect(body.user.roles.map(({ name }) => name)).toEqual(['AAE_Basic', 'Reviewers']);
    const known = (await app.admin.listRoles()).body.list;
    const byHand = known.find(({ name }) => name === 'AAE_Bot Runner');
    const roles = [...body.user.roles, { id: Number(byHand?.id) }];
    const updated = await app.admin.updateUser({ path: { id }, body: { version, roles } });
    expect(updated.body.roles.map(({ name, provider }) => [name, provider])).toEqual([
      ['AAE_Basic', 'acme'],
      ['AAE_Bot Runner', undefined],
      ['Reviewers', 'acme'],
    ]);
    const after = await signOn(worker('moves', { groups: ['item workers'] }));
    expect(rolesIn(after)).toEqual(['AAE_Basic', 'AAE_Bot Runner']);
    expect((await lastEvent())?.changes).toMatchObject({ rolesTaken: [expect.any(Number)] });
    const { permissions } = (await app.as(body.token).getMe()).body;
    expect(permissions.map(({ name }) => name)).not.toContain('viewEvents');
  });

  it('finishSignOn keeps out who is in no group any more, and who is disabled or deleted', async () => {
    const { body } = await signOn(worker('leaves'));
    const { id } = body.user;
    const outside = await signOn(worker('leaves', { groups: ['others'] }));
    expect([outside.status, outside.error.message]).toEqual([
      403,
      'Acme knows you, but you are not among those who may use Millrace. Ask who runs it here.',
    ]);
    expect(await lastEvent()).toMatchObject({
      actorId: 0,
      reason: 'leaves@acme.example is in no group that gives a role.',
      changes: { provider: 'acme', failures: 1, address: '127.0.0.1' },
    });
    expect((await signOn(worker('leaves', { groups: ['nothing'] }))).status).toBe(403);
    await app.admin.disableUser({ path: { id } });
    const disabled = await signOn(worker('leaves'));
    expect([disabled.status, disabled.error.message]).toEqual([
      403,
      'Your user is disabled here. Ask an administrator.',
    ]);
    await app.admin.deleteUser({ path: { id } });
    expect((await signOn(worker('leaves', { preferred_username: 'back again' }))).status).toBe(403);
  });

  it('finishSignOn takes roles and sessions from who is in no group any more, and from API keys what the roles gave', async () => {
    const { body } = await signOn(worker('quits', { groups: ['reviewers', 'item workers'] }));
    const { id, version } = body.user;
    const known = (await app.admin.listRoles()).body.list;
    const byHand = known.find(({ name }) => name === 'AAE_Bot Runner');
    const roles = [...body.user.roles, { id: Number(byHand?.id) }];
    await app.admin.updateUser({ path: { id }, body: { version, roles } });
    const { apiKey = '' } = (await app.as(body.token).createApiKey()).body;
    const byKey = async () => (await anyone.logIn({ body: { username: body.user.username, apiKey } })).body;
    const session = await byKey();
    expect((await app.as(session.token).getAuditHead()).status).toBe(200);
    expect((await signOn(worker('quits', { groups: ['others'] }))).status).toBe(403);
    const after = (await app.admin.getUser({ path: { id } })).body;
    expect(after.roles.map(({ name }) => name)).toEqual(['AAE_Bot Runner']);
    for (const token of [body.token, session.token]) expect((await app.as(token).getMe()).status).toBe(401);
    expect((await app.as((await byKey()).token).getAuditHead()).status).toBe(403);
    const { list } = (await app.admin.listEvents({ query: { operation: 'finishSignOn', last: 2 } })).body;
    expect(list[0]).toMatchObject({
      actorId: id,
      changes: { userId: id, rolesTaken: [expect.any(Number), expect.any(Number)], endedSessions: 2 },
    });
    expect(list[1]).toMatchObject({ reason: 'quits@acme.example is in no group that gives a role.' });
    expect((await signOn(worker('quits'))).status).toBe(200);
  });

  it.each([
    ['a local user', 'local', 'local'],
    ['a local user, in other case', 'Admin', 'admin'],
    ['a local user, in letters that look the same', 'ｌocal', 'local'],
  ])('finishSignOn never takes over the name of %s', async (_, name, local) => {
    if (local === 'local') await app.user('local').catch(() => undefined);
    const before = await app.sql('select count(*) from users');
    const { status, error } = await signOn(worker(`taker of ${name}`, { preferred_username: name }));
    expect([status, error.message]).toEqual([403, expect.stringContaining('Acme cannot take it over')]);
    expect(await app.sql('select count(*) from users')).toEqual(before);
    expect((await anyone.logIn({ body: { username: local, password } })).status).toBe(200);
  });

  it('finishSignOn takes over no name of another tenant, nor that of a deleted user', async () => {
    const other = await addTenant(app, 'third');
    const { username } = (await other.call.getMe()).body;
    const { id } = await app.user('was here');
    await app.admin.deleteUser({ path: { id } });
    for (const name of [username, 'was here'])
      expect((await signOn(worker(`takes ${name}`, { preferred_username: name }))).status).toBe(403);
  });

  it('finishSignOn creates people in the tenant of their provider alone', async () => {
    const { body } = await signOn(worker('of both'));
    const inSecond = await signOn(worker('of both', { preferred_username: 'of both in second' }), 'second');
    expect(inSecond.body.user.id).not.toBe(body.user.id);
    const [row] = await app.sql<{ name: string }>(
      'select t.name from users u join tenants t on t.id = u.tenant_id where u.id = $1',
      [inSecond.body.user.id],
    );
    expect(row?.name).toBe('second');
    await app.sql(`update tenants set disabled = true where name = 'second'`);
    expect((await signOn(worker('of both'), 'second')).status).toBe(403);
    await app.sql(`update tenants set disabled = false where name = 'second'`);
  });

  it('finishSignOn makes nobody an operator of the installation', async () => {
    const { body } = await signOn(worker('operates', { groups: ['item workers', 'operators'] }));
    expect(body.user.roles.map(({ name }) => name)).toEqual(['AAE_Basic']);
  });

  it('finishSignOn takes the last administrator who can log in by a password from no tenant', async () => {
    const { body } = await signOn(worker('chief', { groups: ['administrators', 'item workers'] }));
    const { temporaryPassword } = (await app.admin.resetUserPassword({ path: { id: body.user.id } })).body;
    await app.sql(`update users set disabled = true where username = 'admin'`);
    const { status, error } = await signOn(worker('chief'));
    await app.sql(`update users set disabled = false where username = 'admin'`);
    expect([status, error.code]).toEqual([409, 'STATUS_CONFLICT']);
    expect(temporaryPassword).not.toBe('');
    expect(rolesIn(await signOn(worker('chief')))).toEqual(['AAE_Basic']);
  });

  it('finishSignOn gives no way in by a password', async () => {
    await signOn(worker('without password'));
    for (const given of ['', password])
      expect(
        (await anyone.logIn({ body: { username: 'without password@acme.example', password: given } })).status,
      ).toBe(401);
  });

  it('finishSignOn asks for what is required, also where only the provider’s user information has it', async () => {
    expect((await signOn(worker('of another domain', { hd: 'other.example' }), 'strict')).status).toBe(403);
    const unnamed = await signOn(
      worker('unnamed', { hd: 'acme.example', preferred_username: ' ' }),
      'strict',
    );
    expect([unnamed.status, unnamed.error.message]).toEqual([
      403,
      expect.stringContaining('under which name'),
    ]);
    expect((await signOn(worker('of the domain', { hd: 'acme.example' }), 'strict')).status).toBe(200);
  });

  it('finishSignOn takes roles and sessions from who has lost what is required, and nothing of another provider', async () => {
    const known = worker('moves on', { hd: 'acme.example' });
    const { body } = await signOn(known, 'strict');
    expect(rolesIn(await signOn(known, 'strict'))).toEqual(['AAE_Basic']);
    const { status, error } = await signOn({ ...known, hd: 'other.example' }, 'strict');
    expect([status, error.message]).toEqual([403, expect.stringContaining('not among those who may use')]);
    expect((await app.as(body.token).getMe()).status).toBe(401);
    expect((await app.admin.getUser({ path: { id: body.user.id } })).body.roles).toEqual([]);
    const changes = { provider: 'strict', rolesTaken: [expect.any(Number)], endedSessions: 2 };
    expect(await lastEvent()).toMatchObject({ actorId: body.user.id, changes });
    const elsewhere = await signOn(worker('tries both'));
    expect((await signOn(worker('tries both'), 'strict')).status).toBe(403);
    expect((await app.as(elsewhere.body.token).getMe()).body.roles).toMatchObject([{ name: 'AAE_Basic' }]);
  });

  it('finishSignOn takes no roles away where the provider left the groups out because they are many', async () => {
    const { body } = await signOn(worker('in many groups'));
    const { groups: _, ...without } = worker('in many groups', { _claim_names: { groups: 'src1' } });
    const answer = await signOn(without);
    expect([answer.status, answer.error.message]).toEqual([
      403,
      expect.stringContaining('more groups than Acme tells'),
    ]);
    expect((await app.admin.getUser({ path: { id: body.user.id } })).body.roles).toHaveLength(1);
  });
});
