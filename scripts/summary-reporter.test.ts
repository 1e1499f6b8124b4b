import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

const root = path.dirname(import.meta.dirname);
const vitest = path.join(root, 'node_modules/vitest/vitest.mjs');

interface Run {
  readonly lastLine: string | undefined;
  readonly exitCode: unknown;
  /** The listed names of files with failures; undefined where no list was written. */
  readonly failed: string[] | undefined;
}

/** Runs these test files under the reporter and answers what it says of them. */
function runTests(files: Record<string, string>): Promise<Run> {
  const folder = mkdtempSync(path.join(tmpdir(), 'millrace-summary-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  mkdirSync(path.join(folder, 'tests'));
  const reporter = path.join(root, 'scripts/summary-reporter.ts');
  const list = path.join(folder, 'failed');
  const config = `import { summaryReporter } from ${JSON.stringify(reporter)};
    export default { test: { globals: true, expect: { requireAssertions: true }, reporters: [summaryReporter(${JSON.stringify(list)})] } };`;
  writeFileSync(path.join(folder, 'vitest.config.ts'), config);
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, 'tests', name), text);
  return new Promise((resolve) => {
    execFile(process.execPath, [vitest, 'run', '--root', folder], (error, output) =>
      resolve({
        lastLine: output.trimEnd().split('\n').at(-1),
        exitCode: error?.code ?? 0,
        failed: existsSync(list) ? namesIn(readFileSync(list, 'utf8')) : undefined,
      }),
    );
  });
}

const namesIn = (list: string) =>
  list
    .split('\n')
    .filter(Boolean)
    .map((file) => path.basename(file));

const passing = `test('one is one', () => expect(1).toBe(1));\n`;

test('The last line counts what passed', async () => {
  const run = await runTests({ 'a.test.ts': passing, 'b.test.ts': passing });
  expect(run).toEqual({ lastLine: '2 passed, 0 failed', exitCode: 0, failed: [] });
});

test('The last line counts what failed and what was skipped', async () => {
  const failing = `test('one is two', () => expect(1).toBe(2));\ntest('no assertion', () => undefined);\n`;
  const run = await runTests({ 'a.test.ts': `${passing}${failing}test.skip('later', () => undefined);\n` });
  expect(run).toEqual({ lastLine: '1 passed, 2 failed, 1 skipped', exitCode: 1, failed: ['a.test.ts'] });
});

test('A file that cannot be loaded is a failure', async () => {
  const run = await runTests({ 'a.test.ts': passing, 'b.test.ts': `import './missing.ts';\n${passing}` });
  expect(run).toEqual({ lastLine: '1 passed, 1 failed', exitCode: 1, failed: ['b.test.ts'] });
});

test('An error outside of any test is a failure, which is no file’s', async () => {
  const stray = `test('starts', () => { expect(1).toBe(1); void Promise.reject(new Error('stray')); });\n`;
  const run = await runTests({ 'a.test.ts': stray });
  expect(run).toEqual({ lastLine: '1 passed, 1 failed', exitCode: 1, failed: [] });
});

test('A run without any test is a failure', async () => {
  const run = await runTests({});
  expect(run).toEqual({ lastLine: '0 passed, 1 failed', exitCode: 1, failed: [] });
});
