import { expect, test } from 'vitest';
import { linksIn, remedyFor } from './reason-rules.ts';

test.each([
  ['DEFERRED' as const, {}, { is: 'items', q: 'status:DEFERRED' }],
  ['AUTOMATION_PAUSED' as const, { automationId: 3 }, { is: 'automation', path: '/automations/3' }],
  ['NO_DEVICE_CONNECTED' as const, { deviceIds: [4] }, { is: 'device', path: '/devices/4' }],
  ['DEVICES_HELD' as const, { deviceIds: [4, 5] }, { is: 'devices', path: '/devices' }],
  ['NO_DEVICE' as const, { poolId: 6 }, { is: 'pool', path: '/pools/6' }],
  ['QUEUE_PAUSED' as const, { queueId: 7 }, undefined],
])('About %s with %o one does something at %o', (code, facts, remedy) => {
  expect(remedyFor({ code, sentence: '', facts })).toEqual(remedy);
});

test('Facts that name something by its id lead there', () => {
  expect(linksIn('deviceIds', [4, 9007199254740993n])).toEqual([
    { id: '4', path: '/devices/4' },
    { id: '9007199254740993', path: '/devices/9007199254740993' },
  ]);
  expect(linksIn('waiting', 4)).toEqual([]);
});
