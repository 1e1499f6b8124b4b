import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { lstatSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Id } from '@millrace/api';
import { beforeAll, expect, inject, onTestFinished, test } from 'vitest';
import { password, startApp, type App } from '../server/src/testing/app.ts';
import { createHome } from './millrace.ts';
import { createBotUser } from './work.ts';

// A compiler, an installation and a server, which take seconds each on a busy machine.

const root = fileURLToPath(new URL('../', import.meta.url));
const tarballs = inject('packages');
/** A folder outside of the clone, with nothing but what npm installs from the tarballs. */
const home = createHome();
const names = ['api', 'runner', 'cli', 'web', 'server'];
const installed = (...parts: string[]) => path.join(home, 'node_modules/@millrace', ...parts);
const { PATH = '' } = process.env;

beforeAll(() => {
  const made = readdirSync(tarballs).filter((file) => file.endsWith('.tgz'));
  const files = made.map((file) => path.join(tarballs, file));
  const quietly = ['--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts'];
  execFileSync('npm', ['install', ...quietly, ...files], { cwd: home, stdio: 'pipe' });
});

function filesOf(name: string): string[] {
  const files = readdirSync(installed(name), { recursive: true, withFileTypes: true });
  return files
    .filter((file) => file.isFile())
    .map((file) => path.relative(installed(name), path.join(file.parentPath, file.name)));
}

test.each(names)('the package %s carries code, README and LICENSE, and neither sources nor tests', (name) => {
  const files = filesOf(name);
  expect(lstatSync(installed(name)).isSymbolicLink()).toBe(false);
  expect(files).toEqual(expect.arrayContaining(['README.md', 'LICENSE', 'package.json']));
  expect(files.filter((file) => /^dist\/.*[.]js$/.test(file))).not.toEqual([]);
  const unwanted = /^(src|contract|node_modules)\/|[.](test|fixture)[.]|(?<![.]d)[.]ts$/;
  expect(files.filter((file) => unwanted.test(file))).toEqual([]);
});

test.each(names)('the package.json of %s names files that are there, and versions only', (name) => {
  const text = readFileSync(installed(name, 'package.json'), 'utf8');
  const manifest = JSON.parse(text) as { dependencies?: Record<string, string> };
  expect(manifest).toMatchObject({ name: `@millrace/${name}`, license: 'Apache-2.0' });
  expect(manifest).not.toHaveProperty('private');
  for (const version of Object.values(manifest.dependencies ?? {})) expect(version).toMatch(/^\d/);
  const named = [...text.matchAll(/: "[.]\/(.+)"/g)].map(([, file = '']) => file);
  expect(named).not.toEqual([]);
  const files = filesOf(name);
  // A star stands for all files of a folder.
  const isThere = (file: string) =>
    files.some((one) => one === file || one.startsWith(file.replace(/[*]$/, '')));
  expect(named.filter((file) => !isThere(file))).toEqual([]);
});

/** A queue as the bot in README.md wants it, with an item that it does and one that it refuses. */
async function createInvoices({ admin }: App): Promise<{ id: Id }> {
  const attributes = [{ name: 'amount', type: 'NUMBER' as const }];
  const model = await admin.createWorkItemModel({ body: { name: 'Invoice', attributes } });
  const queue = await admin.createQueue({
    body: { name: 'Invoices', workItemModelId: Number(model.body.id), status: 'ACTIVE' },
  });
  const { list } = (await admin.listRoles()).body;
  const role = list.find((one) => one.name === 'AAE_Bot Runner');
  const target = { id: queue.body.id as Id };
  await admin.addQueueConsumer({ path: target, body: { roleId: role?.id as Id } });
  const workItems = [{ json: { amount: 129.9 } }, { json: { amount: 100_001 } }];
  await admin.createWorkItems({ path: target, body: { workItems } });
  return target;
}

/** Compiles the bot in README.md with the types that were installed, as strictly as the compiler can. */
function compileBot(): void {
  const [, bot = ''] = /^```ts\n(.*?)^```$/ms.exec(readFileSync(path.join(root, 'README.md'), 'utf8')) ?? [];
  writeFileSync(path.join(home, 'bot.mts'), bot);
  const tsc = path.join(root, 'node_modules/typescript/bin/tsc');
  const strictly = ['--strict', '--exactOptionalPropertyTypes', '--noEmitOnError', '--target', 'es2023'];
  const nodenext = ['--module', 'nodenext', '--moduleResolution', 'nodenext'];
  const types = ['--types', 'node', '--typeRoots', path.join(root, 'node_modules/@types')];
  const { status, stdout } = spawnSync(
    process.execPath,
    [tsc, ...strictly, ...nodenext, ...types, 'bot.mts'],
    { cwd: home, encoding: 'utf8' },
  );
  expect([status, stdout]).toEqual([0, '']);
}

