import { expect, test } from 'vitest';
import { linksIn, remedyFor } from './reason-rules.ts';

test.each([
  ['DEFERRED' as const, { queueId: 7 }, { is: 'items', queueId: '7', q: 'status:DEFERRED' }],
  ['DEFERRED' as const, {}, undefined],
  ['AUTOMATION_PAUSED' as const, { automationId: 3 }, { is: 'automation', path: '/automations/3' }],
  ['NO_DEVICE_CONNECTED' as const, { deviceIds: [4] }, { is: 'device', path: '/devices/4' }],
  ['DEVICES_HELD' as const, { deviceIds: [4, 5] }, { is: 'devices', path: '/devices' }],
  ['NO_DEVICE' as const, { poolId: 6 }, { is: 'pool', path: '/pools/6' }],
  ['QUEUE_PAUSED' as const, { queueId: 7 }, { is: 'resume', queueId: '7' }],
  ['QUEUE_ARCHIVED' as const, { queueId: 7 }, { is: 'settings', path: '/queues/7/settings' }],
  ['THRESHOLD' as const, { queueId: 7 }, { is: 'settings', path: '/queues/7/settings' }],
  ['MISSING_PERMISSION' as const, { queueId: 7 }, { is: 'members', path: '/queues/7/members' }],
])('About %s with %o one does something at %o', (code, facts, remedy) => {
  expect(remedyFor({ code, sentence: '', facts })).toEqual(remedy);
});

test('A reason is about the queue on whose page it stands, where its facts name none', () => {
  const paused = { code: 'QUEUE_PAUSED' as const, sentence: '', facts: {} };
  expect(remedyFor(paused, '8')).toEqual({ is: 'resume', queueId: '8' });
  expect(remedyFor(paused)).toBeUndefined();
});

test('Facts that name something by its id lead there', () => {
  expect(linksIn('deviceIds', [4, 9007199254740993n])).toEqual([
    { id: '4', path: '/devices/4' },
    { id: '9007199254740993', path: '/devices/9007199254740993' },
  ]);
  expect(linksIn('waiting', 4)).toEqual([]);
});
