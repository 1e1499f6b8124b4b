import { beforeAll, describe, expect, it } from 'vitest';
import { password, startApp, type App } from '../../testing/app.ts';
import { networkOf } from './failures.ts';

let app: App;

beforeAll(async () => {
  app = await startApp({ trustedProxies: ['127.0.0.1'] });
});

/** Logs in through the trusted proxy, from an address. */
async function logIn(address: string, username: string, given = password, more: object = {}) {
  const response = await fetch(`${app.url}/v2/authentication`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-forwarded-for': address, 'user-agent': 'test/1.0' },
    body: JSON.stringify({ username, password: given, ...more }),
  });
  const body = (await response.json()) as { message?: string; token: string };
  return { status: response.status, ...body };
}

async function fail(times: number, address: string, username: string) {
  for (let attempt = 1; attempt <= times; attempt += 1)
    expect((await logIn(address, username, 'wrong horse')).status).toBe(401);
}

/** Raises failures from one number to another, the last of them just before the next attempt. */
const raise = (from: number, to: number) =>
  app.sql(
    `update login_failures set failures = $2, last_on = now() + interval '1 hour' where failures = $1`,
    [from, to],
  );

describe('logIn, by address', () => {
  it('logIn makes one who guesses a password wait, and not its owner at another address', async () => {
    await app.user('guarded');
    await fail(5, '10.0.0.1', 'guarded');
    await raise(5, 11);
    expect((await logIn('10.0.0.1', 'guarded')).status).toBe(429);
    expect((await logIn('10.0.0.2', 'guarded')).status).toBe(200);
    expect((await logIn('10.0.0.1', 'guarded')).status).toBe(429);
  });

  it('logIn leaves each address one attempt at a name that many addresses try, and its owner all of them', async () => {
    await app.user('hunted');
    expect((await logIn('10.0.1.1', 'hunted')).status).toBe(200);
    await fail(1, '10.0.1.2', 'hunted');
    await fail(1, '10.0.1.3', 'hunted');
    await raise(2, 60);
    await fail(1, '10.0.1.4', 'hunted');
    await raise(1, 1);
    for (const address of ['10.0.1.2', '10.0.1.4']) expect((await logIn(address, 'hunted')).status).toBe(429);
    expect((await logIn('10.0.1.5', 'hunted')).status).toBe(200);
    await fail(4, '10.0.1.1', 'hunted');
    expect((await logIn('10.0.1.1', 'hunted')).status).toBe(200);
  });

  it('logIn slows an address that tries many names, except for who has logged in from there', async () => {
    await app.user('regular');
    await app.user('newcomer');
    expect((await logIn('10.0.2.1', 'regular')).status).toBe(200);
    await fail(1, '10.0.2.1', 'nobody 1');
    await fail(1, '10.0.2.1', 'nobody 2');
    await raise(2, 120);
    const refused = await logIn('10.0.2.1', 'newcomer');
    expect([refused.status, refused.message]).toEqual([429, expect.stringContaining('from this address')]);
    expect((await logIn('10.0.2.1', 'regular')).status).toBe(200);
    expect((await logIn('10.0.2.2', 'newcomer')).status).toBe(200);
  });

  it('logIn believes no header of an address that is not named as a proxy', async () => {
    const open = app;
    app = await startApp({}, open.connection);
    await app.user('plain');
    for (const number of [1, 2, 3, 4, 5]) await fail(1, `10.0.3.${number}`, 'plain');
    await raise(5, 11);
    expect((await logIn('10.0.3.6', 'plain')).status).toBe(429);
    await app.stop();
    app = open;
  });

  it('logIn counts the addresses of one IPv6 client as one', () => {
    expect(networkOf('2001:db8:0:7::1')).toBe('2001:db8:0:7::/64');
    expect(networkOf('2001:DB8::ffff:1')).toBe('2001:db8:0:0::/64');
    expect(networkOf('::1')).toBe('0:0:0:0::/64');
    expect(networkOf('2001:db8:1:2:3:4:5:6')).toBe('2001:db8:1:2::/64');
    expect(networkOf('fe80::1%eth0')).toBe('fe80:0:0:0::/64');
    expect(networkOf('::ffff:10.1.2.3')).toBe('10.1.2.3');
    expect(networkOf('10.1.2.3')).toBe('10.1.2.3');
    expect(networkOf('unknown')).toBe('unknown');
  });

  it('logIn answers one address in the middle of a flood from another', async () => {
    await app.user('in between');
    let answered = 0;
    const flood = Array.from({ length: 60 }, (_, number) =>
      logIn('10.0.4.1', `flood ${number}`, 'wrong horse').finally(() => (answered += 1)),
    );
    await Promise.race(flood);
    expect((await logIn('10.0.4.2', 'in between')).status).toBe(200);
    expect(answered).toBeLessThan(50);
    await Promise.all(flood);
  });
});

