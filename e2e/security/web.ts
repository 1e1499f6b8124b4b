import { expect } from 'vitest';
import { password } from '../../server/src/testing/app.ts';
import { browserAt, cookieIn } from '../../server/src/testing/browser.ts';
import {
  get,
  harmless,
  itemsOf,
  logInPath,
  post,
  queues,
  raw,
  refusal,
  send,
  type Answer,
  type Attack,
  type Place,
} from './attack.ts';

const lines = (...all: string[]) => all.join('\r\n');
const hostOf = ({ app }: Place) => new URL(app.url).host;
const rawPost = (place: Place, headers: string[], body: string) =>
  raw(
    place,
    lines(`POST ${queues} HTTP/1.1`, `Host: ${hostOf(place)}`, 'Connection: close', ...headers, '', body),
  );
const typed = (place: Place, type: string, body = '{}') =>
  send(place, ['POST', queues], {
    headers: { 'content-type': type, 'x-authorization': place.queue.owner.token },
    body,
  });

export const http: Attack[] = [
  refusal('Two lengths of a body', 400, (place) =>
    rawPost(place, ['Content-Length: 2', 'Content-Length: 3'], '{}'),
  ),
  refusal('A length and chunks, to smuggle a request', 400, (place) =>
    rawPost(
      place,
      ['Content-Length: 4', 'Transfer-Encoding: chunked'],
      lines('0', '', 'GET / HTTP/1.1', '', ''),
    ),
  ),
  refusal('Chunks under a disguised name', 400, (place) =>
    rawPost(place, ['Transfer-Encoding: xchunked'], lines('0', '', '')),
  ),
  refusal('A chunk of a length that is none', 400, (place) =>
    rawPost(place, ['Transfer-Encoding: chunked'], lines('zz', '{}', '0', '', '')),
  ),
  refusal('A header that is folded over two lines', 400, (place) =>
    rawPost(place, ['X-A: 1', ' 2', 'Content-Length: 0'], ''),
  ),
  refusal('A blank before the colon of a header', 400, (place) =>
    rawPost(place, ['Content-Length : 2'], '{}'),
  ),
  refusal('No header Host', 400, (place) =>
    raw(place, lines(`GET ${queues} HTTP/1.1`, 'Connection: close', '', '')),
  ),
  refusal('Two headers Host', 400, (place) =>
    raw(place, lines(`GET ${queues} HTTP/1.1`, 'Host: a', 'Host: b', 'Connection: close', '', '')),
  ),
  refusal('A header of 100 kB', [400, 431], (place) =>
    raw(
      place,
      lines(
        `GET ${queues} HTTP/1.1`,
        `Host: ${hostOf(place)}`,
        `X-A: ${'a'.repeat(100_000)}`,
        'Connection: close',
        '',
        '',
      ),
    ),
  ),
  refusal('What is no HTTP', 400, (place) => raw(place, lines('HELO millrace', '', ''))),
  refusal('The method TRACE, which would answer the token', [400, 404, 405, 501], (place) =>
    send(place, ['TRACE', queues]),
  ),
  refusal('A method in a header in the place of the real one', 405, (place) =>
    send(place, ['GET', queues], {
      headers: { 'x-http-method-override': 'POST', 'x-authorization': place.queue.owner.token },
    }),
  ),
  ...[
    '/docs/../../package.json',
    '/docs/%2e%2e%2f%2e%2e%2fpackage.json',
    '/docs/..%5c..%5cpackage.json',
    '/docs/%00index.html',
    '/docs//etc/passwd',
    '/.env',
    '/.git/config',
  ].map((path) => refusal(`The path ${path}`, [400, 404], (place) => get(place, path, {}))),
  refusal('A path that cannot be decoded', [400, 404], (place) => get(place, '/v4/wlm/queues/%ff%fe')),
  refusal('A slash too many', 404, (place) => get(place, `//v4/wlm/queues/${place.queue.id}`)),
  refusal('A compressed body', 415, (place) =>
    send(place, ['POST', queues], {
      headers: {
        'content-type': 'application/json',
        'content-encoding': 'gzip',
        'x-authorization': place.queue.owner.token,
      },
      body: 'x',
    }),
  ),
  refusal('XML in the place of JSON', 415, (place) => typed(place, 'application/xml', '<x/>')),
  refusal('A form in the place of JSON', 415, (place) =>
    typed(place, 'application/x-www-form-urlencoded', 'a=1'),
  ),
  harmless(
    'What the server is made of, by its headers',
    'no header tells the program or its version',
    async (place) => {
      const { headers } = await get(place, '/health/live', {});
      for (const name of ['server', 'x-powered-by', 'via']) expect(headers).not.toHaveProperty(name);
    },
  ),
];

