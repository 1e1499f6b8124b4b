import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findPostmaster } from '../../server/src/postgres/cluster.ts';
import { choosePlace, closeSocketFolder } from '../../server/src/postgres/place.ts';
import { isRunning } from '../../server/src/postgres/processes.ts';
import type { Bug } from './bugs.ts';
import type { Place } from './copy.ts';

type Test = Pick<Bug, 'file' | 'title'>;

/** The result of a test; with `why`, unless it passed. */
export interface Outcome {
  readonly state: 'passed' | 'failed by an assertion' | 'failed otherwise' | 'did not run';
  readonly why: string;
}

/** The output of vitest's `json` reporter, as far as it is read here. */
export interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly message: string;
    readonly assertionResults: readonly {
      readonly title: string;
      readonly status: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

/** The limit for a test whose bug keeps it waiting for something that never happens; a slow machine needs nothing near it. */
const testMs = 180_000;
const runMs = 600_000;

/**
 * Runs these tests, and no others of their files, in the copy; returns how each of them ended.
 * @throws the reason of the signal, with nothing left running.
 */
export async function runTests(
  { copy, temporary }: Place,
  tests: readonly Test[],
  signal: AbortSignal,
): Promise<Outcome[]> {
  const report = path.join(temporary, 'report.json');
  const files = [...new Set(tests.map(({ file }) => file))];
  const pattern = `(^| )(${tests.map(({ title }) => escaped(title)).join('|')})$`;
  const reporting = ['--reporter', 'json', '--outputFile', report];
  const args = ['run', ...files, '-t', pattern, '--testTimeout', String(testMs), ...reporting];
  const said = await runVitest(copy, args, { temporary, signal });
  const found = existsSync(report) ? (JSON.parse(readFileSync(report, 'utf8')) as Report) : undefined;
  for (const name of readdirSync(temporary))
    rmSync(path.join(temporary, name), { recursive: true, force: true, maxRetries: 20 });
  return tests.map((test) =>
    found ? outcomeIn(found, test) : { state: 'did not run', why: said.slice(-1000) },
  );
}

function escaped(title: string): string {
  return title.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

/** Runs it to its end, or until the signal; returns its output. */
async function runVitest(
  folder: string,
  args: readonly string[],
  { temporary, signal }: { temporary: string; signal: AbortSignal },
): Promise<string> {
  signal.throwIfAborted();
  const program = path.join(folder, 'node_modules/vitest/vitest.mjs');
  const child = spawn(process.execPath, [program, ...args], {
    cwd: folder,
    env: { ...process.env, TMPDIR: temporary, TEMP: temporary, TMP: temporary, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
    // In a group of its own: Ctrl-C would end it before it has ended its databases.
    detached: true,
  });
  let said = '';
  const note = (text: string) => void (said += text);
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', note);
  const limit = AbortSignal.timeout(runMs);
  const ending = AbortSignal.any([signal, limit]);
  const end = () => endGroup(child);
  ending.addEventListener('abort', end);
  await once(child, 'close');
  ending.removeEventListener('abort', end);
  await endDatabases(temporary);
  signal.throwIfAborted();
  return limit.aborted ? `It was ended after ${runMs / 60_000} minutes. ${said}` : said;
}

function endGroup({ pid = 0 }: ChildProcess): void {
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL');
  } catch {
    // It has ended by itself meanwhile.
  }
}

/** Ends the PostgreSQL servers in a folder, left behind by killed tests. */
async function endDatabases(folder: string): Promise<void> {
  for (const cluster of clustersIn(folder)) {
    const pid = await findPostmaster(cluster);
    if (pid === undefined) continue;
    process.kill(pid, 'SIGQUIT');
    while (isRunning(pid)) await sleep(20);
    // The folder of its socket may lie elsewhere, as socket addresses must be short.
    await closeSocketFolder(await choosePlace(path.dirname(cluster)));
  }
}

/** The folders of PostgreSQL's data in a folder. Their contents change while it runs. */
export function clustersIn(folder: string): string[] {
  const entries = readdirSync(folder, { withFileTypes: true });
  if (entries.some(({ name }) => name === 'PG_VERSION')) return [folder];
  const folders = entries.filter((entry) => entry.isDirectory());
  return folders.flatMap(({ name }) => clustersIn(path.join(folder, name)));
}

/** The result of a test by the report. */
export function outcomeIn({ testResults }: Report, { file, title }: Test): Outcome {
  const result = testResults.find(({ name }) => name.replaceAll('\\', '/').endsWith(`/${file}`));
  const test = result?.assertionResults.find((one) => one.title === title);
  if (test?.status === 'passed') return { state: 'passed', why: '' };
  if (test?.status !== 'failed')
    return { state: 'did not run', why: result?.message || `there is no such test in ${file}` };
  const [why = 'no message'] = test.failureMessages;
  const isAssertion = why.startsWith('AssertionError');
  return { state: isAssertion ? 'failed by an assertion' : 'failed otherwise', why };
}