describe('logIn and logOut, on record', () => {
  const client = (address: string) => ({ address, userAgent: 'test/1.0' });

  async function events(after: string, call = app.admin) {
    const query = { after, operation: 'logIn,logOut' };
    return (await call.listEvents({ query })).body.list;
  }
  const here = async () => (await app.admin.listEvents({ query: { last: 0 } })).body.cursor;

  it('logIn and logOut are events of the tenant, which administrators see and other users do not', async () => {
    const { id, call } = await app.user('on record', ['AAE_Queue Admin', 'AAE_Pool Admin']);
    const after = await here();
    const { token } = await logIn('10.1.0.1', 'on record');
    await app.as(token).logOut();
    expect(await events(after)).toMatchObject([
      { operation: 'logIn', actorId: id, actorName: 'on record', changes: client('10.1.0.1') },
      { operation: 'logOut', actorId: id, changes: { address: '127.0.0.1' } },
    ]);
    expect(await events(after, call)).toEqual([]);
  });

  it('logIn records attempts that fail, those of a minute as one event with their number', async () => {
    const { id } = await app.user('failing');
    const after = await here();
    await fail(3, '10.1.0.2', 'failing');
    const event = { operation: 'logIn', reason: 'The password is wrong.' };
    const changes = { ...client('10.1.0.2'), userId: id };
    expect(await events(after)).toMatchObject([{ ...event, changes: { ...changes, failures: 1 } }]);
    await app.sql(`update login_failures set recorded_on = now() - interval '61 s' where unrecorded = 2`);
    await fail(1, '10.1.0.2', 'failing');
    expect((await events(after)).slice(1)).toMatchObject([
      { ...event, changes: { ...changes, failures: 3 } },
    ]);
  });

  it('logIn records attempts with a name that nobody has, without the name, which may be a password', async () => {
    const after = await here();
    await fail(1, '10.1.0.3', 'a password in the wrong field');
    await fail(1, '10.1.0.3', 'another password');
    const recorded = await events(after);
    expect(recorded).toMatchObject([
      { reason: 'There is no user of this name.', changes: { ...client('10.1.0.3'), failures: 1 } },
    ]);
    expect(JSON.stringify(recorded)).not.toContain('password in');
  });

  it('logIn records which API key was used, and a wrong one', async () => {
    const { id, call } = await app.user('by key', ['AAE_Bot Runner']);
    const { body: key } = await call.createApiKey({ body: {} });
    const after = await here();
    expect((await logIn('10.1.0.4', 'by key', '', { apiKey: key.apiKey })).status).toBe(200);
    expect((await logIn('10.1.0.4', 'by key', '', { apiKey: 'x'.repeat(40) })).status).toBe(401);
    await app.sql('delete from user_roles where user_id = $1', [id]);
    expect((await logIn('10.1.0.4', 'by key', '', { apiKey: key.apiKey })).status).toBe(401);
    expect(await events(after)).toMatchObject([
      { actorId: id, changes: { apiKeyId: key.id } },
      { reason: 'The API key is wrong, revoked or expired.', changes: { userId: id } },
      { actorId: id, reason: 'The user lacks the permission generateApiKey.' },
    ]);
  });
});
