import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { execute, type Command } from './command.ts';
import { RunnerFault } from '../errors.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'millrace-command-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const limits = {
  env: process.env,
  cwd: folder,
  timeoutSeconds: 60,
  killGraceSeconds: 60,
  maxOutputBytes: 1000,
};

function bot(script: string, more: Partial<Command> = {}): Command {
  return { ...limits, command: [process.execPath, '-e', script], ...more };
}

function shell(script: string, more: Partial<Command> = {}): Command {
  return { ...limits, command: ['sh', '-c', script], ...more };
}

function hands(signal = new AbortController().signal) {
  const lines: string[] = [];
  return { signal, log: (line: string) => void lines.push(line), lines };
}

/** The process id that a script has written to a file. */
async function pidIn(file: string): Promise<number> {
  const read = () => {
    const pid = Number(readFileSync(path.join(folder, file), 'utf8'));
    expect(pid).toBeGreaterThan(0);
    return pid;
  };
  return vi.waitFor(read, { timeout: 20_000 });
}

async function expectDead(pid: number): Promise<void> {
  await expect.poll(() => isAlive(pid), { timeout: 20_000 }).toBe(false);
}

function isAlive(pid: number): boolean {
  const status = `/proc/${String(pid)}/status`;
  try {
    // In a container nobody may bury the dead.
    return (
      process.kill(pid, 0) && !(existsSync(status) && readFileSync(status, 'utf8').includes('State:\tZ'))
    );
  } catch {
    return false;
  }
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

test.each([
  ['is missing', { command: ['./no-such-program'] }],
  ['is no program', { command: [folder] }],
  ['has no folder to run in', { cwd: path.join(folder, 'gone') }],
])('a program that %s is a fault of the runner, not of the item', async (_, wrong) => {
  const failure = execute({ ...shell('exit 0'), ...wrong }, '', hands());
  await expect(failure).rejects.toThrow(RunnerFault);
  await expect(failure).rejects.toThrow(/Check the command, the folder it runs in, and PATH/);
});
