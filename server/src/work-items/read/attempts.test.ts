import { expect, test } from 'vitest';
import type { Schemas } from '@millrace/api';
import { attemptsOf, unresolvedOutcomeOf } from './timeline.ts';

type Event = Schemas['WorkItemEvent'];
let made = 0;

function event(operation: string, more: Partial<Event> = {}): Event {
  made += 1;
  return { id: made, operation, actorId: 7, on: `2026-03-01T09:00:${10 + made}.000Z`, ...more };
}

const claimed = (more: Partial<Event> = {}) =>
  event('claimWorkItems', { from: 'NEW', to: 'IN_PROGRESS', ...more });
const ended = (to: Event['to'], transition?: string, reason?: string) =>
  event('any', {
    from: 'IN_PROGRESS',
    ...(to && { to }),
    ...(transition && { changes: { transition } }),
    ...(reason && { reason }),
  });

test.each([
  ['COMPLETE', undefined, 'COMPLETE'],
  ['FAILED', 'fail', 'FAILED'],
  ['NEW', 'retry', 'RETRIED'],
  ['DEFERRED', 'park', 'DEFERRED'],
  ['NEW', 'giveBack', 'GIVEN_BACK'],
  ['NEW', 'lapse', 'LAPSED'],
  ['FAILED', 'exhaust', 'LAPSED'],
  ['NEW', 'takeBack', 'TAKEN_BACK'],
  ['FAILED', 'stop', 'CANCELLED'],
  ['FAILED', 'doubt', 'IN_DOUBT'],
] as const)('an attempt that ends %s by %s is called %s', (to, transition, outcome) => {
  const [start, end] = [claimed({ deviceId: 12 }), ended(to, transition, 'why')];
  expect(attemptsOf([start, end])).toEqual([
    { number: 1, deviceId: 12, actorId: 7, startedOn: start.on, endedOn: end.on, outcome, error: 'why' },
  ]);
});

test('what happens while an item runs or waits neither begins nor ends an attempt', () => {
  const running = { from: 'IN_PROGRESS', to: 'IN_PROGRESS' } as const;
  const [first, second] = [claimed(), claimed()];
  const attempts = attemptsOf([
    event('createWorkItems', { to: 'NEW' }),
    event('updateWorkItem', { from: 'NEW', to: 'NEW' }),
    first,
    event('heartbeatWorkItems', running),
    event('cancelWorkItem', running),
    ended('NEW', 'retry'),
    event('lateReport'),
    second,
  ]);
  expect(attempts.map(({ number, startedOn, outcome }) => [number, startedOn, outcome])).toEqual([
    [1, first.on, 'RETRIED'],
    [2, second.on, undefined],
  ]);
});

test('an unresolved outcome is shown with its cause and all late reports', () => {
  const late = event('lateReport', { changes: { status: 'COMPLETE', version: 1 } });
  const cause = ended('FAILED', 'doubt', 'no sign of life');
  const leaseExpiresOn = '2026-03-01T09:01:00.000Z';
  const events = [claimed(), { ...cause, changes: { ...cause.changes, leaseExpiresOn } }, late];
  const item = {
    failureKind: 'IN_DOUBT',
    pointOfNoReturnOn: '2026-03-01T09:00:30.000Z',
    deviceId: 12,
  } as const;
  expect(unresolvedOutcomeOf(item, events)).toEqual({
    since: cause.on,
    pointOfNoReturnOn: item.pointOfNoReturnOn,
    deviceId: 12,
    leaseExpiredOn: leaseExpiresOn,
    reason: 'no sign of life',
    lateReports: [late],
  });
  expect(unresolvedOutcomeOf({ ...item, failureKind: 'BUSINESS' }, events)).toBeUndefined();
});
