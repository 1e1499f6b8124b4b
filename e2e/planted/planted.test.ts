import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { bugs, patchOf } from './bugs.ts';
import { checkPatch, closePlace, copyRepository, openPlace } from './copy.ts';
import { clustersIn, outcomeIn, type Report } from './run.ts';

const root = path.join(import.meta.dirname, '../..');

describe('each planted bug', () => {
  test('has a patch, and each patch a bug', () => {
    const patches = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.patch'));
    expect(bugs.map((bug) => path.basename(patchOf(bug))).toSorted()).toEqual(patches.toSorted());
  });

  test.each(bugs)('$name can still be planted', (bug) => {
    expect(() => checkPatch(patchOf(bug))).not.toThrow();
  });

  test.each(bugs)('$name names a test that is there', ({ file, title }) => {
    const text = readFileSync(path.join(root, file), 'utf8');
    expect(text.split(`'${title}'`)).toHaveLength(2);
  });
});

test('a copy of the repository has its own workspaces, and the packages that are installed', () => {
  const place = openPlace();
  onTestFinished(() => closePlace(place));
  copyRepository(place);
  const { resolve } = createRequire(path.join(place.copy, 'server/src/server.ts'));
  expect(realpathSync(resolve('@millrace/api'))).toBe(path.join(place.copy, 'api/src/index.ts'));
  expect(realpathSync(resolve('pg'))).toMatch(
    new RegExp(`^${realpathSync(path.join(root, 'node_modules'))}`),
  );
});

test('a run that is interrupted leaves neither its copy behind nor a database', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'millrace-interrupted-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const args = ['--import', 'tsx', 'e2e/planted/main.ts', '--only', 'claim-order'];
  const env = { ...process.env, TMPDIR: folder, TEMP: folder, TMP: folder };
  const run = spawn(process.execPath, args, { cwd: root, env, stdio: 'ignore' });
  const ended = once(run, 'exit');
  const servers = () => clustersIn(folder).filter((one) => existsSync(path.join(one, 'postmaster.pid')));
  await expect.poll(servers).not.toEqual([]);
  run.kill('SIGINT');
  expect(await ended).toEqual([130, null]);
  expect(readdirSync(folder).filter((name) => name.startsWith('millrace'))).toEqual([]);
});

describe('the outcome of a test', () => {
  const named = { file: 'server/src/a.test.ts', title: 'claimWorkItems claims' };
  const reportOf = (status: string, ...failureMessages: string[]): Report => {
    const assertionResults = [
      { title: 'claimWorkItems claims nothing', status: 'skipped', failureMessages: [] },
      { title: named.title, status, failureMessages },
    ];
    return { testResults: [{ name: `/copy/${named.file}`, message: '', assertionResults }] };
  };

  test.each([
    ['passed', reportOf('passed')],
    ['failed by an assertion', reportOf('failed', 'AssertionError: expected 2 to be 1', 'Error: another')],
    ['failed otherwise', reportOf('failed', 'TypeError: body.list is not iterable')],
    ['failed otherwise', reportOf('failed', 'Error: Test timed out in 180000ms.')],
    ['did not run', reportOf('skipped')],
    ['did not run', { testResults: [] }],
  ] as const)('is told: it %s', (state, report) => {
    expect(outcomeIn(report, named).state).toBe(state);
  });

  test('is what kept its file from being loaded', () => {
    const broken = { name: `/copy/${named.file}`, message: 'SyntaxError: here', assertionResults: [] };
    expect(outcomeIn({ testResults: [broken] }, named)).toEqual({
      state: 'did not run',
      why: 'SyntaxError: here',
    });
  });
});
