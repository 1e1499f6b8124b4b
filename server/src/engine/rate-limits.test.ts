import { describe, expect, test, vi } from 'vitest';
import { startApp } from '../testing/app.ts';
import { browserAt, cookieIn } from '../testing/browser.ts';
import { addTenant } from '../testing/tenant.ts';
import { Refusal } from './errors.ts';
import { createRateLimits } from './rate-limits.ts';
import type { Spent } from './siblings.ts';

/** Limits on a clock that stands still until it is put forward. */
function limits({ user, tenant }: { user?: number; tenant?: number }) {
  let now = 1000;
  const count = createRateLimits({ userRequests: user, tenantRequests: tenant }, { clock: () => now });
  const send = (userId: number, tenantUuid = 'a') => {
    const { refusal, headers } = count({ userId, tenantUuid });
    return refusal ?? headers['ratelimit'];
  };
  const sendMany = (times: number, userId: number, tenantUuid?: string) =>
    Array.from({ length: times }, () => send(userId, tenantUuid)).filter((one) => one instanceof Refusal)
      .length;
  return { send, sendMany, pass: (seconds: number) => (now += seconds) };
}

describe('the rate of requests', () => {
  test('lets a user send at once what may be sent in ten seconds, and then at the rate', () => {
    const { send, sendMany, pass } = limits({ user: 5 });
    expect(send(1)).toBe('"user";r=49;t=1');
    expect(sendMany(49, 1)).toBe(0);
    const refused = send(1) as Refusal;
    expect([refused.code, refused.retryAfter]).toEqual(['TOO_MANY_REQUESTS', 1]);
    expect(refused.message).toContain('more requests to this server than the 5 a second');
    pass(1);
    expect(sendMany(6, 1)).toBe(1);
    pass(1000);
    expect(sendMany(51, 1)).toBe(1);
  });

  test('keeps users apart, and tenants', () => {
    const { send, sendMany } = limits({ user: 1, tenant: 3 });
    expect(sendMany(11, 1)).toBe(1);
    expect(send(2)).toBe('"user";r=9;t=1');
    expect(sendMany(9, 2) + sendMany(10, 3)).toBe(0);
    // All 30 of the tenant are sent; refused requests of the user did not count.
    expect((send(4) as Refusal).message).toContain('Your tenant has sent more requests');
    expect(send(5, 'b')).toBe('"user";r=9;t=1');
  });

  test('tells of what is nearer to its end', () => {
    const { send } = limits({ user: 10, tenant: 2 });
    expect(send(1)).toBe('"tenant";r=19;t=1');
  });

  test('is not limited where it was said so', () => {
    expect(limits({}).sendMany(100_000, 1)).toBe(0);
  });

  test('is that of all processes of a server together, also for what the others did not know yet', () => {
    vi.useFakeTimers();
    const heard: ((spent: readonly Spent[]) => void)[] = [];
    const processes = [0, 1].map((own) =>
      createRateLimits(
        { userRequests: 2, tenantRequests: undefined },
        {
          clock: () => Date.now() / 1000,
          siblings: {
            hear: ({ requests }) => void (heard[own] = requests ?? (() => undefined)),
            tellRequests: (spent) => heard[1 - own]?.(spent),
          },
        },
      ),
    );
    const accepted = (own: number, times: number) =>
      Array.from({ length: times }, () => processes[own]?.({ userId: 1, tenantUuid: 'a' })).filter(
        (counted) => counted?.refusal === undefined,
      ).length;
    expect([accepted(0, 15), accepted(1, 5)]).toEqual([15, 5]);
    vi.advanceTimersByTime(100);
    expect([accepted(0, 5), accepted(1, 5)]).toEqual([0, 0]);
    // Each believes at first in its own full bucket; the excess is paid back by both.
    vi.advanceTimersByTime(10_000);
    expect([accepted(0, 20), accepted(1, 20)]).toEqual([20, 20]);
    vi.advanceTimersByTime(10_100);
    expect([accepted(0, 1), accepted(1, 1)]).toEqual([0, 0]);
    vi.useRealTimers();
  });

  test('forgets no debt, however many others have come since', () => {
    let hear: (spent: readonly Spent[]) => void = () => undefined;
    let now = 0;
    const siblings = {
      hear: ({ requests }: { requests?: (spent: readonly Spent[]) => void }) =>
        void (hear = requests ?? hear),
      tellRequests: () => undefined,
    };
    const rates = { userRequests: 1, tenantRequests: undefined };
    const count = createRateLimits(rates, { clock: () => now, siblings });
    const isRefused = (userId: number) => count({ userId, tenantUuid: 'a' }).refusal !== undefined;
    isRefused(0);
    hear([['user', '0', 100]]);
    now = 11;
    for (let user = 1; user <= 10_000; user += 1) isRefused(user);
    expect(isRefused(0)).toBe(true);
    now = 200;
    expect(isRefused(0)).toBe(false);
  });

  test('forgets those who have sent nothing for a while', () => {
    const { send, sendMany, pass } = limits({ user: 1 });
    for (let user = 0; user < 10_000; user += 1) send(user);
    pass(60);
    send(-1);
    expect(sendMany(11, 1)).toBe(1);
  });
});

