import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { isPostgresIn, isRunning, parseLinuxStat, processStart } from './processes.ts';

describe('parseLinuxStat', () => {
  const tail = '1 1 1 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 98765 1 1';

  it('reads name and start time', () => {
    expect(parseLinuxStat(`42 (postgres) S ${tail}`)).toEqual({ name: 'postgres', startTicks: '98765' });
  });

  it('copes with a name made of blanks and parentheses', () => {
    expect(parseLinuxStat(`42 (a) S (b) R ${tail}`)?.name).toBe('a) S (b');
  });

  it('takes a zombie for ended', () => {
    expect(parseLinuxStat(`42 (postgres) Z ${tail}`)).toBeUndefined();
  });
});

describe('processes', () => {
  it('tells living from ended ones', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    const pid = child.pid ?? 0;
    const started = await processStart(pid);
    expect(isRunning(pid)).toBe(true);
    expect(started).toBeTypeOf('string');
    expect(await processStart(pid)).toBe(started);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(isRunning(pid)).toBe(false);
    expect(await processStart(pid)).toBeUndefined();
  });

  it('takes no other program for PostgreSQL', async () => {
    expect(await isPostgresIn(process.pid, process.cwd())).toBe(false);
  });
});
