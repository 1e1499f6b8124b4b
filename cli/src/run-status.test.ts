import type { RunnerEvent } from '@millrace/runner';
import { expect, test } from 'vitest';
import { idleStatus, statusAfter, statusLine } from './run-status.ts';

const report = (id: number, status: 'COMPLETE' | 'FAILED' | 'DEFERRED' | 'NEW') => ({
  id,
  version: 1,
  status,
});
const claimed = (...ids: number[]): RunnerEvent => ({
  type: 'claimed',
  items: ids.map((id) => ({ id, queueId: 1, version: 1, json: {} })),
});
const after = (...events: RunnerEvent[]) => events.reduce(statusAfter, idleStatus);

test('items run from claim to the end of their command', () => {
  const status = after(
    claimed(1, 2),
    { type: 'finished', report: report(1, 'COMPLETE'), seconds: 1, logTail: '' },
    { type: 'reported', report: report(1, 'COMPLETE'), status: 'COMPLETE' },
  );
  expect(statusLine('credit', status, 2)).toBe('credit  1 running · 1 complete · 0 failed · 0.5/s');
});

test('failed, deferred, returned and lost items are counted apart', () => {
  const status = after(
    claimed(1, 2, 3, 4),
    { type: 'reported', report: report(1, 'FAILED'), status: 'NEW' },
    { type: 'reported', report: report(2, 'DEFERRED'), status: 'DEFERRED' },
    { type: 'leaseLost', id: 3, code: 'C', message: 'm' },
    { type: 'finished', report: report(4, 'NEW'), seconds: 1, logTail: '' },
    { type: 'reported', report: report(4, 'NEW'), status: 'NEW' },
  );
  expect(status).toMatchObject({ complete: 0, failed: 1, deferred: 1, givenBack: 1, lost: 1 });
  expect([...status.running]).toEqual(['1', '2']);
});

test('a server that is away is shown until it answers again', () => {
  const away = after({ type: 'retrying', call: 'claimWorkItems', message: 'm', seconds: 1 });
  expect(statusLine('q', away, 0)).toContain('0.0/s · waiting for the server (claimWorkItems)');
  expect(statusAfter(away, claimed(1)).trouble).toBe('');
});
