import { spawn, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { createDatabase } from '../../testing/app.ts';

let server: ChildProcess | undefined;

afterAll(() => {
  server?.kill('SIGKILL');
});

/** Starts the server as a process with the most detailed log. */
async function start(environment: Record<string, string>) {
  const root = path.join(import.meta.dirname, '../../../..');
  const main = path.join(import.meta.dirname, '../../main.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', main], {
    cwd: root,
    env: {
      PATH: process.env['PATH'],
      MILLRACE_PORT: '0',
      MILLRACE_LOG_LEVEL: 'trace',
      MILLRACE_ALLOW_LOSS: 'yes',
      ...environment,
    },
  });
  server = child;
  let output = '';
  child.stdout.on('data', (text: Buffer) => (output += text.toString()));
  child.stderr.on('data', (text: Buffer) => (output += text.toString()));
  const gone = new Promise((resolve) => child.once('exit', resolve));
  const until = async (pattern: RegExp) => {
    for (;;) {
      const [, found] = pattern.exec(output) ?? [];
      if (found !== undefined) return found;
      if (child.exitCode !== null) throw new Error(`The server ended: ${output}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  const stop = async () => {
    child.kill('SIGTERM');
    await gone;
    return output;
  };
  return { until, stop };
}

it('logIn and all that follows leave no password, key or token in the log, at its most talkative', async () => {
  const { host, port, user, password: databasePassword, database } = await createDatabase();
  const login = [user, databasePassword].map((part) => encodeURIComponent(String(part ?? ''))).join(':');
  const url = `postgresql://${login}@/${database}?host=${encodeURIComponent(String(host))}&port=${port}`;
  const adminPassword = 'correct horse battery';
  const { until, stop } = await start({ MILLRACE_DATABASE_URL: url, MILLRACE_ADMIN_PASSWORD: adminPassword });
  const base = await until(/(http:\/\/127\.0\.0\.1:\d+)\/docs/);

  const post = async (target: string, body: unknown, token = '') => {
    const response = await fetch(`${base}${target}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-authorization': token,
        authorization: `Bearer ${token}`,
      },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
    return (await response.json().catch(() => ({}))) as { token: string; apiKey: string; code: string };
  };
  const { token } = await post('/v2/authentication', { username: 'admin', password: adminPassword });
  const { apiKey } = await post('/v2/usermanagement/apikeys', {}, token);
  const byKey = await post('/v2/authentication', { username: 'admin', apiKey });
  const refusals = [
    await post('/v2/authentication', { username: 'admin', password: 'a wrong password' }),
    await post('/v2/authentication', { username: 'admin', password: 'a misplaced password', unknown: 1 }),
    await post('/v2/authentication', '{"username": "admin", "password": "an unreadable password"'),
    await post('/v2/authentication', { username: 'a password in the name', password: 'x' }),
    await post('/v2/usermanagement/users', { username: 'admin', password: 'a password of another' }, token),
    await post('/v2/authentication/token', {}, 'eyJ.forged.token'),
  ];
  expect(refusals.map(({ code }) => code)).toEqual([
    'UNAUTHENTICATED',
    'INVALID_REQUEST',
    'INVALID_REQUEST',
    'UNAUTHENTICATED',
    'NAME_TAKEN',
    'UNAUTHENTICATED',
  ]);
  const attributes = [{ name: 'customer', type: 'TEXT' }];
  await post('/v4/wlm/workitemmodels', { name: 'Uploaded', attributes }, token);
  await post('/v4/wlm/queues', { name: 'Uploaded', workItemModelId: 1 }, token);
  const upload = async (part: string) => {
    const form = new FormData();
    form.append(part, new Blob(['customer\nJane\n']), 'a.csv');
    const headers = { 'x-authorization': token };
    return fetch(`${base}/v4/wlm/queues/1/file`, { method: 'POST', headers, body: form });
  };
  expect([(await upload('file')).status, (await upload('__proto__')).status]).toEqual([200, 400]);
  await fetch(`${base}/v2/authentication/token?token=${byKey.token}`);
  await fetch(`${base}/nowhere?token=${token}`);

  const output = await stop();
  expect(output).toContain('UNAUTHENTICATED');
  for (const secret of [
    adminPassword,
    apiKey,
    token,
    byKey.token,
    ...(databasePassword ? [String(databasePassword)] : []),
  ]) {
    expect(secret.length).toBeGreaterThan(5);
    expect(output).not.toContain(secret);
  }
  expect(output).not.toMatch(
    /wrong password|misplaced password|unreadable password|in the name|of another|forged/,
  );
  expect(output).not.toContain('PRIVATE KEY');
  // Mistakes of senders are no errors of the server.
  expect(output).not.toContain('"level":50');
});
