import { describe, expect, it } from 'vitest';
import { hashOfNothing, hashPassword, verifyPassword } from './passwords.ts';

describe('passwords', () => {
  it('are hashed with Argon2id, 19 MiB, two passes, one lane, and a salt of their own', async () => {
    const first = await hashPassword('correct horse battery');
    const second = await hashPassword('correct horse battery');
    expect(first).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[^$]{22}\$[^$]{43}$/);
    expect(second).not.toBe(first);
  });

  it('are known again, and others are not', async () => {
    const hashed = await hashPassword('pässwörd 🔑');
    expect(await verifyPassword(hashed, 'pässwörd 🔑')).toBe(true);
    expect(await verifyPassword(hashed, 'passwörd 🔑')).toBe(false);
    expect(await verifyPassword(hashed, '')).toBe(false);
  });

  it('are wrong where there is no hash, at the price of a hash with the same parameters', async () => {
    const shape = (hashed: string) =>
      hashed.split('$').map((part, index) => (index < 4 ? part : part.length));
    expect(shape(hashOfNothing)).toEqual(shape(await hashPassword('correct horse battery')));
    expect(await verifyPassword(undefined, 'correct horse battery')).toBe(false);
    expect(await verifyPassword(undefined, '')).toBe(false);
  });

  it('are refused when too many are hashed at the same time', async () => {
    const attempts = await Promise.allSettled(Array.from({ length: 110 }, () => verifyPassword('', 'x')));
    const refused = attempts.flatMap((attempt) => (attempt.status === 'rejected' ? [attempt.reason] : []));
    expect(refused.filter(({ code }) => code === 'UNAVAILABLE')).toHaveLength(8);
  });
});
