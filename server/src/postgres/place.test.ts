import { chown, mkdir, mkdtemp, rm, stat, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openDataFolder, openSocketFolder, socketFolder } from './place.ts';

describe('socketFolder', () => {
  it('lies in the data folder where the address of a socket fits', () => {
    expect(socketFolder('/srv/millrace', false)).toBe('/srv/millrace/socket');
  });

  it('is short and always the same elsewhere', () => {
    const deep = `/srv/${'ä'.repeat(45)}`;
    const folder = socketFolder(deep, false);
    expect(folder).toMatch(/^\/tmp\/millrace-[0-9a-f]{16}$/);
    expect(socketFolder(deep, true)).toBe(folder);
    expect(socketFolder(`${deep}2`, false)).not.toBe(folder);
  });

  it('lies outside a data folder that the account of the server cannot reach', () => {
    expect(socketFolder('/root/data', true)).toMatch(/^\/tmp\//);
  });
});

describe('openSocketFolder', () => {
  it('makes a folder for the account alone, and trusts no other', async () => {
    const top = await mkdtemp(join(tmpdir(), 'millrace-socket-'));
    const folder = join(top, 'socket');
    await openSocketFolder(folder, undefined);
    await openSocketFolder(folder, undefined);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    await symlink(folder, join(top, 'link'));
    await expect(openSocketFolder(join(top, 'link'), undefined)).rejects.toThrow('Remove it and start again');
    await rm(top, { recursive: true });
  });

  it.runIf(process.getuid?.() === 0)("refuses somebody else's folder", async () => {
    const top = await mkdtemp(join(tmpdir(), 'millrace-socket-'));
    const folder = join(top, 'socket');
    await mkdir(folder);
    await chown(folder, 54_321, 54_321);
    await expect(openSocketFolder(folder, undefined)).rejects.toThrow('belongs to user id 54321');
    await rm(top, { recursive: true });
  });
});

describe('openDataFolder', () => {
  it.each(['a"b', '$(id)', '`id`', 'a\\b'])(
    'refuses %j, which a shell takes for more than a name',
    async (name) => {
      await expect(openDataFolder(join(tmpdir(), name))).rejects.toThrow(
        'Set MILLRACE_DATA to another folder',
      );
    },
  );

  it('says what to do when the folder cannot be created', async () => {
    await expect(openDataFolder('/dev/null/data')).rejects.toThrow(
      'Set MILLRACE_DATA to a folder that this process may write to',
    );
  });
});
