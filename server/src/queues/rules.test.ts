import { operations, statuses, type OperationId } from '@millrace/api';
import { describe, expect, it } from 'vitest';
import { Refusal } from '../engine/errors.ts';
import type { Attribute } from '../engine/operation.ts';
import { orderOf } from '../records/record.ts';
import { decideArchiving, decideDeletion } from './archive.ts';
import { decidePause } from './pause.ts';
import { decideArchived } from './rules.ts';

const text = (name: string): Attribute => ({ name, type: 'TEXT', isRequired: true });
const attributes = ['a', 'b', '-b', '__proto__'].map(text);

describe('an order', () => {
  it.each([
    ['a', 'a', false],
    ['-a', 'a', true],
    ['-b', '-b', false],
    ['--b', '-b', true],
    ['-__proto__', '__proto__', true],
  ])('%s is by %s', (order, name, isDescending) => {
    expect(orderOf(attributes, order)).toEqual({ attribute: text(name), isDescending });
  });

  it('of no attribute is none', () => {
    expect(orderOf(attributes, '-toString')).toBeUndefined();
  });
});

describe('a pause', () => {
  const now = new Date('2026-03-02T12:00:00Z');

  it('lasts until the time it is given, or for ever', () => {
    const until = '2026-03-02T12:00:00.001Z';
    expect(decidePause({ reason: 'r', until }, now)).toEqual({ reason: 'r', until: new Date(until) });
    expect(decidePause({ reason: 'r' }, now)).toEqual({ reason: 'r', until: undefined });
    expect(decidePause({ reason: 'r', until: null }, now)).toEqual({ reason: 'r', until: undefined });
  });

  it('does not end before it begins', () => {
    const refusal = decidePause({ reason: 'r', until: '2026-03-02T12:00:00Z' }, now);
    expect(refusal).toBeInstanceOf(Refusal);
    expect((refusal as Refusal).details?.[0]?.field).toBe('until');
  });
});

describe('an archived queue', () => {
  const onQueues = (Object.keys(operations) as OperationId[]).filter((id) => operations[id].queue !== null);
  const open = new Set([
    'archiveQueue',
    'restoreQueue',
    'deleteQueue',
    'claimWorkItems',
    'heartbeatWorkItems',
    'watchWorkItems',
    'finishWorkItems',
    'revealWorkItem',
  ]);
  const writing = onQueues.filter((id) => !['read', 'download'].includes(operations[id].effect));

  it.each(writing)(
    'is closed to %s unless that takes it out of the archive, or grants nothing',
    (operationId) => {
      const refusal = decideArchived({ id: 7, archived: true }, operationId, operations[operationId]);
      expect(refusal?.code).toBe(open.has(operationId) ? undefined : 'STATUS_CONFLICT');
      expect(
        decideArchived({ id: 7, archived: false }, operationId, operations[operationId]),
      ).toBeUndefined();
    },
  );

  it('can be read', () => {
    expect(decideArchived({ id: 7, archived: true }, 'getQueue', operations.getQueue)).toBeUndefined();
  });
});

describe('what a queue holds', () => {
  const none = { NEW: 0, IN_PROGRESS: 0, COMPLETE: 0, FAILED: 0, DEFERRED: 0 };

  it.each(statuses)('holds up its deletion while %s, and its archiving while in progress only', (status) => {
    const counts = { ...none, [status]: 1 };
    expect(decideDeletion({ id: 7 }, counts, [])?.message).toContain(`holds 1 item (1 ${status})`);
    expect(decideArchiving({ id: 7 }, counts)?.code).toBe(status === 'IN_PROGRESS' ? 'IN_USE' : undefined);
  });

  it('may be nothing', () => {
    expect(decideDeletion({ id: 7 }, none, [])).toBeUndefined();
    expect(decideArchiving({ id: 7 }, none)).toBeUndefined();
  });
});
