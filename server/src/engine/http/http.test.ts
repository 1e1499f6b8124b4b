import { operations, type Operation } from '@millrace/api';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startApp, type App } from '../../testing/app.ts';
import { createQueue, type QueueFixture } from '../../testing/fixtures.ts';

let app: App;
let queue: QueueFixture;
let headers: Record<string, string>;

beforeAll(async () => {
  app = await startApp({ maxBodyBytes: 4096, maxFileBytes: 4096 });
  queue = await createQueue(app);
  headers = { 'x-authorization': queue.owner.token };
});

/** Sends a request as the owner of the queue. */
function send(method: string, path: string, more: RequestInit & { type?: string } = {}) {
  const { type, ...rest } = more;
  return fetch(app.url + path, {
    method,
    headers: { ...headers, ...(type && { 'content-type': type }) },
    ...rest,
  });
}

function post(path: string, body: NonNullable<RequestInit['body']>, type = 'application/json') {
  return send('POST', path, { body, type });
}

/** Asserts that the answer is an error in the contract's form, and nothing else. */
async function expectRefusal(
  response: Response,
  status: number,
  code: string,
  message: string | RegExp = '',
) {
  expect(response.headers.get('content-type')).toMatch(/^application\/json/);
  const body = (await response.json()) as Record<string, unknown>;
  expect([response.status, body['code']], JSON.stringify(body)).toEqual([status, code]);
  expect(body['message']).toMatch(message);
  expect(Object.keys(body).filter((name) => !['code', 'message', 'details'].includes(name))).toEqual([]);
}

const newModel = '/v4/wlm/workitemmodels';
const ofQueue = (rest = '') => `/v4/wlm/queues/${queue.id}${rest}`;

describe('a path that is unknown', () => {
  test.each(['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'PROPFIND'])(
    'is 404 for %s',
    async (method) => {
      await expectRefusal(await send(method, '/v4/wlm/nothing'), 404, 'NOT_FOUND', '/v4/wlm/nothing');
    },
  );

  test('is 404 whatever its body, which is not read', async () => {
    await expectRefusal(await post('/v4/wlm/nothing', '{'), 404, 'NOT_FOUND');
    await expectRefusal(await post('/v4/wlm/nothing', 'x', 'text/plain'), 404, 'NOT_FOUND');
    await expectRefusal(await post('/v4/wlm/nothing', 'x'.repeat(9000)), 404, 'NOT_FOUND');
  });

  test('is 404 with a slash too many', async () => {
    await expectRefusal(await send('GET', `${ofQueue()}/`), 404, 'NOT_FOUND');
    await expectRefusal(await send('GET', `/${ofQueue()}`), 404, 'NOT_FOUND');
  });
});

describe('a method that a path does not have', () => {
  const known = new Map<string, string[]>();
  for (const { path, method } of Object.values<Operation>(operations))
    known.set(path, [...(known.get(path) ?? []), method]);

  test.each([...known])('is 405 for %s, which has %s', async (path, methods) => {
    const url = path.replace(/\{\w+\}/g, '1');
    for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
      if (methods.includes(method)) continue;
      const response = await send(method, url);
      const allowed = response.headers.get('allow')?.split(', ') ?? [];
      expect(allowed.filter((one) => one !== 'HEAD').toSorted()).toEqual(methods.toSorted());
      await expectRefusal(response, 405, 'METHOD_NOT_ALLOWED', methods[0]);
    }
  });

  test('is 405 before the body is read, and before anybody has logged in', async () => {
    await expectRefusal(
      await fetch(app.url + ofQueue(), { method: 'POST', body: '{' }),
      405,
      'METHOD_NOT_ALLOWED',
    );
  });
});

describe('HEAD', () => {
  test('answers like GET, without the body', async () => {
    const [head, get] = [await send('HEAD', ofQueue()), await send('GET', ofQueue())];
    expect([head.status, await head.text()]).toEqual([200, '']);
    expect(head.headers.get('content-length')).toBe(get.headers.get('content-length'));
    expect((await fetch(`${app.url}/health/live`, { method: 'HEAD' })).status).toBe(200);
  });

  test('is refused where GET is', async () => {
    expect((await fetch(app.url + ofQueue(), { method: 'HEAD' })).status).toBe(401);
    expect((await send('HEAD', '/v4/wlm/queues/987654321')).status).toBe(404);
    expect((await send('HEAD', '/v4/wlm/queues')).status).toBe(405);
  });
});