describe('a server', () => {
  test('tells each caller what is left, and refuses more with 429 and when to try again', async () => {
    const app = await startApp({ userRequests: 2, tenantRequests: 1000 });
    const { call } = await app.user('hasty');
    const first = await call.getMe();
    expect(first.headers.get('ratelimit-policy')).toBe('"user";q=20;w=10, "tenant";q=10000;w=10');
    expect(first.headers.get('ratelimit')).toBe('"user";r=19;t=1');
    const burst = await Promise.all(Array.from({ length: 60 }, () => call.getMe()));
    const refused = burst.find(({ status }) => status === 429);
    expect([refused?.error.code, refused?.headers.get('retry-after')]).toEqual(['TOO_MANY_REQUESTS', '1']);
    expect(refused?.headers.get('ratelimit')).toMatch(/^"user";r=0;t=10$/);
    expect(new Set(burst.map(({ status }) => status))).toEqual(new Set([200, 429]));
    // Others go on.
    expect((await app.admin.getMe()).status).toBe(200);
    expect((await (await addTenant(app, 'second')).call.getMe()).status).toBe(200);
    await app.stop();
  });

  test('counts what needs no permission as well, once it is proved whose it is', async () => {
    const app = await startApp({ userRequests: 1, tenantRequests: undefined });
    const left = ({ headers }: { headers: Headers }) => headers.get('ratelimit');
    const counted = expect.stringMatching(/^"user";r=\d/);
    const { token, call } = await app.user('hasty');
    expect(left(await call.validateToken())).toEqual(counted);
    expect(left(await app.as(undefined).validateToken({ query: { token } }))).toEqual(counted);
    expect(left(await app.as(undefined).validateToken({ query: { token: `${token}x` } }))).toBeNull();
    const browser = browserAt(app.url);
    const opened = await browser.open(token);
    expect(left(opened)).toEqual(counted);
    expect(left(await browser.exchange(cookieIn(opened)))).toEqual(counted);
    expect(left(await browser.exchange('forged'))).toBeNull();
    const burst = await Promise.all(Array.from({ length: 40 }, () => call.refreshToken({ body: {} })));
    const refused = burst.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThan(0);
    // A flood of requests with somebody's token does not keep them from ending the session.
    expect(left(await browser.close('forged'))).toBeNull();
    const closed = await browser.close(cookieIn(opened));
    expect([closed.status, left(closed)]).toEqual([204, counted]);
    expect((await browser.exchange(cookieIn(opened))).status).toBe(401);
    const other = await app.user('leaves');
    await Promise.all(Array.from({ length: 40 }, () => other.call.validateToken()));
    const out = await other.call.logOut({ body: {} });
    expect([out.status, left(out)]).toEqual([204, counted]);
    await app.stop();
  });
});
