import { expect, test } from 'vitest';
import { accessOf } from './access.ts';
import { readConfig } from './config.ts';
import { UsageError } from './errors.ts';

const kept = { url: 'http://kept:1', token: 't', givenOn: 0 };

test('the option wins over the environment, that over the kept log-in, that over the default', () => {
  const config = readConfig({ MILLRACE_URL: 'http://env:2/' });
  expect(accessOf(config, kept, 'https://option/base/').url).toBe('https://option/base');
  expect(accessOf(config, kept).url).toBe('http://env:2');
  expect(accessOf(readConfig({}), kept).url).toBe('http://kept:1');
  expect(accessOf(readConfig({}), undefined).url).toBe('http://127.0.0.1:8080');
});

test('a kept token is used with the server that gave it, and with no other', () => {
  expect(accessOf(readConfig({}), kept).kept).toBe(kept);
  expect(accessOf(readConfig({}), kept, 'http://kept:1/').kept).toBe(kept);
  expect(accessOf(readConfig({}), kept, 'http://other:1').kept).toBeUndefined();
  expect(accessOf(readConfig({ MILLRACE_URL: 'http://other:1' }), kept).kept).toBeUndefined();
});

test('credentials in the environment win over a kept token', () => {
  const config = readConfig({ MILLRACE_USERNAME: 'ana', MILLRACE_API_KEY: 'k' });
  expect(accessOf(config, kept)).toMatchObject({
    credentials: { username: 'ana', apiKey: 'k' },
    kept: undefined,
  });
});

test.each([
  [{ MILLRACE_USERNAME: 'ana' }, 'set MILLRACE_PASSWORD or MILLRACE_API_KEY as well'],
  [{ MILLRACE_PASSWORD: 'secret-1' }, 'MILLRACE_PASSWORD is set; set MILLRACE_USERNAME'],
  [{ MILLRACE_API_KEY: 'secret-1' }, 'MILLRACE_API_KEY is set; set MILLRACE_USERNAME'],
  [{ MILLRACE_URL: 'http://ana:secret-1@a:1' }, 'MILLRACE_URL must not hold a user name or a password'],
  [{ MILLRACE_URL: 'localhost:8080' }, 'MILLRACE_URL is "localhost:8080", but must be like http'],
])('half a setting such as %o is refused by name, without showing a secret', (environment, message) => {
  const access = () => accessOf(readConfig(environment), undefined);
  expect(access).toThrow(UsageError);
  expect(access).toThrow(message);
  expect(access).not.toThrow('secret-1');
});

test('a bad --url is refused by name', () => {
  expect(() => accessOf(readConfig({}), kept, 'ftp://a')).toThrow('--url is "ftp://a"');
});