const session = '/v2/authentication/session';
const asAnswer = ({ status, body }: { status: number; body: object }): Answer => ({
  status,
  text: JSON.stringify(body),
  headers: {},
});

/** A browser in which the basic user is logged in, and a request of a page to it. */
async function fromPage({ app, basic }: Place, headers: Record<string, string | undefined>) {
  const browser = browserAt(app.url);
  const cookie = cookieIn(await browser.open(basic.token));
  return asAnswer(await browser.exchange(cookie, headers));
}

export const browser: Attack[] = [
  ...Object.entries({
    'another site': { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
    'another site that hides where it is': { origin: undefined, 'sec-fetch-site': 'cross-site' },
    'a sandboxed frame': { origin: 'null' },
    'a page under another name of the site': { 'sec-fetch-site': 'same-site' },
    'a name that was turned to this server (DNS rebinding)': {
      host: 'evil.example',
      origin: 'http://evil.example',
    },
    'a name that begins like this server’s': { origin: 'http://127.0.0.1.evil.example' },
    'an address bar': { 'sec-fetch-site': 'none' },
    'a proxy that nobody named': { origin: 'https://evil.example', 'x-forwarded-host': 'evil.example' },
  }).map(([from, headers]) =>
    refusal(`The cookie of a logged-in user, used from ${from}`, 403, (place) => fromPage(place, headers)),
  ),
  refusal('The cookie, sent by a form of another site', [403, 415], async (place) =>
    fromPage(place, { 'content-type': 'text/plain' }),
  ),
  refusal('The cookie in the place of a token', 401, async (place) => {
    const cookie = cookieIn(await browserAt(place.app.url).open(place.basic.token));
    return get(place, '/v2/usermanagement/me', { cookie });
  }),
  refusal('A cookie that was copied, after the browser got another', 401, async (place) => {
    const { exchange, open } = browserAt(place.app.url);
    const { id, token } = await place.app.user('robbed of a cookie');
    const stolen = cookieIn(await open(token));
    const pass = () =>
      place.app.sql(
        `update browser_sessions set changed_on = changed_on - interval '31 seconds' where session_id in (select id from sessions where user_id = $1)`,
        [id],
      );
    await pass();
    await exchange(stolen);
    await pass();
    return asAnswer(await exchange(stolen));
  }),
  refusal('A cookie that was made up', 401, async (place) => {
    const port = new URL(place.app.url).port;
    return asAnswer(
      await browserAt(place.app.url).exchange(`millrace-${port}=${'A'.repeat(22)}.${'A'.repeat(43)}`),
    );
  }),
  refusal('A cookie for a program, by an API key', 403, async (place) => {
    const { apiKey } = (await place.queue.consumer.call.createApiKey()).body;
    const { body } = await place.app
      .as(undefined)
      .logIn({ body: { username: 'runner', apiKey: apiKey as string } });
    return asAnswer(await browserAt(place.app.url).open(body.token));
  }),
  refusal('A question whether another site may call (CORS)', [404, 405], (place) =>
    send(place, ['OPTIONS', queues], {
      headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
    }),
  ),
  harmless(
    'A call of another site with a token',
    'answered without a header that lets the site read it',
    async (place) => {
      const { headers } = await send(place, ['POST', queues], {
        headers: {
          origin: 'https://evil.example',
          'content-type': 'application/json',
          'x-authorization': place.basic.token,
        },
        body: '{}',
      });
      expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
    },
  ),
  harmless(
    'The cookie, read by a script or sent over http',
    'HttpOnly, SameSite=Strict, and over https Secure under a name that is bound to the host',
    async (place) => {
      const { setCookie } = await browserAt(place.app.url).open(place.basic.token, {
        host: 'millrace.example',
        origin: 'https://millrace.example',
      });
      expect(setCookie).toMatch(/^__Host-millrace=.*; Path=\/; HttpOnly; Secure; SameSite=Strict$/);
    },
  ),
  harmless(
    'A page of this server in a frame',
    'refused by X-Frame-Options and frame-ancestors',
    async (place) => {
      const { headers } = await get(place, '/docs', { accept: 'text/html' });
      expect([headers['x-frame-options'], headers['content-security-policy']]).toEqual([
        'DENY',
        expect.stringContaining("frame-ancestors 'none'"),
      ]);
    },
  ),
  harmless('A script in the path', '404 as JSON, which is no page', async (place) => {
    const { status, headers } = await get(place, '/<script>alert(1)</script>', { accept: 'text/html' });
    expect([status, headers['content-type']]).toEqual([404, expect.stringMatching(/^application\/json/)]);
  }),
  harmless('What a browser keeps of answers', 'nothing: no-store, and no referrer', async (place) => {
    const { headers } = await get(place, '/v2/usermanagement/me');
    expect([headers['cache-control'], headers['referrer-policy']]).toEqual([
      expect.stringContaining('no-store'),
      'no-referrer',
    ]);
  }),
  refusal('Log-out of a user by another site', 403, async (place) =>
    send(place, ['DELETE', session], {
      headers: { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
    }),
  ),
];

const comparisons = (count: number) =>
  Array.from({ length: count }, () => ({ operator: 'eq', field: 'id', value: '1' }));
const deep = (levels: number): object =>
  levels === 0 ? (comparisons(1)[0] as object) : { operator: 'not', operands: [deep(levels - 1)] };

export const denial: Attack[] = [
  refusal('A body of 17 MB', 413, (place) => post(place, itemsOf(place), 'x'.repeat(17_000_000))),
  refusal('A body of 100 kB where little is needed', 413, (place) =>
    post(place, logInPath, JSON.stringify({ username: 'a'.repeat(100_000) })),
  ),
  refusal('A body of 1 MB by somebody who may not call', [401, 403, 404], (place) =>
    post(place, itemsOf(place), `{"x":"${'a'.repeat(1_000_000)}"}`, place.nobody.token),
  ),
  refusal('JSON of 100,000 levels', 400, (place) => post(place, itemsOf(place), '['.repeat(100_000))),
  refusal('An item of 2,000,000 characters', 400, (place) =>
    post(place, itemsOf(place), { workItems: [{ json: { customer: 'x'.repeat(2_000_000) } }] }),
  ),
  refusal('A number of 100,000 digits', 400, (place) =>
    post(place, itemsOf(place), `{"workItems":[{"json":{"customer":"x","amount":${'9'.repeat(100_000)}}}]}`),
  ),
  refusal('A filter of 101 comparisons', 400, (place) =>
    post(place, queues, { filter: { operator: 'and', operands: comparisons(101) } }),
  ),
  refusal('A filter of 40 levels', 400, (place) => post(place, queues, { filter: deep(40) })),
  refusal('A filter of 11 searches', 400, (place) =>
    post(place, queues, {
      filter: {
        operator: 'or',
        operands: Array.from({ length: 11 }, () => ({ operator: 'substring', field: 'name', value: 'a' })),
      },
    }),
  ),
  harmless('A page at a place that no number holds', '200: there is nothing', async (place) => {
    const { status, text } = await post(place, queues, { page: { offset: '99999999999999999999' } });
    expect([status, (JSON.parse(text) as { list: unknown[] }).list]).toEqual([200, []]);
  }),
  refusal('A claim that waits for a day', 400, (place) =>
    post(place, `${itemsOf(place)}/claim`, { waitSeconds: 86_400 }, place.queue.consumer.token),
  ),
  refusal('A claim of a million items', 400, (place) =>
    post(place, `${itemsOf(place)}/claim`, { count: 1_000_000 }, place.queue.consumer.token),
  ),
  refusal('A lease of a hundred years', 400, (place) =>
    post(place, `${itemsOf(place)}/claim`, { leaseSeconds: 3_153_600_000 }, place.queue.consumer.token),
  ),
  refusal('A sort by a thousand fields', 400, (place) =>
    post(place, queues, { sort: Array.from({ length: 1000 }, () => ({ field: 'id' })) }),
  ),
  refusal('A complaint about each of 50,000 items', 400, async (place) => {
    const answer = await post(place, itemsOf(place), {
      workItems: Array.from({ length: 5000 }, () => ({ json: { customer: 1 } })),
    });
    expect(answer.text.length).toBeLessThan(100_000);
    return answer;
  }),
];

const about = (what: string, read: (place: Place) => Promise<string>) =>
  harmless(what, 'no password, key, hash or token is in it', async (place) => {
    const text = await read(place);
    expect(text.length).toBeGreaterThan(2);
    expect(text).not.toMatch(/\$argon2|"hash":"|passwordHash|PRIVATE KEY|secret_hash|eyJ[\w-]{10,}\./);
    expect(text).not.toContain(password);
  });

export const secrets: Attack[] = [
  about('The list of users', async (place) => JSON.stringify((await place.app.admin.listUsers()).body)),
  about('The caller', async (place) => JSON.stringify((await place.app.admin.getMe()).body)),
  about('The list of API keys', async (place) => JSON.stringify((await place.app.admin.listApiKeys()).body)),
  about('The list of sessions', async (place) => JSON.stringify((await place.app.admin.listSessions()).body)),
  about('All events of the tenant', async (place) =>
    JSON.stringify((await place.app.admin.listEvents({ query: { last: 1000 } })).body),
  ),
  about('A new signing key', async (place) =>
    JSON.stringify((await place.app.admin.rotateSigningKey()).body),
  ),
  about('How the server is', async (place) =>
    JSON.stringify((await place.app.as(undefined).getReadiness()).body),
  ),
  about('The contract', async (place) =>
    (await get(place, '/openapi.json', {})).text.replaceAll('eyJhbGciOiJSUzUxMiJ9.eyJzdWIiOiIyMSJ9.c2ln', ''),
  ),
  about('The page of the API reference', async (place) => (await get(place, '/docs', {})).text),
  about(
    'The refusal of a log-in',
    async (place) =>
      (await post(place, logInPath, { username: 'admin', password: 'wrong horse battery' }, '')).text,
  ),
  harmless(
    'The tables of the database',
    'passwords, keys, cookies and failed names are hashes',
    async (place) => {
      const { apiKey } = (await place.queue.consumer.call.createApiKey()).body;
      const cookie = cookieIn(await browserAt(place.app.url).open(place.basic.token));
      const tables = ['users', 'api_keys', 'browser_sessions', 'sessions', 'login_failures', 'events'];
      const rows = await Promise.all(
        tables.map((table) => place.app.sql(`select t::text as text from ${table} t`)),
      );
      const text = JSON.stringify(rows);
      for (const secret of [password, apiKey as string, cookie.split('.')[1] as string])
        expect(text).not.toContain(secret);
    },
  ),
  harmless(
    'An API key, a second time',
    'answered at its creation alone; lists have its first six characters',
    async (place) => {
      const { apiKey = '', id } = (await place.queue.consumer.call.createApiKey()).body;
      const { list } = (await place.queue.consumer.call.listApiKeys()).body;
      expect(list.find((key) => key.id === id)?.prefix).toBe(apiKey.slice(0, 6));
      expect(JSON.stringify(list)).not.toContain(apiKey.slice(0, 10));
    },
  ),
  harmless(
    'A temporary password, in the record',
    'the event says that there is one, not which',
    async (place) => {
      const { id } = await place.app.user('reset on record');
      const { temporaryPassword } = (await place.app.admin.resetUserPassword({ path: { id } })).body;
      const { list } = (await place.app.admin.listEvents({ query: { last: 1000 } })).body;
      expect(JSON.stringify(list)).toContain('resetUserPassword');
      expect(JSON.stringify(list)).not.toContain(temporaryPassword);
    },
  ),
  harmless(
    'A user name typed into the wrong field',
    'failed log-ins of names that nobody has are on record without the name',
    async (place) => {
      await post(place, logInPath, { username: 'my secret passphrase', password: 'x' }, '');
      const { list } = (await place.app.admin.listEvents({ query: { last: 1000 } })).body;
      expect(JSON.stringify(list)).not.toContain('my secret passphrase');
    },
  ),
];