describe('a body', () => {
  test.each([
    '{',
    '{"name":"a",}',
    "{'name':'a'}",
    '{"name":"a"} x',
    'NaN',
    '"\\ud800"',
    '"\\u0000"',
    '[1e]',
  ])('that cannot be read as JSON is 400: %s', async (text) => {
    await expectRefusal(await post(newModel, text), 400, 'INVALID_REQUEST', 'cannot be read as JSON');
  });

  test('that is not in UTF-8 is 400, and not stored with other characters', async () => {
    const latin1 = Buffer.from('{"name":"Größe","attributes":[{"name":"a"}]}', 'latin1');
    await expectRefusal(await post(newModel, latin1), 400, 'INVALID_REQUEST', 'UTF-8');
    const { body } = await queue.owner.call.listWorkItemModels();
    expect(body.list.map(({ name }) => name)).not.toContain('Gr\ufffd\ufffde');
  });

  test.each(['', 'null', '[]', '"text"', '1'])('that is no object is 400: %s', async (text) => {
    await expectRefusal(await post(newModel, text), 400, 'INVALID_REQUEST');
  });

  test('with a member that the operation does not know is 400, and names it', async () => {
    for (const name of ['nmae', '__proto__', 'constructor']) {
      const response = await post('/v4/wlm/queues', `{"name":"a","workItemModelId":1,"${name}":{}}`);
      await expectRefusal(response, 400, 'INVALID_REQUEST', name);
    }
  });

  test('that is nested deeper than anybody needs is refused, not a failure', async () => {
    const deep = `${'{"a":'.repeat(600)}1${'}'.repeat(600)}`;
    const response = await post(ofQueue('/workitems/list'), `{"filter":${deep}}`);
    await expectRefusal(response, 400, 'INVALID_REQUEST');
  });

  test('of another type than JSON is 415', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/xml', 'nonsense'])
      await expectRefusal(
        await post(newModel, '{}', type),
        415,
        'UNSUPPORTED_MEDIA_TYPE',
        'application/json',
      );
    await expectRefusal(
      await send('POST', newModel, { body: Buffer.from('{}') }),
      415,
      'UNSUPPORTED_MEDIA_TYPE',
    );
    const form = new FormData();
    form.append('name', 'a');
    await expectRefusal(
      await send('POST', newModel, { body: form }),
      415,
      'UNSUPPORTED_MEDIA_TYPE',
      'as JSON',
    );
  });

  test('may say its character set', async () => {
    const response = await post(ofQueue('/workitems/list'), '{}', 'application/json; charset=utf-8');
    expect(response.status).toBe(200);
  });

  test('that is too large is 413', async () => {
    const response = await post(newModel, `{"name":"${'x'.repeat(5000)}"}`);
    await expectRefusal(response, 413, 'TOO_LARGE', 'larger than 4096 bytes');
  });

  test('of a stranger is not even looked at', async () => {
    for (const body of ['{', 'x'.repeat(9000)]) {
      const response = await fetch(app.url + newModel, {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/json' },
      });
      expect(response.headers.get('www-authenticate')).toBe('Bearer');
      await expectRefusal(response, 401, 'UNAUTHENTICATED');
    }
  });

  test('for an operation that anyone may call is 413 when it is larger than credentials are', async () => {
    const usual = await startApp();
    for (const [size, status] of [
      [1024, 400],
      [64 * 1024, 413],
    ] as const) {
      const response = await fetch(`${usual.url}/v2/authentication`, {
        method: 'POST',
        body: '['.repeat(size) + ']'.repeat(size),
        headers: { 'content-type': 'application/json' },
      });
      if (status === 413)
        await expectRefusal(
          response,
          413,
          'TOO_LARGE',
          /larger than 65536 bytes, the most that is read here\.$/,
        );
      else await expectRefusal(response, 400, 'INVALID_REQUEST');
    }
  });
});

describe('a path', () => {
  test.each([
    '%zz',
    '%',
    '%ff',
    '%c0%af',
    'x',
    '-1',
    '1.0',
    '1e3',
    '0x1',
    '01',
    '+1',
    '%201',
    '%2B1',
    '1%20',
    '1n',
    '%EF%BC%91',
    '%00',
    '__proto__',
    '9223372036854775808',
  ])('with %s for an id is 400', async (id) => {
    await expectRefusal(await send('GET', `/v4/wlm/queues/${id}`), 400, 'INVALID_REQUEST');
  });

  test('with an id of any length is 400', async () => {
    await expectRefusal(await send('GET', `/v4/wlm/queues/${'1'.repeat(300)}`), 400, 'INVALID_REQUEST');
  });

  test('with the highest id of 64 bits is read to the last digit', async () => {
    const response = await send('GET', '/v4/wlm/queues/9223372036854775807');
    await expectRefusal(response, 404, 'NOT_FOUND', '9223372036854775807');
  });
});

