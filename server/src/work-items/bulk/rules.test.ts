import { describe, expect, it, test } from 'vitest';
import { Refusal } from '../../engine/errors.ts';
import type { QueueDefinition } from '../../engine/operation.ts';
import { expectConsistent, itemIn, later, now, states } from '../../testing/items.ts';
import {
  decideAction,
  transferProblem,
  wantsKey,
  type BulkAction,
  type Decided,
  type Found,
} from './rules.ts';
import { rankOf } from '../../records/record.ts';
import { arrivalIn, sortKey } from '../item/rules.ts';

const attributes = [
  { name: 'customer', type: 'TEXT', isRequired: true },
  { name: 'amount', type: 'NUMBER', isRequired: false },
] as const;

const queueLike = (more: Partial<QueueDefinition> = {}): QueueDefinition => ({
  id: 1,
  tenantId: 1,
  modelId: 3,
  name: 'Q',
  status: 'ACTIVE',
  archived: false,
  disallowDuplicate: false,
  uniqueBy: [],
  duplicateScope: 'ALL',
  autoRetryLimit: 0,
  lapseLimit: 5,
  processingOrders: [],
  indexedColumns: [],
  searchedAttributes: [],
  displayColumns: [],
  attributes,
  modelVersion: 0,
  namesSince: 0,
  ...more,
});

const json = { customer: 'Jane', amount: 5 };
const arrival = new Date('2026-02-01T00:00:00Z');
const key = (queue: QueueDefinition, priority = 4, record: object = json) =>
  sortKey(priority, rankOf(queue, record as Record<string, unknown>), arrival);
const found = (item = itemIn('NEW')): Found => ({ item: { ...item, sortKey: key(queueLike()) }, json });

function decide(one: Found, action: BulkAction, queue = queueLike(), target = queue) {
  return decideAction(one, action, { actorId: 9, queue, target, now, seal: (_, record) => record });
}

function decided(verdict: ReturnType<typeof decide>): Decided {
  if (verdict === 'unchanged' || verdict instanceof Refusal)
    throw new Error(`not decided: ${String(verdict)}`);
  return verdict;
}

const open = ['NEW', 'waiting for a retry', 'DEFERRED', 'deferred for ever'];
const failed = ['FAILED', 'expired'];
const running = ['IN_PROGRESS', 'past the point of no return'];
const cancelled = ['cancelled', 'cancelled past the point of no return'];

/** The states that each action changes, and those that it finds done already; it refuses all others. */
const table: Readonly<Record<string, { action: BulkAction; changes: string[]; leaves?: string[] }>> = {
  RELEASE: { action: { name: 'RELEASE' }, changes: open.slice(1), leaves: ['NEW'] },
  RESTART: { action: { name: 'RESTART' }, changes: failed },
  'NEW in short': { action: { name: 'RENEW' }, changes: [...open.slice(1), ...failed], leaves: ['NEW'] },
  DEFER: { action: { name: 'DEFER' }, changes: [...open, ...failed] },
  COMPLETE: { action: { name: 'COMPLETE' }, changes: [...open, ...failed] },
  FAIL: { action: { name: 'FAIL' }, changes: [...open, ...failed] },
  CANCEL: { action: { name: 'CANCEL' }, changes: running, leaves: cancelled },
  EDIT: { action: { name: 'EDIT', json: { amount: 6 } }, changes: [...open, ...failed] },
  SET_PRIORITY: { action: { name: 'SET_PRIORITY', priority: 9 }, changes: [...open, ...failed] },
  MOVE: { action: { name: 'MOVE', queueId: 2 }, changes: [...open, ...failed] },
  DELETE: { action: { name: 'DELETE' }, changes: [...open, ...failed, 'COMPLETE', 'in doubt'] },
  RESOLVE: { action: { name: 'RESOLVE', answer: 'DONE' }, changes: ['in doubt'] },
};

describe('an action', () => {
  for (const [name, { action, changes, leaves = [] }] of Object.entries(table)) {
    for (const [state, item] of Object.entries(states)) {
      const expected = changes.includes(state) ? 'changes' : leaves.includes(state) ? 'leaves' : 'refuses';
      test(`${name} ${expected} an item that is ${state}`, () => {
        const verdict = decide(found(item), action);
        if (expected === 'leaves') return expect(verdict).toBe('unchanged');
        if (expected === 'refuses') return expect(verdict).toMatchObject({ code: 'STATUS_CONFLICT' });
        const { move } = decided(verdict);
        expectConsistent(move.item);
        const isVersioned = name !== 'CANCEL' && name !== 'DELETE';
        return expect(move.item.version - item.version).toBe(isVersioned ? 1 : 0);
      });
    }
  }

  it('FAIL tells the items why', () => {
    const { move } = decided(decide(found(), { name: 'FAIL', reason: 'contract ended' }));
    expect(move).toMatchObject({ reason: 'contract ended', item: { error: 'contract ended' } });
  });

  it('DEFER parks until a time', () => {
    const action = { name: 'DEFER', deferredUntil: later.toISOString() } as const;
    expect(decided(decide(found(), action)).move.item).toMatchObject({
      status: 'DEFERRED',
      notBefore: later,
    });
  });

  it('RESOLVE takes the answer and the note', () => {
    const unresolved = found(states['in doubt']);
    const partly = { name: 'RESOLVE', answer: 'PARTLY', note: 'letter sent, not booked' } as const;
    expect(decided(decide(unresolved, partly)).move.item).toMatchObject({
      status: 'FAILED',
      failureKind: 'BUSINESS',
      comment: 'letter sent, not booked',
    });
    expect(decided(decide(unresolved, { name: 'RESOLVE', answer: 'NOT_DONE' })).move.item.status).toBe('NEW');
  });

  it('SET_PRIORITY puts the item at its place in the order, and leaves one that has the priority', () => {
    const { move } = decided(decide(found(), { name: 'SET_PRIORITY', priority: 9 }));
    expect(move.item.sortKey).toEqual(key(queueLike(), 9));
    expect(decide(found(), { name: 'SET_PRIORITY', priority: 4 })).toBe('unchanged');
  });
});

