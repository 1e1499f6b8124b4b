import { operations } from '@millrace/api';
import { describe, expect, it } from 'vitest';
import { Refusal } from '../errors.ts';
import type { QueueDefinition } from '../queues/rules.ts';
import { decideAccess, decideAttempt, type Caller } from './rules.ts';

const now = new Date('2024-03-01T09:30:00Z');
const ago = (seconds: number) => new Date(now.getTime() - seconds * 1000);

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
  standings: [],
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
    const owner: Caller = { ...caller, standings: ['OWNER'] };
    const outcomes = [
      decideAccess(operations.getQueue, owner, 17, undefined),
      decideAccess(operations.getQueue, owner, 17, { ...queue, tenantId: 2 }),
      decideAccess(operations.getQueue, caller, 17, queue),
    ];
    for (const outcome of outcomes) expect(outcome).toEqual(outcomes[0]);
    expect(refusalOf(outcomes[0])).toBe('NOT_FOUND');
  });

  it('refuses who sees the queue and may not do this in it', () => {
    const participant: Caller = { ...caller, standings: ['PARTICIPANT'] };
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
