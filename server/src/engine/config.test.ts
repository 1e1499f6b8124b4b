import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { readConfig } from './config.ts';

/** The error shown to a person who starts the server with these settings. */
function complaint(environment: Record<string, string>): string {
  try {
    readConfig(environment);
  } catch (error) {
    return (error as Error).message;
  }
  return '';
}

describe('settings', () => {
  test('are all there without an environment, for this machine alone', () => {
    expect(readConfig({ PATH: '/bin' })).toEqual({
      host: '127.0.0.1',
      port: 8080,
      dataFolder: path.resolve('data'),
      databaseUrl: undefined,
      databaseDirectUrl: undefined,
      allowLoss: false,
      processes: undefined,
      databaseConnections: undefined,
      adminPassword: undefined,
      trustedProxies: [],
      sessionHours: 24,
      idleHours: 8,
      maxBodyBytes: 16_777_216,
      maxFileBytes: 268_435_456,
      maxUploads: 20,
      maxUserUploads: 4,
      maxStreams: 200,
      userRequests: 1000,
      tenantRequests: 5000,
      maxReadSeconds: 8,
      sealingKeyFile: undefined,
      sealSeconds: 60,
      logLevel: 'info',
    });
  });

  test('come from the environment, each under its name', () => {
    const environment = {
      MILLRACE_HOST: '::',
      MILLRACE_PORT: '0',
      MILLRACE_DATA: '/var/lib/millrace',
      MILLRACE_DATABASE_URL: 'postgresql://millrace:secret@db:5432/millrace',
      MILLRACE_DATABASE_DIRECT_URL: 'postgresql://millrace:secret@db2:5432/millrace',
      MILLRACE_ALLOW_LOSS: 'yes',
      MILLRACE_PROCESSES: '3',
      MILLRACE_DATABASE_CONNECTIONS: '2',
      MILLRACE_ADMIN_PASSWORD: '12345678',
      MILLRACE_TRUSTED_PROXIES: '10.0.0.7, 10.1.0.0/16,2001:db8::/32',
      MILLRACE_SESSION_HOURS: '12',
      MILLRACE_IDLE_HOURS: '4',
      MILLRACE_MAX_BODY_BYTES: '1024',
      MILLRACE_MAX_FILE_BYTES: '1099511627776',
      MILLRACE_MAX_UPLOADS: '5',
      MILLRACE_MAX_UPLOADS_PER_USER: '2',
      MILLRACE_MAX_STREAMS: '3',
      MILLRACE_MAX_USER_REQUESTS: 'off',
      MILLRACE_MAX_TENANT_REQUESTS: '7',
      MILLRACE_MAX_READ_SECONDS: '20',
      MILLRACE_SEALING_KEY_FILE: '/etc/millrace/key.pem',
      MILLRACE_SEAL_SECONDS: '5',
      MILLRACE_LOG_LEVEL: 'silent',
    };
    expect(readConfig(environment)).toEqual({
      host: '::',
      port: 0,
      dataFolder: '/var/lib/millrace',
      databaseUrl: 'postgresql://millrace:secret@db:5432/millrace',
      databaseDirectUrl: 'postgresql://millrace:secret@db2:5432/millrace',
      allowLoss: true,
      processes: 3,
      databaseConnections: 2,
      adminPassword: '12345678',
      trustedProxies: ['10.0.0.7', '10.1.0.0/16', '2001:db8::/32'],
      sessionHours: 12,
      idleHours: 4,
      maxBodyBytes: 1024,
      maxFileBytes: 2 ** 40,
      maxUploads: 5,
      maxUserUploads: 2,
      maxStreams: 3,
      userRequests: undefined,
      tenantRequests: 7,
      maxReadSeconds: 20,
      sealingKeyFile: '/etc/millrace/key.pem',
      sealSeconds: 5,
      logLevel: 'silent',
    });
  });

  test('that are empty count as not set', () => {
    const names = ['MILLRACE_HOST', 'MILLRACE_PORT', 'MILLRACE_DATABASE_URL', 'MILLRACE_ADMIN_PASSWORD'];
    expect(readConfig(Object.fromEntries(names.map((name) => [name, ''])))).toEqual(readConfig({}));
  });

  test('are explained in docs/operating.md, each of them', () => {
    const text = readFileSync(new URL('../../../docs/operating.md', import.meta.url), 'utf8');
    const explained = [...text.matchAll(/^\| `(MILLRACE_\w+)`/gm)].map(([, name]) => name);
    expect(() => readConfig({ MILLRACE_X: '' })).toThrow(`Known are: ${explained.join(', ')}.`);
  });

  test('of the clients may stand beside them', () => {
    const names = ['URL', 'USERNAME', 'PASSWORD', 'API_KEY', 'CONFIG'];
    const environment = Object.fromEntries(names.map((name) => [`MILLRACE_${name}`, 'x']));
    expect(readConfig(environment)).toEqual(readConfig({}));
  });

  test.each(['MILLRACE_PROT', 'MILLRACE_', 'MILLRACE_port', 'MILLRACE_DATABASE'])(
    'that nobody knows are refused by name, with those that are known: %s',
    (name) => {
      const message = complaint({ [name]: 'value-of-it' });
      expect(message).toContain(`${name} is not a setting`);
      expect(message).toContain('MILLRACE_PORT');
      expect(message).not.toContain('value-of-it');
    },
  );

  test.each([
    ['MILLRACE_PORT', ['-1', '65536', '80a', '8080.5', ' 80', '0x50', '1e3', 'http']],
    ['MILLRACE_DATABASE_CONNECTIONS', ['0', '1', '1001', 'many']],
    ['MILLRACE_MAX_BODY_BYTES', ['1023', '1073741825', '16MB']],
    ['MILLRACE_MAX_FILE_BYTES', ['0', '1099511627777', '1e9']],
    ['MILLRACE_LOG_LEVEL', ['verbose', 'INFO', 'toString']],
  ])('that cannot be used are refused by name, with what would do: %s', (name, values) => {
    for (const value of values) {
      const message = complaint({ [name]: value });
      expect(message).toMatch(
        new RegExp(`^${name} must be (a whole number from \\d+ to \\d+|one of fatal, )`),
      );
      expect(message).toContain(`not "${value}"`);
    }
  });

  test.each(['proxy', '10.0.0.0/33', '10.0.0.0/0', '10.0.0.1/8/8', '10.0.0.1,,10.0.0.2', '::1/129'])(
    'that name no proxy are refused, with what would do: %s',
    (value) => {
      expect(complaint({ MILLRACE_TRUSTED_PROXIES: value })).toBe(
        `MILLRACE_TRUSTED_PROXIES must be addresses or networks with commas between, as in 10.0.0.7,10.1.0.0/16, not "${value}".`,
      );
    },
  );

  test.each([
    ['MILLRACE_ADMIN_PASSWORD', ['hunter2']],
    [
      'MILLRACE_DATABASE_URL',
      [
        'mysql://millrace:hunter2@db/millrace',
        'millrace:hunter2@db',
        'postgresql://millrace:hunter2@db:port/x',
      ],
    ],
  ])('that are secret are refused without being shown: %s', (name, values) => {
    for (const value of values) {
      const message = complaint({ [name]: value });
      expect(message).toContain(`${name} must `);
      expect(message).not.toContain('hunter2');
    }
  });

  test('are all looked at before the server gives up, so that a person mends them at once', () => {
    const message = complaint({ MILLRACE_PORT: 'x', MILLRACE_LOG_LEVEL: 'x', MILLRACE_HOTS: 'x' });
    expect(message.split('\n').map((line) => line.split(' ')[0])).toEqual([
      'MILLRACE_HOTS',
      'MILLRACE_PORT',
      'MILLRACE_LOG_LEVEL',
    ]);
  });
});
