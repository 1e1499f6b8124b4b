import { operations, type OperationId } from '@millrace/api';
import { describe, expect, it } from 'vitest';
import { password, startApp, type TestUser } from '../../testing/app.ts';
import { browserAt, cookieIn } from '../../testing/browser.ts';
import { openPool, transaction } from '../../engine/db.ts';
import { forgetRevokedSessions } from './job.ts';
import { keyless } from '../../testing/keyless.ts';

const app = await startApp();
const { send, open, exchange, close } = browserAt(app.url);
const { port } = new URL(app.url);

type Headers = Record<string, string | undefined>;

const isAccepted = async (token: string) => (await app.as(token).getMe()).status === 200;

/** A user with a session that a browser keeps. */
async function browserOf(username: string): Promise<TestUser & { cookie: string }> {
  const user = await app.user(username);
  return { ...user, cookie: cookieIn(await open(user.token)) };
}

/** Lets time go by for the sessions of a user. */
const pass = (userId: number, seconds: number) =>
  app.sql(
    `with older as (update browser_sessions b set changed_on = changed_on - $2 * interval '1 second'
       from sessions s where s.id = b.session_id and s.user_id = $1)
     update sessions set expires_on = expires_on - $2 * interval '1 second', begun_on = begun_on - $2 * interval '1 second'
     where user_id = $1`,
    [userId, seconds],
  );

async function eventsOf(operation: string, userId: number) {
  const { list } = (await app.admin.listEvents({ query: { operation, last: 1000 } })).body;
  return list.filter(({ actorId, changes }) => actorId === userId || changes?.['userId'] === userId);
}

describe('openSession', () => {
  it('openSession gives a cookie that no script and no other site can use, and is on record', async () => {
    const { id, token } = await app.user('opener');
    const answer = await open(token);
    expect(answer.status).toBe(200);
    expect(answer.setCookie).toMatch(
      new RegExp(
        `^millrace-${port}=[\\w-]{22}\\.[\\w-]{43}; Max-Age=288\\d\\d; Path=/; HttpOnly; SameSite=Strict$`,
      ),
    );
    const hours = (new Date(answer.body.expiresOn).getTime() - Date.now()) / 3_600_000;
    expect(Math.round(hours)).toBe(8);
    expect(await eventsOf('openSession', id)).toMatchObject([{ changes: { address: '127.0.0.1' } }]);
    expect((await app.as(token).listSessions()).body.list).toMatchObject([
      { inBrowser: true, current: true },
    ]);
    const [handle = '', secret = ''] = cookieIn(answer).split(/[=.]/).slice(1);
    const kept = JSON.stringify(await app.sql('select * from browser_sessions'));
    for (const part of [handle, secret]) {
      expect(kept).not.toContain(part);
      expect(kept).not.toContain(Buffer.from(part, 'base64url').toString('hex'));
    }
  });

  it('openSession over https, also behind a proxy that ends it, gives a cookie for this very host and https alone', async () => {
    const { token } = await app.user('behind TLS');
    const here = `127.0.0.1:${port}`;
    const named = { host: 'millrace.example', origin: 'https://millrace.example' };
    for (const [headers, name] of [
      [{ origin: `https://${here}` }, `__Host-millrace-${port}`],
      [named, '__Host-millrace'],
      [{ ...named, host: 'millrace.example:443' }, '__Host-millrace'],
    ] as const) {
      const answer = await open(token, headers);
      expect([answer.status, answer.setCookie]).toEqual([
        200,
        expect.stringMatching(/; HttpOnly; Secure; SameSite=Strict$/),
      ]);
      expect(answer.setCookie).toMatch(new RegExp(`^${name}=.*; Path=/;`));
      expect(answer.setCookie).not.toContain('Domain');
      expect((await exchange(cookieIn(answer), headers)).status).toBe(200);
    }
  });

  it('openSession is refused over plain http from another machine, with what to do instead', async () => {
    const { token } = await app.user('over http');
    const { status, body, setCookie } = await open(token, {
      host: 'millrace.example',
      origin: 'http://millrace.example',
    });
    expect([status, body.code, setCookie]).toEqual([403, 'FORBIDDEN', undefined]);
    expect(body.message).toContain('put a proxy with TLS in front');
  });

  it('openSession is refused to sessions of API keys, with a temporary password, that have ended, and without a token', async () => {
    const { call } = await app.user('key in a browser', ['AAE_Bot Runner']);
    const apiKey = (await call.createApiKey({ body: { name: 'k' } })).body.apiKey as string;
    const byKey = (await app.as(undefined).logIn({ body: { username: 'key in a browser', apiKey } })).body
      .token;
    const ofKey = await open(byKey);
    expect([ofKey.status, ofKey.body.code, ofKey.setCookie]).toEqual([403, 'FORBIDDEN', undefined]);
    const { id } = await app.user('temporary in a browser');
    const { temporaryPassword } = (await app.admin.resetUserPassword({ path: { id } })).body;
    const credentials = { username: 'temporary in a browser', password: temporaryPassword };
    const temporary = (await app.as(undefined).logIn({ body: credentials })).body.token;
    expect((await open(temporary)).body.code).toBe('PASSWORD_CHANGE_REQUIRED');
    const gone = await app.user('gone from a browser');
    await gone.call.logOut();
    expect((await open(gone.token)).status).toBe(401);
    expect((await send('openSession')).status).toBe(401);
  });
});

