import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { isAlive } from './alive.fixture.ts';
import { execute, type Command } from './command.ts';
import { LeaseLost, RunnerFault } from '../errors.ts';
import { hands } from './hands.fixture.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'millrace-command-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const limits = {
  env: process.env,
  cwd: folder,
  timeoutSeconds: 60,
  killGraceSeconds: 60,
  maxOutputBytes: 1000,
};

async function expectDead(pid: number): Promise<void> {
  await expect.poll(() => isAlive(pid)).toBe(false);
}

function bot(script: string, more: Partial<Command> = {}): Command {
  return { ...limits, command: [process.execPath, '-e', script], ...more };
}

function shell(script: string, more: Partial<Command> = {}): Command {
  return { ...limits, command: ['sh', '-c', script], ...more };
}

/** The process id that a script has written to a file. */
async function pidIn(file: string): Promise<number> {
  const read = () => Number(readFileSync(path.join(folder, file), 'utf8'));
  await expect.poll(read).toBeGreaterThan(0);
  return read();
}

test('a command gets its input on stdin, and its output, log lines and exit code come back', async () => {
  const tools = hands();
  const ended = await execute(shell('cat; echo one >&2; printf two >&2; exit 3'), '{"id":1}', tools);
  expect(ended).toEqual({
    exitCode: 3,
    signal: null,
    stdout: '{"id":1}',
    stderr: 'one\ntwo',
    stoppedBy: undefined,
    wrong: undefined,
    report: undefined,
  });
  expect(tools.lines).toEqual(['one', 'two']);
});

test('a command need not read its input', async () => {
  const ended = await execute(shell('exit 0'), 'x'.repeat(1_000_000), hands());
  expect(ended.exitCode).toBe(0);
});

test('only the end of stderr is kept', async () => {
  const ended = await execute(bot('console.error("x".repeat(50_000) + "end")'), '', hands());
  expect(ended.stderr).toHaveLength(7_999);
  expect(ended.stderr.endsWith('xend')).toBe(true);
});

test('a command that writes too much is stopped', async () => {
  const ended = await execute(shell('yes'), '', hands());
  expect(ended).toMatchObject({ stoppedBy: 'output', signal: 'SIGTERM' });
  expect(ended.stdout.length).toBeLessThanOrEqual(1000);
});

test('a command that takes too long is stopped, and so is what it has started', async () => {
  const ended = await execute(
    shell('sleep 600 & echo $! > grandchild; wait', { timeoutSeconds: 0.5 }),
    '',
    hands(),
  );
  expect(ended.stoppedBy).toBe('timeout');
  await expectDead(await pidIn('grandchild'));
});

test('a command that does not end when asked is killed', async () => {
  const deaf =
    'process.on("SIGTERM", () => {}); require("fs").writeFileSync("deaf", String(process.pid)); setInterval(() => {}, 1000)';
  const controller = new AbortController();
  const ending = execute(bot(deaf, { killGraceSeconds: 0.1 }), '', hands(controller.signal));
  const pid = await pidIn('deaf');
  controller.abort();
  expect(await ending).toMatchObject({ stoppedBy: 'signal', signal: 'SIGKILL' });
  await expectDead(pid);
});

test('what a command leaves behind is killed and does not hold the item', async () => {
  const ended = await execute(shell('sleep 600 & echo $! > left; echo "{}"'), '', hands());
  expect(ended).toMatchObject({ exitCode: 0, stdout: '{}\n', stoppedBy: undefined });
  await expectDead(await pidIn('left'));
});

test('an item that was given up before the start stops the command at once', async () => {
  const ended = await execute(shell('sleep 600'), '', hands(AbortSignal.abort()));
  expect(ended.stoppedBy).toBe('signal');
});

test('a command tells its progress, and gives its report, on the control pipe', async () => {
  const tools = hands();
  const script = `echo '{"progress":{"percent":50,"text":"half"}}' >&3
    printf '{"report":{"status":"DEFERRED","reason":"closed"}}' >&"$MILLRACE_CONTROL"`;
  const ended = await execute(shell(script), '', tools);
  expect(ended).toMatchObject({ exitCode: 0, report: { status: 'DEFERRED', reason: 'closed' } });
  expect(tools.told).toEqual([{ percent: 50, text: 'half' }]);
});

test('a command goes on only when its point of no return is kept', async () => {
  let keep = () => {};
  const kept = new Promise<void>((resolve) => {
    keep = resolve;
  });
  const tools = hands(undefined, () => kept);
  const script = `echo '{"pointOfNoReturn":true}' >&3; read -r answer <&3; echo "$answer"; echo went on >&2`;
  const ending = execute(shell(script), '', tools);
  await expect.poll(() => tools.told).toEqual(['point of no return']);
  expect(tools.lines).toEqual([]);
  keep();
  expect(await ending).toMatchObject({ stdout: '{"pointOfNoReturn":true}\n', stderr: 'went on' });
});

test('a command whose item is taken away at its point of no return is ended instead of answered', async () => {
  const controller = new AbortController();
  const tools = hands(controller.signal, () => {
    const reason = new LeaseLost('LEASE_LOST', 'held by another');
    controller.abort(reason);
    return Promise.reject(reason);
  });
  const script = `echo '{"pointOfNoReturn":true}' >&3; read -r answer <&3; echo went on`;
  const ended = await execute(shell(script), '', tools);
  expect(ended).toMatchObject({ stoppedBy: 'signal', signal: 'SIGTERM', stdout: '' });
});

test.each([
  ['{"pointOfNoReturm":true}', 'pointOfNoReturm is not a known member'],
  ['{"pointOfNoReturn":false}', 'pointOfNoReturn must be equal to constant'],
  ['{"progress":{"percent":"half"}}', 'progress.percent must be number'],
  ['{"report":{"status":"DONE"}}', 'report.status must be one of COMPLETE, FAILED, DEFERRED, NEW'],
  ['{"report":{"status":"COMPLETE","result":1}}', 'report.result is not a known member'],
  ['hello', 'JSON'],
])('a command that says %s on the control pipe is stopped', async (line, why) => {
  const ended = await execute(shell(`echo '${line}' >&3; sleep 600`), '', hands());
  expect(ended.stoppedBy).toBe('control');
  expect(ended.wrong).toContain(why);
  expect(ended.wrong).toContain(line);
});

test.each([
  ['is missing', { command: ['./no-such-program'] }],
  ['is no program', { command: [folder] }],
  ['has no folder to run in', { cwd: path.join(folder, 'gone') }],
])('a program that %s is a fault of the runner, not of the item', async (_, wrong) => {
  const failure = execute({ ...shell('exit 0'), ...wrong }, '', hands());
  await expect(failure).rejects.toThrow(RunnerFault);
  await expect(failure).rejects.toThrow(/Check the command, the folder it runs in, and PATH/);
});
