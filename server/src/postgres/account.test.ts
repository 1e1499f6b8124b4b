import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { canReach, findAccount, mayPass } from './place.ts';

describe('findAccount', () => {
  const nobody = 'nobody:x:65534:65533:nobody:/nonexistent:/usr/sbin/nologin';

  it('prefers an account of its own', () => {
    expect(findAccount(`${nobody}\nmillrace:x:900:901::/:/bin/false\n`)).toEqual({ uid: 900, gid: 901 });
    expect(findAccount(`root:x:0:0::/root:/bin/sh\n${nobody}\n`)).toEqual({ uid: 65534, gid: 65533 });
    expect(findAccount('nobody:*:-2:-2:Unprivileged User:/var/empty:/usr/bin/false')).toEqual({
      uid: 4294967294,
      gid: 4294967294,
    });
  });

  it('finds none among root and strangers', () => {
    expect(findAccount('root:x:0:0::/root:/bin/sh\nanna:x:1000:1000::/home/anna:/bin/sh\n')).toBeUndefined();
    expect(findAccount('millrace:x:0:0::/:/bin/sh\n')).toBeUndefined();
  });
});

describe('mayPass', () => {
  const account = { uid: 10, gid: 20 };

  it.each([
    [0, 0, 0o755, true],
    [0, 0, 0o700, false],
    [0, 20, 0o710, true],
    [0, 20, 0o701, false],
    [10, 0, 0o700, true],
    [10, 20, 0o011, false],
  ])('owner %i, group %i, mode %o: %s', (uid, gid, mode, expected) => {
    expect(mayPass({ uid, gid, mode }, account)).toBe(expected);
  });
});

describe('canReach', () => {
  it('looks at every folder above', async () => {
    const stranger = { uid: 54_321, gid: 54_321 };
    const top = await mkdtemp(join(tmpdir(), 'millrace-reach-'));
    await mkdir(join(top, 'open'));
    await chmod(join(top, 'open'), 0o755);
    expect(await canReach(join(top, 'open'), stranger)).toBe(false);
    await chmod(top, 0o755);
    expect(await canReach(join(top, 'open'), stranger)).toBe(true);
    await rm(top, { recursive: true });
  });
});
