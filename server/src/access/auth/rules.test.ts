import { operations } from '@millrace/api';
import { describe, expect, it } from 'vitest';
import { Refusal } from '../../engine/errors.ts';
import type { QueueDefinition } from '../../engine/operation.ts';
import { decideAccess, decideAttempt, decideLogIn, type Caller } from './rules.ts';

const now = new Date('2024-03-01T09:30:00Z');
const ago = (seconds: number) => new Date(now.getTime() - seconds * 1000);

describe('decideLogIn', () => {
  const failed = (count: number) => ({ count, lastOn: now });

  it('lets the first attempt from an address pass, however many failed from others', () => {
    expect(decideLogIn({ name: failed(1_000_000), isKnown: false }, now)).toBeUndefined();
  });

  it('makes the second attempt from an address wait when many failed with the name, up to a quarter of an hour', () => {
    const waits = [1, 2, 5, 20].map(
      (count) => decideLogIn({ pair: failed(count), name: failed(50), isKnown: false }, now)?.retryAfter,
    );
    expect(waits).toEqual([1, 2, 16, 900]);
    expect(decideLogIn({ pair: failed(4), name: failed(49), isKnown: false }, now)).toBeUndefined();
  });

  it('makes all names of an address wait after a hundred failures, except for known ones', () => {
    expect(decideLogIn({ address: failed(99), isKnown: false }, now)).toBeUndefined();
    expect(decideLogIn({ address: failed(100), isKnown: false }, now)?.retryAfter).toBe(1);
    expect(decideLogIn({ address: failed(200), isKnown: false }, now)?.retryAfter).toBe(60);
    expect(
      decideLogIn({ pair: failed(4), name: failed(90), address: failed(200), isKnown: true }, now),
    ).toBeUndefined();
    expect(decideLogIn({ pair: failed(5), isKnown: true }, now)?.retryAfter).toBe(1);
  });
});

describe('decideAttempt', () => {
  it('lets the first attempt and four failures pass at once', () => {
    expect(decideAttempt(undefined, now)).toBeUndefined();
    for (const count of [0, 1, 2, 3, 4]) expect(decideAttempt({ count, lastOn: now }, now)).toBeUndefined();
  });

  it.each([
    [5, 1],
    [6, 2],
    [7, 4],
    [8, 8],
    [9, 16],
    [10, 32],
    [11, 60],
    [12, 60],
    [1000, 60],
    [2_147_483_647, 60],
  ])('after %i failures makes the next attempt wait %i s', (count, seconds) => {
    expect(decideAttempt({ count, lastOn: now }, now)).toMatchObject({
      code: 'TOO_MANY_REQUESTS',
      status: 429,
      retryAfter: seconds,
    });
    expect(decideAttempt({ count, lastOn: ago(seconds - 0.001) }, now)).toMatchObject({ retryAfter: 1 });
    expect(decideAttempt({ count, lastOn: ago(seconds) }, now)).toBeUndefined();
  });

  it('makes nobody wait longer when the clock was put back', () => {
    expect(decideAttempt({ count: 5, lastOn: ago(-3600) }, now)).toMatchObject({ retryAfter: 1 });
  });
});

const caller: Caller = {
  tokenId: 't',
  userId: 7,
  username: 'jdoe',
  tenantId: 1,
  permissions: ['useQueues'],
  mustChangePassword: false,
  memberships: [],
};
const queue = { id: 17, tenantId: 1 } as QueueDefinition;
const refusalOf = (outcome: unknown) => (outcome as Refusal).code;

describe('decideAccess', () => {
  it('refuses a caller whom the database does not know any more', () => {
    expect(refusalOf(decideAccess(operations.listQueues, undefined, undefined, undefined))).toBe(
      'UNAUTHENTICATED',
    );
  });

  it('refuses a caller without the permission of the operation, before it says anything of the queue', () => {
    expect(refusalOf(decideAccess(operations.listUsers, caller, undefined, undefined))).toBe('FORBIDDEN');
    const nobody = { ...caller, permissions: [] };
    expect(refusalOf(decideAccess(operations.getQueue, nobody, 17, queue))).toBe('FORBIDDEN');
    expect(refusalOf(decideAccess(operations.getQueue, nobody, 17, undefined))).toBe('FORBIDDEN');
  });

  it('answers alike for a queue that does not exist, one of another tenant and one that the caller may not see', () => {
    const owner: Caller = { ...caller, memberships: ['OWNER'] };
    const outcomes = [
      decideAccess(operations.getQueue, owner, 17, undefined),
      decideAccess(operations.getQueue, owner, 17, { ...queue, tenantId: 2 }),
      decideAccess(operations.getQueue, caller, 17, queue),
    ];
    for (const outcome of outcomes) expect(outcome).toEqual(outcomes[0]);
    expect(refusalOf(outcomes[0])).toBe('NOT_FOUND');
  });

  it('refuses who sees the queue and may not do this in it', () => {
    const participant: Caller = { ...caller, memberships: ['PARTICIPANT'] };
    expect(refusalOf(decideAccess(operations.claimWorkItems, participant, 17, queue))).toBe('FORBIDDEN');
    expect(decideAccess(operations.createWorkItems, participant, 17, queue)).toMatchObject({ id: 7 });
  });

  it('lets queue admins of the tenant do everything in a queue, and those of another tenant see nothing', () => {
    const queueAdmin: Caller = { ...caller, permissions: ['useQueues', 'manageAllQueues'] };
    const actor = decideAccess(operations.updateQueue, queueAdmin, 17, queue);
    expect(actor).not.toBeInstanceOf(Refusal);
    const foreign = decideAccess(operations.updateQueue, { ...queueAdmin, tenantId: 2 }, 17, queue);
    expect(refusalOf(foreign)).toBe('NOT_FOUND');
  });
});
