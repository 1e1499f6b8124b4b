import { hash } from '@node-rs/argon2';
import { describe, expect, it } from 'vitest';
import { hashOfNothing, hashPassword, problemOf, verifyPassword } from './passwords.ts';

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

describe('passwords in several forms', () => {
  const [composed, decomposed, wide] = [
    'Pässe über Käse',
    'Pa\u0308sse u\u0308ber Ka\u0308se',
    'Ｐässe　über Käse',
  ];

  it('are the same from every keyboard', async () => {
    const hashed = await hashPassword(decomposed);
    for (const form of [composed, decomposed, wide]) expect(await verifyPassword(hashed, form)).toBe(true);
  });

  it('are known by hashes of earlier versions, which are of what was sent', async () => {
    const hashed = await hash(decomposed, { memoryCost: 19_456, timeCost: 2, parallelism: 1 });
    expect(await verifyPassword(hashed, decomposed)).toBe(true);
  });
});

describe('new passwords', () => {
  it.each([
    ['        ', 'must not be blank'],
    [' \u3000\u00a0\u2003     ', 'must not be blank'],
    [' correct horse battery', 'must not begin or end with a blank'],
    ['correct horse battery\u00a0', 'must not begin or end with a blank'],
    ['correct\thorse battery', 'control characters'],
    ['1234567', 'at least 8 characters'],
    ['a\u0308o\u0308u\u0308a\u0308', 'at least 8 characters'],
    ['🔑x😀y'.repeat(200), 'longer than 1024 bytes'],
    ['abababababab', 'more than three different characters'],
    ['my jane.doe pass', 'must not hold the user name'],
    ['my JANE.DOE pass', 'must not hold the user name'],
    ['eod.enaj eod.enaj', 'must not hold the user name'],
    ['password1', 'one of the commonest'],
    ['PassWord1', 'one of the commonest'],
    ['ｐａｓｓｗｏｒｄ１', 'one of the commonest'],
    ['iloveyou', 'one of the commonest'],
    ['qwertyuiop', 'one of the commonest'],
  ])('that are %j are refused, with what to do', async (password, words) => {
    expect(await problemOf(password, 'EMEA\\Jane.Doe')).toMatch(new RegExp(`${words}.*; `));
  });

  it('of several words are taken, and short user names are no matter', async () => {
    for (const [password, username] of [
      ['correct horse battery', 'al'],
      ['Straße 17 in Köln', 'jane.doe'],
      ['🔑 unter der Matte', 'jane.doe@example.com'],
      ['kj3-ab7-zz9-qqx', 'jane'],
    ] as const)
      expect(await problemOf(password, username)).toBeUndefined();
  });
});
