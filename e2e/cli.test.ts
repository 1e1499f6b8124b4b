import { existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { execFileSync, spawnSync } from 'node:child_process';
import { parseJson } from '@millrace/api';
import { expect, test } from 'vitest';
import { freePort } from '../server/src/postgres/free-port.ts';
import { startApp } from '../server/src/testing/app.ts';
import { eventually } from '../server/src/testing/fixtures.ts';
import { startProvider, worker } from '../server/src/testing/sign-on.ts';
import { answerOf, expectEnd, itemAttributes, startAsAdmin } from './as-admin.ts';
import { createHome, millrace, startMillrace } from './millrace.ts';

// As startApp sets it.
const password = 'correct horse battery';
const { home, app, env, asAdmin, createQueue } = await startAsAdmin();

test('status says how the server is, without a log-in, and by its exit code whether it can work', async () => {
  const at = (url: string) => millrace(createHome(), ['status', '--url', url]);
  const { stdout } = expectEnd(await at(app.url), 0);
  expect(stdout).toMatch(/^http:\S+ works.*\.\nversion +\d.*\nsince +\d.*\ndatabase +answers\n/);
  const full = await startApp({ dataFolder: createHome() }, undefined, undefined, { fullBytes: Infinity });
  const stopped = expectEnd(await at(full.url), 1);
  expect(stopped.stdout).toMatch(/ cannot work\.\n[^]*DISK_FULL +The disk of the database is full\./);
  expectEnd(await at(`http://127.0.0.1:${await freePort()}`), 3);
});

test('login keeps a token that later commands use, and neither name nor password; logout revokes it', async () => {
  const person = createHome();
  const at = { env: { MILLRACE_URL: app.url } };
  const login = ['login', '--username', 'admin', '--password-stdin'];
  const { stdout, stderr } = expectEnd(await millrace(person, login, { ...at, stdin: `${password}\n` }), 0);
  expect([stdout, stderr]).toEqual(['', `Logged in at ${app.url} as admin (AAE_Admin, AAE_Operator).\n`]);
  const file = path.join(person, '.config', 'millrace', 'credentials.json');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const kept = JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>;
  expect(Object.keys(kept)).toEqual(['url', 'token', 'givenOn']);
  expect(readFileSync(file, 'utf8')).not.toContain(password);

  // Without any setting: the server is the one of the log-in.
  expect(answerOf(await millrace(person, ['user', 'list', '--json']))).toHaveProperty('list');
  expect((await app.as(kept['token']).listUsers()).status).toBe(200);
  expectEnd(await millrace(person, ['logout']), 0);
  expect(existsSync(file)).toBe(false);
  expect((await app.as(kept['token']).listUsers()).status).toBe(401);
  expectEnd(await millrace(person, ['user', 'list'], at), 4);
});

test('login --provider signs on in a browser on this machine, and keeps the token', async () => {
  const port = await freePort();
  const acme = await startProvider([`http://127.0.0.1:${port}/`]);
  const signed = await startApp({ signOn: acme.settings() });
  const person = createHome();
  const at = { MILLRACE_URL: signed.url };
  const args = ['login', '--provider', 'acme', '--port', String(port)];
  const logIn = async (groups: string[]) => {
    acme.person = worker('ann', { groups });
    const running = startMillrace(person, args, at);
    const said = await eventually(
      async () => running.said(),
      (text) => text.includes('Waiting for you'),
    );
    const back = await acme.visit(String(/http\S+/.exec(said)?.[0]));
    const comeBack = async (answer: Record<string, string>) =>
      (await fetch(`http://127.0.0.1:${port}/?${new URLSearchParams(answer).toString()}`)).text();
    // Pages of other sites can ask here too.
    expect(await comeBack({ state: 'made up', code: 'x' })).toBe('');
    return { page: await comeBack(back), ended: await running.ended };
  };
  const outside = await logIn([]);
  expect(outside.page).toContain('You are not logged in');
  expect(expectEnd(outside.ended, 1).stderr).toContain('not among those who may use Millrace');
  const inside = await logIn(['item workers']);
  expect(inside.page).toContain('You are logged in');
  expect(expectEnd(inside.ended, 0).stderr).toContain('as ann@acme.example (AAE_Basic).');
  expect(answerOf(await millrace(person, ['user', 'me', '--json'], { env: at }))).toHaveProperty(
    'provider',
    'acme',
  );
  const unknown = await millrace(person, ['login', '--provider', 'nobody'], { env: at });
  expect(expectEnd(unknown, 1).stderr).toContain('Nobody signs on here by "nobody"');
});

test('password changes one’s own password, and the kept token goes on; a temporary one is first changed with it', async () => {
  const { id } = await app.user('ana');
  const person = createHome();
  const at = { env: { MILLRACE_URL: app.url } };
  const logIn = async (given: string, code: number) => {
    const login = ['login', '--username', 'ana', '--password-stdin'];
    expectEnd(await millrace(person, login, { ...at, stdin: `${given}\n` }), code);
  };
  const change = (...lines: string[]) =>
    millrace(person, ['password'], { ...at, stdin: `${lines.join('\n')}\n` });
  await logIn(password, 0);
  expect(expectEnd(await change(password), 2).stderr).toContain('Two lines are needed');
  expectEnd(await change(password, 'a better horse battery'), 0);
  expect(answerOf(await millrace(person, ['user', 'me', '--json']))).toHaveProperty('username', 'ana');
  const reset = answerOf(await asAdmin('user', 'reset-password', 'ana', '--json'));
  const { temporaryPassword } = reset as { temporaryPassword: string };
  await logIn(temporaryPassword, 0);
  const { stderr } = expectEnd(await millrace(person, ['user', 'me']), 1);
  expect(stderr).toContain('Choose your own first: `millrace password`.');
  expectEnd(await change(temporaryPassword, 'the third horse battery'), 0);
  await logIn('the third horse battery', 0);
  expectEnd(await asAdmin('user', 'disable', String(id)), 0);
  await logIn('the third horse battery', 4);
});

test('a kept token is renewed while it is in use', async () => {
  const person = createHome();
  const at = {
    env: {
      XDG_CONFIG_HOME: person,
      MILLRACE_URL: app.url,
      MILLRACE_USERNAME: 'admin',
      MILLRACE_PASSWORD: password,
    },
  };
  expectEnd(await millrace(person, ['login'], at), 0);
  const file = path.join(person, 'millrace', 'credentials.json');
  const first = JSON.parse(readFileSync(file, 'utf8')) as { token: string };
  writeFileSync(file, JSON.stringify({ ...first, givenOn: 0 }));
  expectEnd(await millrace(person, ['queue', 'list'], { env: { XDG_CONFIG_HOME: person } }), 0);
  const second = JSON.parse(readFileSync(file, 'utf8')) as { token: string; givenOn: number };
  expect(second.token).not.toBe(first.token);
  expect(second.givenOn).toBeGreaterThan(0);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test('a wrong password is refused, and keeps nothing', async () => {
  const person = createHome();
  const login = ['login', '--username', 'admin', '--password-stdin', '--url', app.url];
  const { stderr } = expectEnd(await millrace(person, login, { stdin: 'wrong horse\n' }), 4);
  expect(stderr).not.toContain('wrong horse');
  expect(existsSync(path.join(person, '.config'))).toBe(false);
});

test('a log-in without a terminal to ask at says what to set', async () => {
  const { stderr } = expectEnd(await millrace(createHome(), ['login', '--url', app.url]), 2);
  expect(stderr).toContain('MILLRACE_USERNAME and MILLRACE_PASSWORD');
});

test('a queue is made, found by its name and changed, as tables and as JSON', async () => {
  const made = answerOf(
    await asAdmin(
      'model',
      'create',
      '--name',
      'Invoices',
      '--attributes',
      JSON.stringify(itemAttributes),
      '--json',
    ),
  ) as { id: number };
  const create = [
    'queue',
    'create',
    '--name',
    'Invoices',
    '--work-item-model-id',
    String(made.id),
    '--display-columns',
    'amount',
  ];
  expect(expectEnd(await asAdmin(...create), 0).stdout).toMatch(/^name +Invoices$/m);
  const list = expectEnd(await asAdmin('queue', 'list', '--where', 'name=Invoices'), 0).stdout.split('\n');
  expect(list[0]).toMatch(/^id +name +status/);
  expect(list[1]).toMatch(/^\d+ +Invoices +ACTIVE/);
  const update = ['updateQueue', 'Invoices', '--version', '0', '--status', 'inactive', '--json'];
  expect(answerOf(await asAdmin(...update))).toMatchObject({
    version: 1,
    status: 'INACTIVE',
    displayColumns: ['amount'],
  });
  expect(expectEnd(await asAdmin('queue', 'delete', 'Invoices'), 0).stderr).toBe('The queue is deleted.\n');
});

test('items keep all their digits on the way in and out', async () => {
  await createQueue('Digits');
  const data = '{"customer":"A","amount":9007199254740993}';
  expectEnd(await asAdmin('item', 'create', 'Digits', '--data', data, '--priority', '7'), 0);
  const listed = expectEnd(await asAdmin('item', 'list', 'Digits', '--json'), 0);
  expect(listed.stdout).toContain('"amount":9007199254740993');
  expect(expectEnd(await asAdmin('item', 'list', 'Digits'), 0).stdout).toMatch(/A +9007199254740993$/m);
  const { list } = parseJson(listed.stdout) as { list: { id: number; version: number; priority: number }[] };
  const [item] = list;
  expect(item?.priority).toBe(7);
  const update = ['item', 'update', 'Digits', String(item?.id), '--version', String(item?.version)];
  expect(answerOf(await asAdmin(...update, '--data', '{"customer":"B"}', '--json'))).toMatchObject({
    json: { customer: 'B' },
  });
});

test('a body comes from stdin or from a file', async () => {
  const { id } = await createQueue('Bodies');
  const items = JSON.stringify([{ json: { customer: 'A' } }, { json: { customer: 'B' }, priority: 1 }]);
  expectEnd(await millrace(home, ['item', 'create', 'Bodies', '--body', '-'], { env, stdin: items }), 0);
  writeFileSync(path.join(home, 'item.json'), '{"json":{"customer":"C"}}');
  expectEnd(await asAdmin('createWorkItems', String(id), '--body', '@item.json'), 0);
  const { body } = await app.admin.listWorkItems({ path: { id } });
  expect(new Set(body.list.map(({ json }) => json?.['customer']))).toEqual(new Set(['A', 'B', 'C']));
});

test('a file is uploaded whole, or each refused row is named and nothing is created', async () => {
  const { id } = await createQueue('Files');
  writeFileSync(path.join(home, 'bad.csv'), 'customer,amount\nA,1\nB,many\n,3\n');
  const bad = expectEnd(await asAdmin('upload', 'Files', 'bad.csv', '--on-error', 'reject'), 1);
  expect(bad.stdout).toBe('');
  expect(bad.stderr).toMatch(/^ROW +COLUMN +REASON$/m);
  expect(bad.stderr).toMatch(/^3 +amount +must be a number/m);
  expect(bad.stderr).toMatch(/^4 +customer +\S/m);
  expect((await app.admin.listWorkItems({ path: { id } })).body.page.total).toBe(0);
  const asJson = expectEnd(
    await asAdmin('upload', 'Files', 'bad.csv', '--on-error', 'reject', '--json'),
    1,
  ).stderr;
  expect(JSON.parse(asJson)).toMatchObject({
    code: 'INVALID_REQUEST',
    details: [{ row: 3, field: 'amount' }, { row: 4 }],
  });

  writeFileSync(path.join(home, 'good.csv'), 'amount,customer\n1,A\n2,B\n');
  expect(answerOf(await asAdmin('upload', 'Files', 'good.csv', '--json'))).toMatchObject({
    created: 2,
    rejected: 0,
  });
  const trial = expectEnd(await asAdmin('upload', 'Files', 'bad.csv', '--dry-run', '--on-error', 'skip'), 1);
  expect(trial.stdout).toMatch(/^created +1$/m);
  expect(trial.stdout).toMatch(/^row +column +/m);
  expect((await app.admin.listWorkItems({ path: { id } })).body.page.total).toBe(2);
});

test('a file is stored behind the answer, waited for, resumed, corrected and undone', async () => {
  await createQueue('Later');
  writeFileSync(path.join(home, 'later.csv'), 'customer;amount\nA;1\nB;many\n');
  const upload = ['upload', 'Later', 'later.csv', '--on-error', 'skip', '--async', '--json'];
  const begun = answerOf(await asAdmin(...upload, '--no-wait')) as Record<string, unknown>;
  expect(begun).toMatchObject({ state: 'READING', created: 0 });
  const id = String(begun['uploadId']);
  const resumed = expectEnd(await asAdmin('upload', 'Later', '--resume', id, '--json'), 1);
  expect(parseJson(resumed.stdout)).toMatchObject({ state: 'STORED', created: 1, rejected: 1 });
  expect(parseJson(expectEnd(await asAdmin(...upload), 1).stdout)).toMatchObject({
    repeated: true,
    created: 1,
  });
  const saved = expectEnd(await asAdmin('queue', 'upload-errors', 'Later', id), 0);
  expect(saved.stderr).toContain('Wrote later.errors.csv.');
  const errors = readFileSync(path.join(home, 'later.errors.csv'), 'utf8');
  expect(errors).toContain('B;many;"amount: must be a number');
  expect(expectEnd(await asAdmin('queue', 'upload-errors', 'Later', id), 2).stderr).toContain(
    'it is there already',
  );
  writeFileSync(path.join(home, 'later.errors.csv'), errors.replace('many', '2'));
  const corrected = answerOf(await asAdmin('upload', 'Later', 'later.errors.csv', '--json'));
  expect(corrected).toMatchObject({ created: 1, rejected: 0 });
  const undone = expectEnd(await asAdmin('queue', 'undo-upload', 'Later', id), 0);
  expect(undone.stdout).toMatch(/^withdrawn +1$/m);
  await app.sql("update uploads set state = 'CUT' where id = $1", [id]);
  const cut = expectEnd(await asAdmin('upload', 'Later', '--resume', id), 1);
  expect(cut.stderr).toContain('nothing of it is there. Send it again.');
  const refused = expectEnd(
    await asAdmin('upload', 'Later', 'bad.csv', '--on-error', 'reject', '--async'),
    1,
  );
  expect(refused.stderr).toMatch(/^3 +amount +must be a number/m);
});

test('the exit code says what went wrong, and stderr what to do', async () => {
  const url = `http://127.0.0.1:${String(await freePort())}`;
  const [refused, unknown, usage, missing, folder, misread, unreachable, nobody] = await Promise.all([
    asAdmin('queue', 'get', '987654'),
    asAdmin('queue', 'get', 'No such queue'),
    asAdmin('queue', 'create'),
    asAdmin('upload', 'Files', 'nowhere.csv'),
    asAdmin('upload', 'Files', '.'),
    asAdmin('queue', 'list', '--limitt', '5', '--json'),
    millrace(home, ['queue', 'list', '--url', url]),
    millrace(home, ['queue', 'list', '--url', app.url]),
  ]);
  expect(expectEnd(refused, 1).stderr).toMatch(/^error NOT_FOUND: /);
  expect(expectEnd(unknown, 1).stderr).toContain('millrace queue list');
  expect(expectEnd(usage, 2).stderr).toContain('--name and --work-item-model-id');
  expect(expectEnd(missing, 2).stderr).toContain('nowhere.csv cannot be read: there is no such file');
  expect(expectEnd(folder, 2).stderr).toContain('. cannot be read: it is no file');
  expect(JSON.parse(expectEnd(misread, 2).stderr)).toMatchObject({ code: 'USAGE' });
  expect(expectEnd(unreachable, 3).stderr).toContain('npm start');
  expect(expectEnd(nobody, 4).stderr).toContain('millrace login');
});

test('what a user may not do is refused with what is missing', async () => {
  const user = await app.user('clerk');
  const { body } = await app.admin.createApiKey({ body: { name: 'clerk', userId: user.id } });
  const own = { MILLRACE_URL: app.url, MILLRACE_USERNAME: 'clerk', MILLRACE_API_KEY: String(body.apiKey) };
  const { stderr, stdout } = await millrace(home, ['user', 'list', '--json'], { env: own });
  expect(stdout).toBe('');
  expect(JSON.parse(stderr)).toHaveProperty('code');
});

test('one refused outcome among several makes the exit code 1', async () => {
  await createQueue('Outcomes');
  await asAdmin('item', 'create', 'Outcomes', '--data', '{"customer":"A"}');
  const claimed = answerOf(await asAdmin('item', 'claim', 'Outcomes', '--json')) as {
    list: { id: number; version: number }[];
  };
  const results = claimed.list.flatMap(({ id, version }) => [
    { id, version, status: 'COMPLETE' },
    { id: id + 1000, version, status: 'COMPLETE' },
  ]);
  const finish = ['item', 'finish', 'Outcomes', '--results', JSON.stringify(results)];
  expect(expectEnd(await asAdmin(...finish), 1).stdout).toMatch(/COMPLETE/);
});

test('run has a command process the items, and ends in good order at SIGTERM', async () => {
  const { id } = await createQueue('Runs');
  const role = (await app.admin.listRoles()).body.list.find(({ name }) => name === 'AAE_Admin');
  await app.admin.addQueueConsumer({ path: { id }, body: { roleId: Number(role?.id) } });
  const workItems = ['good', 'bad'].map((customer) => ({ json: { customer } }));
  await app.admin.createWorkItems({ path: { id }, body: { workItems } });
  const script =
    'read -r item; case "$item" in *good*) echo "{}";; *) echo "no such customer" >&2; exit 65;; esac';
  const runner = startMillrace(
    home,
    ['run', '--queue', 'Runs', '--slots', '2', '--json', '--', 'sh', '-c', script],
    env,
  );
  const statuses = async () =>
    (await app.admin.listWorkItems({ path: { id } })).body.list.map(({ status }) => status);
  await expect.poll(async () => new Set(await statuses())).toEqual(new Set(['COMPLETE', 'FAILED']));
  runner.process.kill('SIGTERM');
  const ended = expectEnd(await runner.ended, 0);
  expect(JSON.parse(ended.stdout)).toMatchObject({
    completed: 1,
    failedBusiness: 1,
    failedSystem: 0,
    unreported: 0,
  });
  expect(ended.stderr).toMatch(/item \d+: no such customer\n.*item \d+: business failure\n/);
  // Once only: the failure does not repeat the command's own output.
  expect(ended.stderr.match(/no such customer/g)).toHaveLength(1);
});

test('the shell gets a script that it can read, which completes commands, flags and their values', async () => {
  const script = expectEnd(await millrace(home, ['completion', 'bash']), 0).stdout;
  expect(spawnSync('bash', ['-n'], { input: script }).status).toBe(0);
  const ask = async (...words: string[]) => (await millrace(home, ['complete', '--', ...words])).stdout;
  expect(await ask('queue', '')).toMatch(/^create\tCreate a queue/m);
  expect(await ask('queue', 'update', '5', '--sta')).toMatch(/^--status\t/m);
  expect(await ask('queue', 'update', '5', '--status', '')).toMatch(/^ACTIVE\t/m);
});

test('the command starts by a link, as npm installs it, and explains itself', async () => {
  const link = path.join(home, 'millrace');
  symlinkSync(path.resolve(import.meta.dirname, '../cli/bin/millrace.mjs'), link);
  const help = execFileSync(link, ['--help'], { cwd: home, encoding: 'utf8' });
  expect(help).toMatch(/^Start:$[^]*^Work:$[^]*^Set up:$[^]*^Examples:$/m);
  expect(execFileSync(link, ['item', 'list', '--help'], { encoding: 'utf8' })).toContain(
    '--where <comparison>',
  );
});

test('serve starts a server on a new database, and stops it cleanly', async () => {
  const person = createHome();
  const adminPassword = 'a password for the test';
  const serve = ['serve', '--port', '0', '--data', 'db'];
  const server = startMillrace(person, serve, {
    MILLRACE_ADMIN_PASSWORD: adminPassword,
    MILLRACE_LOG_LEVEL: 'error',
  });
  const address = () => /http:\/\/127\.0\.0\.1:\d+/.exec(server.said())?.[0] ?? '';
  await expect.poll(() => server.said()).toContain('Millrace is running.');
  const own = { MILLRACE_URL: address(), MILLRACE_USERNAME: 'admin', MILLRACE_PASSWORD: adminPassword };
  expectEnd(await millrace(person, ['queue', 'list'], { env: own }), 0);

  server.process.kill('SIGINT');
  expectEnd(await server.ended, 0);
  expectEnd(await millrace(person, ['queue', 'list'], { env: own }), 3);
  expect(existsSync(path.join(person, 'db', 'postgres'))).toBe(true);
  expect(existsSync(path.join(person, 'db', 'postgres', 'postmaster.pid'))).toBe(false);
});

test('serve ends with the exit code of a server that cannot start', async () => {
  const { stderr } = expectEnd(await millrace(home, ['serve'], { env: { MILLRACE_PORT: 'eighty' } }), 1);
  expect(stderr).toContain('MILLRACE_PORT');
});