test('the bot in README.md compiles with the packages, and does its items', async () => {
  compileBot();
  const app = await startApp();
  const queue = await createInvoices(app);
  const { username, apiKey } = await createBotUser(app, 'device-1');
  const bot = spawn(process.execPath, ['bot.mjs'], {
    cwd: home,
    env: { PATH, MILLRACE_URL: app.url, MILLRACE_USERNAME: username, MILLRACE_API_KEY: apiKey },
    stdio: 'ignore',
  });
  const ended = once(bot, 'exit');
  onTestFinished(() => void bot.kill('SIGKILL'));
  const items = async () => (await app.admin.listWorkItems({ path: queue })).body.list;
  const outcomes = async () => (await items()).map(({ status }) => String(status)).toSorted();
  await expect.poll(outcomes).toEqual(['COMPLETE', 'FAILED']);
  expect(await items()).toContainEqual(
    expect.objectContaining({ status: 'COMPLETE', output: { booked: 129.9 } }),
  );
  bot.kill('SIGTERM');
  expect(await ended).toEqual([0, null]);
});

function millrace(...args: string[]) {
  const program = path.join(home, 'node_modules/.bin/millrace');
  return spawnSync(program, args, { cwd: home, env: { PATH, HOME: home }, encoding: 'utf8' });
}

test('millrace --help explains the commands', () => {
  const { status, stdout } = millrace('--help');
  expect([status, stdout]).toEqual([0, expect.stringMatching(/^Usage: millrace <command>[^]*\n {2}upload /)]);
});

test('demo says that it needs the repository', () => {
  const { status, stdout, stderr } = millrace('demo');
  expect([status, stdout]).toEqual([1, '']);
  expect(stderr).toBe(
    'error: The demo of Millrace does not come with this package. Clone the repository of Millrace, and run `npm run demo` there.\n',
  );
});

test('serve starts the server that was installed, in two processes, with the console, and files are read in it', async () => {
  const program = path.join(home, 'node_modules/.bin/millrace');
  const settings = { MILLRACE_PORT: '0', MILLRACE_PROCESSES: '2', MILLRACE_ADMIN_PASSWORD: password };
  const server = spawn(program, ['serve'], { cwd: home, env: { PATH, HOME: home, ...settings } });
  const ended = once(server, 'exit');
  onTestFinished(() => void server.kill('SIGTERM'));
  let said = '';
  const hear = (text: Buffer) => (said += text.toString());
  server.stdout.on('data', hear);
  server.stderr.on('data', hear);
  const address = () => /Console +(\S+)/.exec(said)?.[1];
  await expect.poll(address, { message: said }).toMatch(/^http.*\/console\/$/);
  const page = await fetch(address() ?? '', { headers: { accept: 'text/html' } });
  const text = await page.text();
  expect([page.status, text]).toEqual([200, expect.stringContaining('/console/assets/')]);
  const script = new URL(/src="([^"]+)"/.exec(text)?.[1] ?? '', address());
  const sent = await fetch(script, { headers: { 'accept-encoding': 'br' } });
  expect([sent.status, sent.headers.get('content-encoding')]).toEqual([200, 'br']);
  const env = { MILLRACE_URL: new URL(address() ?? '').origin, MILLRACE_USERNAME: 'admin' };
  const as = (...args: string[]) =>
    spawnSync(program, args, {
      cwd: home,
      env: { PATH, HOME: home, ...env, MILLRACE_PASSWORD: password },
      encoding: 'utf8',
    });
  writeFileSync(path.join(home, 'invoices.csv'), 'number,amount\nA-1,12.50\n');
  const proposed = as('model', 'propose', 'invoices.csv', '--json');
  expect([proposed.status, proposed.stderr, proposed.stdout]).toEqual([
    0,
    '',
    expect.stringContaining('amount'),
  ]);
  server.kill('SIGTERM');
  expect(await ended, said).toEqual([0, null]);
});