describe('a query', () => {
  test.each(['x=1', '__proto__=1', 'toString'])('with an unknown parameter is 400: %s', async (query) => {
    await expectRefusal(await send('GET', ofQueue(`?${query}`)), 400, 'INVALID_REQUEST', query.split('=')[0]);
  });

  test('with a parameter given twice is 400', async () => {
    const response = await send('GET', '/v2/authentication/token?token=a&token=b');
    await expectRefusal(response, 400, 'INVALID_REQUEST', 'token is given more than once');
  });
});

describe('a form', () => {
  const form = (...files: string[]) => {
    const data = new FormData();
    for (const text of files) data.append('file', new Blob([text]), 'items.csv');
    return data;
  };
  const part = '--x\r\ncontent-disposition: form-data; name="file"; filename="a.csv"\r\n\r\ncustomer\n1';

  test.each([
    ['without a boundary', 'multipart/form-data', part],
    ['that breaks off', 'multipart/form-data; boundary=x', part],
    ['that is none', 'multipart/form-data; boundary=x', 'garbage'],
    ['that is empty', 'multipart/form-data; boundary=x', '--x--\r\n'],
    ['with a name that is no name', 'multipart/form-data; boundary=x', part.replace('"file"', '"__proto__"')],
  ])('%s is 400', async (_, type, body) => {
    await expectRefusal(await post(ofQueue('/file'), body, type), 400, 'INVALID_REQUEST');
  });

  test('with two files is 400, and says so', async () => {
    const response = await send('POST', ofQueue('/file'), { body: form('customer\n1', 'customer\n2') });
    await expectRefusal(response, 400, 'INVALID_REQUEST', 'one file');
  });

  test('with a file that is too large is 413', async () => {
    const response = await send('POST', ofQueue('/file'), { body: form(`customer\n${'a\n'.repeat(4000)}`) });
    await expectRefusal(
      response,
      413,
      'TOO_LARGE',
      '4096 bytes. Send it in parts, or have MILLRACE_MAX_FILE_BYTES',
    );
  });

  test('in the place of which there is JSON is 415', async () => {
    await expectRefusal(
      await post(ofQueue('/file'), '{}'),
      415,
      'UNSUPPORTED_MEDIA_TYPE',
      'multipart/form-data',
    );
  });
});

describe('a failure of the database', () => {
  /** Makes each change of a queue fail with a code of PostgreSQL, as if the database had raised it. */
  async function failWith(code: string) {
    await app.sql(
      `create or replace function fail() returns trigger language plpgsql as
       $$ begin raise exception 'made to fail' using errcode = '${code}', detail = 'secret of a row'; end $$`,
    );
    await app.sql(
      'create or replace trigger fail before update on queues for each row execute function fail()',
    );
  }
  beforeEach(() => () => app.sql('drop trigger if exists fail on queues').then(() => undefined));

  test.each([
    ['a lock that was not free in time', '55P03'],
    ['a statement that took too long', '57014'],
    ['a deadlock, again and again', '40P01'],
    ['a transaction that others overtook, again and again', '40001'],
    ['a shutdown', '57P01'],
    ['too many connections', '53300'],
    ['a server that has become a standby', '25006'],
  ])('is 503 and says when to try again: %s', async (_, code) => {
    await failWith(code);
    const {
      status,
      error,
      headers: answered,
    } = await queue.owner.call.updateQueue({
      path: queue.path,
      body: { version: 0, description: code },
    });
    expect([status, error.code]).toEqual([503, 'UNAVAILABLE']);
    expect(Number(answered.get('retry-after'))).toBeGreaterThan(0);
  });

  test.each(['XX000', '23514', '22P02', '42P01'])(
    'that is ours to mend is 500 without internals: %s',
    async (code) => {
      await failWith(code);
      const { status, error } = await queue.owner.call.updateQueue({
        path: queue.path,
        body: { version: 0, description: code },
      });
      expect([status, error.code]).toEqual([500, 'FAILURE']);
      expect(error.message).toMatch(/in the server's log under [0-9a-f-]{36}/);
      expect(JSON.stringify(error)).not.toMatch(/made to fail|secret/);
    },
  );

  test('leaves the server able to serve', async () => {
    await failWith('XX000');
    await queue.owner.call.updateQueue({ path: queue.path, body: { version: 0, description: 'x' } });
    expect((await queue.owner.call.getQueue({ path: queue.path })).status).toBe(200);
  });
});
