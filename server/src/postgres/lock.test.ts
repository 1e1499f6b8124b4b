import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseHolder, takeLock } from './lock.ts';
import { processSpace, processStart } from './processes.ts';

let folder: string;
let path: string;
const options = { log: () => {}, heartbeat: 100 };

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-lock-'));
  path = join(folder, 'millrace.lock');
});
afterEach(() => rm(folder, { recursive: true }));

async function writeHolder(change: Record<string, unknown>): Promise<void> {
  const own = {
    pid: process.pid,
    started: await processStart(process.pid),
    space: processSpace(),
    token: 'old',
  };
  await writeFile(path, JSON.stringify({ ...own, ...change }));
}

async function expectTaken(): Promise<void> {
  const lock = await takeLock(path, options);
  const holder = parseHolder(await readFile(path, 'utf8'));
  expect(holder).toMatchObject({
    pid: process.pid,
    started: await processStart(process.pid),
    space: processSpace(),
  });
  await lock.release();
}

describe('takeLock', () => {
  it('refuses while the holder lives, and says who it is', async () => {
    const lock = await takeLock(path, options);
    await expect(takeLock(path, options)).rejects.toThrow(
      `process ${process.pid}, is using this data folder`,
    );
    await lock.release();
    await (await takeLock(path, options)).release();
    expect(await readdir(folder)).toEqual([]);
  });

  it('is not stopped by another process that was given the id of the dead holder', async () => {
    await writeHolder({ started: 'an earlier boot 1' });
    await expectTaken();
  });

  it('replaces a lock that a power loss left empty', async () => {
    await writeFile(path, '');
    await expectTaken();
  });

  it.each(['free', 'left by a dead holder'])('has one winner when many try at once (%s)', async (state) => {
    if (state !== 'free') await writeHolder({ started: 'an earlier boot 1' });
    const tries = await Promise.allSettled(Array.from({ length: 20 }, () => takeLock(path, options)));
    const winners = tries.flatMap((attempt) => (attempt.status === 'fulfilled' ? [attempt.value] : []));
    expect(winners).toHaveLength(1);
    await winners[0]?.release();
    expect(await readdir(folder)).toEqual([]);
  });

  it('takes over from a container that is gone', async () => {
    await writeHolder({ space: 'other container' });
    await expectTaken();
  });

  it('refuses while a holder in another container shows that it lives', async () => {
    const lock = await takeLock(path, options);
    const holder = parseHolder(await readFile(path, 'utf8'));
    await writeFile(path, JSON.stringify({ ...holder, space: 'other container' }));
    await expect(takeLock(path, options)).rejects.toThrow('in another container (other container)');
    await lock.release();
  });
});

describe('parseHolder', () => {
  it.each(['', '{', '{}', 'null', '{"pid":1,"token":"../../x"}'])('finds nobody in %j', (text) => {
    expect(parseHolder(text)).toBeUndefined();
  });
});
