import type { Schemas } from '@millrace/api';
import { expect, test } from 'vitest';
import { exactly } from '../page/time.tsx';
import { marksOf } from './marks.ts';

const on = '2026-03-02T08:15:00.000Z';
const event = (operation: string, more: Partial<Schemas['Event']> = {}): Schemas['Event'] => ({
  ...{ cursor: '1-1', id: 1, queueId: 7, operation, actorId: 4, actorName: 'bob', on },
  ...more,
});

test.each([
  [event('pauseQueue', { reason: 'SAP is down' }), 'bob paused the queue: SAP is down.'],
  [event('pauseQueue', { changes: { until: on } }), `bob paused the queue until ${exactly(on)}.`],
  [event('resumeQueue', { reason: 'It is back!' }), 'bob resumed the queue: It is back!'],
  [
    event('resumeQueues', { actorId: 0, actorName: undefined, reason: 'the pause is over' }),
    'Millrace let the queue go on: the pause is over.',
  ],
  [event('updateWorkItemModel', { changes: { modelVersion: 3 } }), 'bob changed the model, to version 3.'],
  [
    event('createWorkItemsFromFile', { changes: { fileName: 'orders.csv', created: 1200n } }),
    'bob put in the file orders.csv, 1,200 items.',
  ],
  [
    event('undoUpload', { actorName: undefined, changes: { withdrawn: 1 } }),
    'user 4 undid an upload of 1 item.',
  ],
])('What was done to a queue is told in a sentence (%#)', (one, text) => {
  expect(marksOf([one])).toEqual([{ on: new Date(on), text }]);
});

test('A file that was sent again, and what is no mark, are not told', () => {
  expect(marksOf([event('createWorkItemsFromFile', { changes: { uploadId: 4 } })])).toEqual([]);
  expect(marksOf([event('closeBatch')])).toEqual([]);
});
