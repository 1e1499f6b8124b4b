import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

const script = path.join(import.meta.dirname, 'ensure-installed.mjs');

interface Package {
  version: string;
  optional?: true;
  os?: string[];
  cpu?: string[];
}

/** A project with this script and a lockfile for packages that lie beside it, so that nothing needs a network. */
function createProject(packages: Record<string, Package> = {}): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'millrace-install-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  mkdirSync(path.join(folder, 'scripts'));
  copyFileSync(script, path.join(folder, 'scripts/ensure-installed.mjs'));
  lock(folder, { thing: { version: '1.0.0' }, ...packages });
  return folder;
}

/** Makes package.json and lockfile ask for these packages; the installed ones stay as they are. */
function lock(folder: string, packages: Record<string, Package>): void {
  const root = { name: 'project', version: '1.0.0', dependencies: {}, optionalDependencies: {} };
  const entries = Object.entries(packages).map(([name, entry]) => {
    const archive = `file:${pack(folder, name, entry)}`;
    Object.assign(entry.optional ? root.optionalDependencies : root.dependencies, { [name]: archive });
    return [`node_modules/${name}`, { ...entry, resolved: archive }];
  });
  write(folder, 'package.json', root);
  const lockfile = { ...root, lockfileVersion: 3, packages: { '': root, ...Object.fromEntries(entries) } };
  write(folder, 'package-lock.json', lockfile);
}

function pack(folder: string, name: string, { version }: Package): string {
  mkdirSync(path.join(folder, name, 'package'), { recursive: true });
  write(folder, `${name}/package/package.json`, { name, version });
  const archive = `${name}-${version}.tgz`;
  const tar = spawnSync('tar', ['-czf', `../${archive}`, 'package'], { cwd: path.join(folder, name) });
  if (tar.status !== 0) throw new Error(`tar: ${tar.stderr.toString()}`);
  return archive;
}

function write(folder: string, file: string, content: object): void {
  writeFileSync(path.join(folder, file), JSON.stringify(content));
}

function ensureInstalled(folder: string, { env = {}, nodeArgs = [] as string[] } = {}) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [...nodeArgs, 'scripts/ensure-installed.mjs'],
    {
      cwd: folder,
      env: { ...process.env, npm_config_offline: 'true', ...env },
      encoding: 'utf8',
    },
  );
  return { status, output: stdout + stderr };
}

function installedVersion(folder: string): string | undefined {
  const file = path.join(folder, 'node_modules/thing/package.json');
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Package).version : undefined;
}

const done = { status: 0, output: expect.stringContaining('Installing dependencies') };
const nothingToDo = { status: 0, output: '' };

test('A fresh checkout is installed once', () => {
  const folder = createProject();
  expect(ensureInstalled(folder)).toEqual(done);
  expect(installedVersion(folder)).toBe('1.0.0');
  expect(ensureInstalled(folder)).toEqual(nothingToDo);
});

test('A changed lockfile is installed', () => {
  const folder = createProject();
  ensureInstalled(folder);
  lock(folder, { thing: { version: '1.1.0' } });
  expect(ensureInstalled(folder)).toEqual(done);
  expect(installedVersion(folder)).toBe('1.1.0');
});

test('An added package is installed', () => {
  const folder = createProject();
  ensureInstalled(folder);
  const binary: Package = { version: '1.0.0', optional: true, os: [process.platform], cpu: [process.arch] };
  lock(folder, { thing: { version: '1.0.0' }, binary });
  expect(ensureInstalled(folder)).toEqual(done);
  expect(existsSync(path.join(folder, 'node_modules/binary'))).toBe(true);
});

test('What somebody installed by hand is left alone', () => {
  const folder = createProject();
  spawnSync('npm', ['install', '--offline', '--no-audit'], { cwd: folder });
  expect(installedVersion(folder)).toBe('1.0.0');
  expect(ensureInstalled(folder)).toEqual(nothingToDo);
});

test('Packages for other machines are not waited for', () => {
  const folder = createProject({
    elsewhere: { version: '1.0.0', optional: true, os: ['aix'], cpu: ['ppc64'] },
  });
  expect(ensureInstalled(folder)).toEqual(done);
  expect(ensureInstalled(folder)).toEqual(nothingToDo);
});

test('An installation that was cut off is done again', () => {
  const folder = createProject();
  ensureInstalled(folder);
  writeFileSync(path.join(folder, 'node_modules/.package-lock.json'), '{ "packages": {');
  expect(ensureInstalled(folder)).toEqual(done);
});

test('When npm fails it says what to do', () => {
  const folder = createProject();
  rmSync(path.join(folder, 'thing-1.0.0.tgz'));
  const run = ensureInstalled(folder);
  expect(run.status).toBe(1);
  // npm's own message comes first.
  expect(run.output).toMatch(/thing-1\.0\.0\.tgz[^]*Check the network and run the same command again\./);
});

test('Without npm it says what to do', () => {
  const run = ensureInstalled(createProject(), { env: { npm_execpath: '', PATH: '' } });
  expect(run).toEqual({ status: 1, output: expect.stringContaining('Install npm, which comes with Node') });
});

test('An old Node is refused by its version', () => {
  const old = `data:text/javascript,Object.defineProperty(process,'versions',{value:{node:'20.18.3'}})`;
  const run = ensureInstalled(createProject(), { nodeArgs: ['--import', old] });
  expect(run).toEqual({
    status: 1,
    output: expect.stringContaining('needs Node 20.19 or newer; this is 20.18.3'),
  });
});
