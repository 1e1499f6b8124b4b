import { expect, test } from 'vitest';
import { effectOn } from './rules.ts';

const fold = {
  queues: { 7: { counts: { NEW: 2 }, items: ['1', '2'] }, 8: { counts: {}, items: 'many' as const } },
  operations: ['quarantineDevice'],
};
const nothing = { queues: {}, operations: [] };

test.each([
  ['getQueueStats', '7', undefined, { seconds: 15, counts: { NEW: 2 } }],
  ['getWorkItem', '7', '2', { seconds: 0.5 }],
  ['getWorkItem', '7', '3', undefined],
  ['getWorkItem', '8', '3', { seconds: 0.5 }],
  ['listDevices', undefined, undefined, { seconds: 0.5 }],
  ['explainQueue', '9', undefined, { seconds: 0.5 }],
  ['countEvents', undefined, undefined, { seconds: 15 }],
  ['listDoubts', undefined, undefined, { seconds: 2 }],
  ['listPools', undefined, undefined, undefined],
  ['listWorkItems', '7', undefined, undefined],
])('What %s of %o and %o has read is asked for again after %o', (operationId, queueId, itemId, effect) => {
  expect(effectOn({ operationId, queueId, itemId }, fold)).toEqual(effect);
  expect(effectOn({ operationId, queueId, itemId }, nothing)).toBeUndefined();
});

test.each(['listCalendars', 'listQueueLevels', 'getQueueLevel', 'getQueueForecast'])(
  'What %s has read is asked for again when a calendar changes',
  (operationId) => {
    const changed = { ...nothing, operations: ['updateCalendar'] };
    expect(effectOn({ operationId, queueId: '7', itemId: undefined }, changed)).toEqual({ seconds: 0.5 });
  },
);