describe('EDIT', () => {
  const edit = (change: Record<string, unknown>, queue = queueLike()) =>
    decide(found(), { name: 'EDIT', json: change }, queue);

  it('merges what it sets into the data, and takes away what it sets to null', () => {
    expect(decided(edit({ amount: 7 })).json).toEqual({ customer: 'Jane', amount: 7 });
    expect(decided(edit({ amount: null })).json).toEqual({ customer: 'Jane' });
  });

  it('leaves items that have the values, and those that have none to take away', () => {
    expect(edit({ amount: 5 })).toBe('unchanged');
    expect(decide({ ...found(), json: { customer: 'x' } }, { name: 'EDIT', json: { amount: null } })).toBe(
      'unchanged',
    );
  });

  it('refuses data that do not fit the model, item by item', () => {
    const verdict = edit({ customer: null });
    expect(verdict).toMatchObject({ code: 'INVALID_REQUEST', message: 'Item 1: customer is required.' });
  });

  it('puts the item at its new place in the processing order, as old as it is', () => {
    const queue = queueLike({ processingOrders: ['amount'] });
    const { move } = decided(edit({ amount: 7 }, queue));
    expect(move.item.sortKey).toEqual(key(queue, 4, { ...json, amount: 7 }));
  });

  it('knows attributes that are named like members of every object', () => {
    const odd = queueLike({
      attributes: [...attributes, { name: '__proto__', type: 'TEXT', isRequired: false }],
    });
    const change = JSON.parse('{"__proto__":"x"}') as Record<string, unknown>;
    expect(Object.getOwnPropertyDescriptor(decided(edit(change, odd)).json, '__proto__')?.value).toBe('x');
  });
});

describe('MOVE', () => {
  const target = queueLike({ id: 2, processingOrders: ['-amount'] });
  const move = (to: QueueDefinition, one = found()) =>
    decide(one, { name: 'MOVE', queueId: 2 }, queueLike(), to);

  it('gives the item its place in the order of the other queue, and the expiry of that queue from now on', () => {
    const expiry = { type: 'DURATION', duration: 1, durationUnit: 'HOURS' };
    const { item } = decided(move({ ...target, expiry })).move;
    expect(item.sortKey).toEqual(key(target));
    expect(arrivalIn(item.sortKey)).toEqual(arrival);
    expect(item.expiresOn).toEqual(later);
    expect(decided(move(target, found(itemIn('NEW', { expiresOn: later })))).move.item.expiresOn).toBe(
      undefined,
    );
  });

  it('refuses an item that would expire at once, and takes one that has failed', () => {
    const passed = { ...target, expiry: { type: 'DATE', date: '2026-01-01T00:00:00Z' } };
    expect(move(passed)).toMatchObject({ code: 'STATUS_CONFLICT' });
    expect(decided(move(passed, found(itemIn('FAILED')))).move.item.status).toBe('FAILED');
  });

  it('goes to another queue of the same model only', () => {
    expect(transferProblem(queueLike(), target)).toBeUndefined();
    expect(transferProblem(queueLike(), queueLike())?.message).toContain('is the queue where the items are');
    expect(transferProblem(queueLike(), { ...target, modelId: 4 })?.message).toContain('of another model');
  });
});

describe('a unique key', () => {
  const unique = queueLike({ disallowDuplicate: true, duplicateScope: 'OPEN' });
  const wants = (action: BulkAction, state: string, queue = unique, target = queue) =>
    wantsKey(action, decided(decide(found(states[state]), action, queue, target)), { queue, target });

  it.each<[BulkAction, string, boolean]>([
    [{ name: 'RESTART' }, 'FAILED', true],
    [{ name: 'DEFER' }, 'FAILED', true],
    [{ name: 'DEFER' }, 'NEW', false],
    [{ name: 'COMPLETE' }, 'NEW', false],
    [{ name: 'EDIT', json: { amount: 1 } }, 'NEW', true],
    [{ name: 'EDIT', json: { amount: 1 } }, 'FAILED', false],
    [{ name: 'RESOLVE', answer: 'NOT_DONE' }, 'in doubt', true],
    [{ name: 'RESOLVE', answer: 'DONE' }, 'in doubt', false],
    [{ name: 'DELETE' }, 'NEW', false],
  ])('%j of an item that is %s wants one: %s', (action, state, expected) => {
    expect(wants(action, state)).toBe(expected);
  });

  it('is wanted in the queue to move to', () => {
    expect(wants({ name: 'MOVE', queueId: 2 }, 'NEW', queueLike(), unique)).toBe(true);
    expect(wants({ name: 'MOVE', queueId: 2 }, 'FAILED', queueLike(), unique)).toBe(false);
    expect(wants({ name: 'MOVE', queueId: 2 }, 'NEW', unique, queueLike())).toBe(false);
  });
});
