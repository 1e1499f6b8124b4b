import pg from 'pg';
import { expect, test } from 'vitest';
import { freePort } from '../server/src/postgres/free-port.ts';
import { startApp } from '../server/src/testing/app.ts';
import { seal } from '../server/src/testing/audit.ts';
import { keyFile } from '../server/src/testing/key-file.ts';
import { createQueue } from '../server/src/testing/fixtures.ts';
import { expectEnd } from './as-admin.ts';
import { urlOf } from './history/server.ts';
import { createHome, millrace, startMillrace } from './millrace.ts';

test('audit verify --local looks into the folder of a server that runs, and of one that has stopped', async () => {
  const home = createHome();
  const verify = (...more: string[]) =>
    millrace(home, ['audit', 'verify', '--local', '--data', 'db', ...more]);
  expect(expectEnd(await verify(), 1).stderr).toContain('There is no database in');
  const port = String(await freePort());
  const server = startMillrace(home, ['serve', '--port', port, '--data', 'db']);
  await expect.poll(() => server.said()).toContain('Millrace is running.');
  const whole = /^Everything is as it was sealed: /;
  expect(expectEnd(await verify(), 0).stdout).toMatch(whole);
  server.process.kill('SIGTERM');
  await server.ended;
  const { stdout, stderr } = expectEnd(await verify(), 0);
  expect(stdout).toMatch(whole);
  expect(stderr).toContain('Tenant default:');
  expect(expectEnd(await verify('--tenant', 'nobody'), 1).stderr).toContain('no tenant named nobody');
});

test('audit verify --local finds what was changed in the database, and the exit code says so', async () => {
  const file = keyFile();
  const app = await startApp({ sealingKeyFile: file });
  const queue = await createQueue(app);
  await queue.add(3);
  await seal(app, file);
  const { head, keys } = (await app.admin.getAuditHead()).body;
  await app.stop();
  const env = { MILLRACE_DATABASE_URL: urlOf(app.connection) };
  const verify = (...more: string[]) =>
    millrace(createHome(), ['audit', 'verify', '--local', ...more], { env });
  const noted = ['--tenant', 'default', '--head', String(head), '--keys', String(keys[0]?.id)];
  const { stderr } = expectEnd(await verify(...noted), 0);
  expect(stderr).toContain(`--head ${head} --keys ${keys[0]?.id}`);
  const client = new pg.Client(app.connection);
  await client.connect();
  const { rows } = await client.query<{ id: string }>(
    `update events set reason = 'another' where id = (select min(id) from events) returning id`,
  );
  await client.end();
  const found = expectEnd(await verify(), 1);
  expect(found.stdout).toBe(`ALTERED  Event ${rows[0]?.id} is not as it was when it was sealed.\n`);
  expect(found.stderr).toContain('Not as it was sealed: 1 problems.');
  const { tenant, problems } = JSON.parse(expectEnd(await verify('--json'), 1).stdout) as {
    tenant: string;
    problems: unknown[];
  };
  expect([tenant, problems]).toMatchObject(['default', [{ kind: 'ALTERED' }]]);
  const elsewhere = expectEnd(await verify('--tenant', 'default', '--keys', '0'.repeat(32)), 1);
  expect(elsewhere.stdout).toContain('SIGNATURE  ');
});
