import { describe, expect, it } from 'vitest';
import type { Schemas } from '@millrace/api';
import { Refusal } from '../../engine/errors.ts';
import { editProblem, eventChanges, readAction } from './rules.ts';

type Body = Schemas['BulkRequest'];

function problemsOf(body: Body) {
  try {
    readAction(body);
  } catch (error) {
    if (error instanceof Refusal) return error.details;
    throw error;
  }
  throw new Error('The request was not refused.');
}

const ids = [1];

describe('a request for many items', () => {
  it.each<[Body, object]>([
    [
      { action: 'RESTART', ids, reason: 'r' },
      { name: 'RESTART', reason: 'r' },
    ],
    [{ status: 'NEW', ids }, { name: 'RENEW' }],
    [{ status: 'COMPLETE', filter: {} }, { name: 'COMPLETE' }],
    [{ status: 'FAILED', ids }, { name: 'FAIL' }],
    [
      { status: 'DEFERRED', ids, deferredUntil: '2026-05-01T06:00:00Z' },
      { name: 'DEFER', deferredUntil: '2026-05-01T06:00:00Z' },
    ],
    [
      { action: 'SET_PRIORITY', ids, priority: 0 },
      { name: 'SET_PRIORITY', priority: 0 },
    ],
    [
      { action: 'RESOLVE', ids, answer: 'PARTLY', note: 'n' },
      { name: 'RESOLVE', answer: 'PARTLY', note: 'n' },
    ],
  ])('%j is an action', (body, action) => {
    expect(readAction(body)).toEqual(action);
  });

  it.each<[Body, string, string]>([
    [{ ids }, 'action', 'is missing'],
    [{ action: 'RESTART', status: 'NEW', ids }, 'status', 'goes without action'],
    [{ action: 'RESTART' }, 'ids', 'by ids or by a filter'],
    [{ action: 'RESTART', ids, filter: {} }, 'filter', 'goes without ids'],
    [{ action: 'EDIT', ids }, 'json', 'EDIT needs it'],
    [{ action: 'SET_PRIORITY', ids }, 'priority', 'SET_PRIORITY needs it'],
    [{ action: 'MOVE', ids }, 'queueId', 'MOVE needs it'],
    [{ action: 'RESOLVE', ids }, 'answer', 'RESOLVE needs it'],
    [{ action: 'RESOLVE', ids, answer: 'PARTLY', note: ' ' }, 'note', 'what is left to do'],
    [{ action: 'RESTART', ids, priority: 3 }, 'priority', 'does not go with RESTART'],
    [{ status: 'FAILED', ids, deferredUntil: '2026-05-01T06:00:00Z' }, 'deferredUntil', 'not go with FAIL'],
    [{ action: 'DELETE', ids, json: {} }, 'json', 'does not go with DELETE'],
    [{ action: 'EDIT', ids, json: {}, queueId: 4 }, 'queueId', 'does not go with EDIT'],
  ])('%j is refused by name', (body, field, message) => {
    expect(problemsOf(body)).toEqual([{ field, message: expect.stringContaining(message) }]);
  });
});

describe('an edit', () => {
  const attributes = [{ name: 'customer', type: 'TEXT', isRequired: true }] as const;

  it('makes sense for some item, or is refused at once', () => {
    expect(editProblem({ name: 'EDIT', json: { customer: null } }, attributes)).toBeUndefined();
    expect(editProblem({ name: 'RESTART' }, attributes)).toBeUndefined();
    expect(editProblem({ name: 'EDIT', json: { customre: 'x' } }, attributes)?.details).toMatchObject([
      { field: 'customre' },
    ]);
    expect(editProblem({ name: 'EDIT', json: { customer: 5 } }, attributes)?.message).toContain(
      'json: customer must be a text',
    );
  });

  it('is told with what it sets', () => {
    expect(
      eventChanges({ name: 'EDIT', json: { customer: 'x' }, reason: 'r' }, 1, { customer: 'x' }),
    ).toEqual({
      action: 'EDIT',
      json: { customer: 'x' },
    });
  });
});
