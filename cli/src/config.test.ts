import { expect, test } from 'vitest';
import { environmentWith, readConfig } from './config.ts';

test('the log-in is kept below XDG_CONFIG_HOME, else below ~/.config, and MILLRACE_CONFIG wins over both', () => {
  const home = { HOME: '/home/ana' };
  expect(readConfig(home).folder).toBe('/home/ana/.config/millrace');
  expect(readConfig({ ...home, XDG_CONFIG_HOME: '/etc/ana' }).folder).toBe('/etc/ana/millrace');
  expect(readConfig({ ...home, XDG_CONFIG_HOME: '/etc/ana', MILLRACE_CONFIG: '/keys' }).folder).toBe('/keys');
});

test('server and credentials come from the environment, and an empty variable counts as none', () => {
  const set = {
    MILLRACE_URL: 'http://a',
    MILLRACE_USERNAME: 'ana',
    MILLRACE_PASSWORD: '',
    MILLRACE_API_KEY: 'k',
  };
  expect(readConfig(set)).toMatchObject({
    url: 'http://a',
    username: 'ana',
    password: undefined,
    apiKey: 'k',
  });
});

test.each([
  [{ NO_COLOR: '1' }, true],
  [{ CI: 'true' }, true],
  [{ TERM: 'dumb' }, true],
  [{ CI: 'false', TERM: 'xterm' }, false],
  [{}, false],
])('%o is plain: %s', (environment, isPlain) => {
  expect(readConfig(environment).isPlain).toBe(isPlain);
});

test('a process that is started gets the environment with the settings that were given', () => {
  const environment = environmentWith(
    { MILLRACE_PORT: '9', MILLRACE_HOST: undefined },
    { PATH: '/bin', MILLRACE_HOST: 'a' },
  );
  expect(environment).toEqual({ PATH: '/bin', MILLRACE_PORT: '9', MILLRACE_HOST: 'a' });
});