describe('exchangeSession', () => {
  it('exchangeSession gives a token of the same session, and another cookie once the present one is half a minute old', async () => {
    const { id, token, cookie } = await browserOf('reloads');
    const first = await exchange(cookie);
    expect([first.status, first.body.user.id, cookieIn(first)]).toEqual([200, id, cookie]);
    expect(await isAccepted(first.body.token)).toBe(true);
    await pass(id, 31);
    const second = await exchange(cookie);
    expect(cookieIn(second)).not.toBe(cookie);
    expect((await app.as(second.body.token).listSessions()).body.list).toMatchObject([{ current: true }]);
    expect((await app.as(token).listSessions()).body.page.total).toBe(1);
    await pass(id, 31);
    const third = await exchange(cookieIn(second));
    expect([third.status, new Set([cookie, cookieIn(second), cookieIn(third)]).size]).toEqual([200, 3]);
  });

  it('exchangeSession leaves all tabs that come at once with the same cookie, in whatever order', async () => {
    const { id, cookie } = await browserOf('many tabs');
    await pass(id, 31);
    const answers = await Promise.all(Array.from({ length: 8 }, () => exchange(cookie)));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 200));
    const [next = '', ...others] = new Set(answers.map(cookieIn));
    expect(others).toEqual([]);
    expect(next).not.toBe(cookie);
    expect(cookieIn(await exchange(next))).toBe(next);
    expect(cookieIn(await exchange(cookie))).toBe(next);
  });

  it.each([
    ['the one before, half a minute later', 1],
    ['an older one', 3],
  ])('exchangeSession ends the session for a cookie that was replaced: %s', async (what, times) => {
    const { id, cookie } = await browserOf(`stolen ${what}`);
    const use = async (one: string) => {
      await pass(id, 31);
      return cookieIn(await exchange(one));
    };
    let present = cookie;
    for (let count = 0; count < times; count += 1) present = await use(present);
    const { token } = (await exchange(present)).body;
    if (times === 1) await pass(id, 31);
    const { status, body, setCookie } = await exchange(cookie);
    expect([status, body.code, setCookie]).toEqual([401, 'UNAUTHENTICATED', undefined]);
    expect(body.message).toContain('an old copy of its cookie was used');
    expect((await exchange(present)).status).toBe(401);
    expect(await isAccepted(token)).toBe(false);
    expect(await eventsOf('exchangeSession', id)).toMatchObject([
      { actorId: 0, reason: expect.stringContaining('thief'), changes: { userId: id, address: '127.0.0.1' } },
    ]);
  });

  it('exchangeSession keeps a session for 8 hours without use, and 24 hours from the log-in at most', async () => {
    const used = await browserOf('used each 7 hours');
    let { cookie } = used;
    for (let times = 1; times <= 3; times += 1) {
      await pass(used.id, 7 * 3600);
      const answer = await exchange(cookie);
      expect(answer.status).toBe(200);
      cookie = cookieIn(answer);
    }
    // Three hours are left of the 24.
    const { list } = (
      await app.admin.listSessions({ body: { filter: { operator: 'eq', field: 'userId', value: used.id } } })
    ).body;
    expect(Math.round((new Date(String(list[0]?.expiresOn)).getTime() - Date.now()) / 3_600_000)).toBe(3);
    await pass(used.id, 4 * 3600);
    expect((await exchange(cookie)).status).toBe(401);
    const idle = await browserOf('left alone');
    await pass(idle.id, 8 * 3600 + 60);
    const { status, body } = await exchange(idle.cookie);
    expect([status, body.message]).toEqual([
      401,
      'This browser keeps no session here, or it has ended. Log in.',
    ]);
  });

  it('exchangeSession is over with a log-out, the end of the session, a disabling, a reset, and a change of the password elsewhere', async () => {
    const ends: Record<string, (user: TestUser) => Promise<{ status: number }>> = {
      'a log-out': ({ call }) => call.logOut(),
      'its end': async ({ id }) => {
        const filter = { operator: 'eq', field: 'userId', value: id };
        const [session] = (await app.admin.listSessions({ body: { filter } })).body.list;
        return app.admin.endSession({ path: { sessionId: String(session?.id) } });
      },
      'a disabling': ({ id }) => app.admin.disableUser({ path: { id } }),
      'a reset': ({ id }) => app.admin.resetUserPassword({ path: { id } }),
      'a change': async ({ id }) => {
        const { username } = (await app.admin.getUser({ path: { id } })).body;
        const { token } = (await app.as(undefined).logIn({ body: { username, password } })).body;
        return app.as(token).changePassword({ body: { password, newPassword: 'another horse battery' } });
      },
      'a deletion': ({ id }) => app.admin.deleteUser({ path: { id } }),
    };
    for (const [name, end] of Object.entries(ends)) {
      const user = await browserOf(`ended by ${name}`);
      expect((await end(user)).status, name).toBeLessThan(300);
      expect((await exchange(user.cookie)).status, name).toBe(401);
    }
  });

  it('exchangeSession goes on when the tokens have expired and what has expired was cleaned up', async () => {
    const { id, cookie } = await browserOf('back after lunch');
    const other = await app.user('gone for lunch');
    await pass(id, 3600);
    await pass(other.id, 3600);
    const pool = openPool(app.connection, 1);
    await transaction(pool, async (db, clock) =>
      forgetRevokedSessions.run({ db, now: await clock, log: console, wake: () => undefined, ...keyless }),
    );
    await pool.end();
    expect(await app.sql('select from sessions where user_id = $1', [other.id])).toEqual([]);
    expect((await exchange(cookie)).status).toBe(200);
  });

  it.each([
    ['none', ''],
    ['of another name', 'x=y'],
    ['nonsense', 'nonsense'],
    ['an empty one', `millrace-${port}=`],
    ['a short one', `millrace-${port}=a.b`],
    ['one of nobody', `millrace-${port}=${'A'.repeat(22)}.${'A'.repeat(43)}`],
    ['a long one', `millrace-${port}=${'%00'.repeat(3000)}`],
  ])('exchangeSession takes no cookie that it has not given: %s', async (_, cookie) => {
    const { status, body } = await exchange(cookie);
    expect([status, body.code]).toEqual([401, 'UNAUTHENTICATED']);
  });

  it('exchangeSession is over at once when all sessions are ended with a new signing key', async () => {
    const own = await startApp();
    const there = browserAt(own.url);
    const cookie = cookieIn(await there.open((await own.user('before a leak')).token));
    await own.admin.rotateSigningKey();
    expect((await there.exchange(cookie)).status).toBe(200);
    expect((await own.admin.rotateSigningKey({ body: { endSessions: true } })).status).toBe(200);
    expect((await there.exchange(cookie)).status).toBe(401);
    await own.stop();
  });
});

describe('closeSession', () => {
  it('closeSession ends the session with all its tokens, takes the cookie away, and is on record', async () => {
    const { id, token, cookie } = await browserOf('closer');
    const other = (await exchange(cookie)).body.token;
    const { status, setCookie } = await close(cookie);
    expect([status, setCookie]).toEqual([
      204,
      `millrace-${port}=; Max-Age=0; Path=/; HttpOnly; SameSite=Strict`,
    ]);
    for (const ended of [token, other]) expect(await isAccepted(ended)).toBe(false);
    expect((await exchange(cookie)).status).toBe(401);
    expect(await eventsOf('closeSession', id)).toMatchObject([{ changes: { address: '127.0.0.1' } }]);
  });

  it('closeSession also answers a browser that keeps no session', async () => {
    for (const cookie of ['', 'x=y', `millrace-${port}=${'A'.repeat(22)}.${'A'.repeat(43)}`]) {
      const { status, setCookie } = await close(cookie);
      expect([status, setCookie]).toEqual([204, expect.stringContaining('Max-Age=0')]);
    }
  });
});

const victim = await browserOf('victim');

describe('pages of other servers', () => {
  const foreign: [string, Headers][] = [
    ['another site', { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }],
    ['another site that lies about the site', { origin: 'https://evil.example' }],
    [
      'another port of this machine',
      { origin: `http://127.0.0.1:${Number(port) + 1}`, 'sec-fetch-site': 'same-site' },
    ],
    ['another scheme', { origin: `http://127.0.0.1:${port}`, 'sec-fetch-site': 'cross-site' }],
    ['a sandboxed frame', { origin: 'null' }],
    ['a link that was followed', { 'sec-fetch-site': 'none' }],
    ['no browser', { origin: undefined, 'sec-fetch-site': undefined }],
    ['a browser that hides the site', { 'sec-fetch-site': undefined }],
    ['a browser that hides the origin', { origin: undefined }],
    ['an origin with a path', { origin: `http://127.0.0.1:${port}/` }],
    ['an origin with a user', { origin: `http://x@127.0.0.1:${port}` }],
    ['a name that begins like ours', { origin: `http://127.0.0.1:${port}.evil.example` }],
    ['a name that leads here by a trick', { host: 'evil.example', origin: 'http://evil.example' }],
    [
      'a forwarded host that no proxy of ours sent',
      { origin: 'https://evil.example', 'x-forwarded-host': 'evil.example' },
    ],
  ];
  it.each(foreign)('openSession, exchangeSession and closeSession refuse %s', async (_, headers) => {
    const { token, cookie } = victim;
    const given = { authorization: `Bearer ${token}`, cookie };
    for (const operationId of ['openSession', 'exchangeSession', 'closeSession'] as const) {
      const { status, body, setCookie } = await send(operationId, { ...given, ...headers });
      expect([status, body.code, setCookie], operationId).toEqual([403, 'FORBIDDEN', undefined]);
    }
    expect((await exchange(cookie)).status).toBe(200);
  });

  it('exchangeSession wants JSON, which no form of another site can send unasked', async () => {
    const { cookie } = victim;
    const type = (contentType: string | undefined, body?: string) =>
      send('exchangeSession', { cookie, 'content-type': contentType }, body);
    expect((await type('text/plain')).status).toBe(415);
    expect((await type('application/x-www-form-urlencoded', 'a=b')).status).toBe(415);
    expect((await type('application/json', '[]')).status).toBe(400);
    expect((await type('application/json', '{"a":1}')).status).toBe(400);
    expect((await type('application/json', '')).status).toBe(400);
  });

  it('exchangeSession behind a proxy that changes the host believes the one it is set to believe', async () => {
    const proxied = await startApp({ trustedProxies: ['127.0.0.1'] });
    const { token } = await proxied.user('behind a proxy');
    const opened = await browserAt(proxied.url).open(token, {
      origin: 'https://millrace.example',
      'x-forwarded-host': 'millrace.example',
      'x-forwarded-proto': 'https',
    });
    expect([opened.status, opened.setCookie]).toEqual([200, expect.stringMatching(/^__Host-millrace=/)]);
    await proxied.stop();
  });
});

describe('the cookie', () => {
  it('is no token: no operation but its own looks at it', async () => {
    const { cookie } = victim;
    const secret = cookie.split('=')[1] as string;
    const others = Object.entries(operations).filter(([, { permission }]) => permission !== 'public');
    for (const [operationId] of others) {
      const { path } = operations[operationId as OperationId];
      const there = path.replace(/\{\w+\}/g, '1');
      const { method } = operations[operationId as OperationId];
      for (const headers of [{ cookie }, { 'x-authorization': secret }]) {
        const response = await fetch(app.url + there, { method, headers: headers as Record<string, string> });
        expect(response.status, operationId).toBe(401);
        await response.body?.cancel();
      }
    }
  });
});

describe('getLoginMethods', () => {
  it('getLoginMethods tells anybody how people log in', async () => {
    expect((await app.as(undefined).getLoginMethods()).body).toEqual({ list: [{ type: 'PASSWORD' }] });
  });
});
