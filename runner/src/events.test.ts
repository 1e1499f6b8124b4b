import { expect, test } from 'vitest';
import { describeEvent } from './describe.ts';
import { addEvent, nothingDone, type RunnerEvent } from './events.ts';
import type { Report } from './item.ts';

const report = (more: Partial<Report>): Report => ({ id: 7, version: 1, status: 'COMPLETE', ...more });
const reported = (more: Partial<Report>): RunnerEvent => ({
  type: 'reported',
  report: report(more),
  status: 'NEW',
});
const lost = { type: 'leaseLost', id: 7, code: 'LEASE_LOST', message: 'held by another' } as const;
const refused = { type: 'reportRefused', report: report({}), code: 'LATE_REPORT', message: 'late' } as const;

test.each<[keyof typeof nothingDone, RunnerEvent]>([
  ['completed', reported({})],
  ['deferred', reported({ status: 'DEFERRED' })],
  ['failedBusiness', reported({ status: 'FAILED', failureKind: 'BUSINESS' })],
  ['failedSystem', reported({ status: 'FAILED', failureKind: 'SYSTEM' })],
  ['lost', lost],
  ['refused', refused],
  ['givenBack', reported({ status: 'NEW', reason: 'the runner stops' })],
  ['unreported', { type: 'unreported', report: report({}) }],
])('%s counts one event', (member, event) => {
  expect(addEvent(nothingDone, event)).toEqual({ ...nothingDone, [member]: 1 });
});

test('what is not the end of an item is not counted', () => {
  const events: RunnerEvent[] = [
    { type: 'claimed', items: [] },
    { type: 'finished', report: report({}), seconds: 1, logTail: '' },
    { type: 'draining', running: 1, reports: 1 },
  ];
  expect(events.reduce(addEvent, nothingDone)).toEqual(nothingDone);
});

test.each<[RunnerEvent, string | undefined]>([
  [{ type: 'connected', queueId: 1, queue: 'Credit' }, 'takes items from the queue Credit'],
  [{ type: 'log', id: 7, text: 'hello' }, 'item 7: hello'],
  [{ type: 'finished', report: report({}), seconds: 1, logTail: '' }, undefined],
  [
    {
      type: 'finished',
      report: report({ status: 'FAILED', failureKind: 'BUSINESS', error: 'no' }),
      seconds: 1,
      logTail: 'why\n',
    },
    'item 7: business failure: no',
  ],
  [
    { type: 'finished', report: report({ status: 'NEW', reason: 'no licence' }), seconds: 1, logTail: '' },
    'item 7: given back: no licence',
  ],
  [{ type: 'cancelled', id: 7, message: 'Cancelled by ana.' }, 'item 7: Cancelled by ana.'],
  [{ type: 'note', text: 'score: ready' }, 'score: ready'],
  [
    { type: 'registered', deviceId: 3, hostName: 'runner-01', bots: ['score', 'post'], slots: 4 },
    'device runner-01 (3), 4 slots, runs score, post',
  ],
  [
    { type: 'deviceState', state: 'DRAINING', reason: 'patched tonight' },
    'the device is DRAINING: it takes no more work (patched tonight)',
  ],
  [{ type: 'deviceState', state: 'ACTIVE', reason: undefined }, 'the device is ACTIVE: it takes work'],
  [lost, 'item 7: taken away: held by another'],
  [refused, 'item 7: the report was refused: LATE_REPORT: late'],
  [
    { type: 'retrying', call: 'claimWorkItems', message: 'No answer.', seconds: 2 },
    'claimWorkItems: No answer. Trying again in 2.0 s.',
  ],
  [{ type: 'stopped', summary: { ...nothingDone, completed: 3, lost: 1 } }, 'stopped: completed 3, lost 1'],
  [{ type: 'stopped', summary: nothingDone }, 'stopped: nothing was done'],
  [{ type: 'claimed', items: [] }, undefined],
])('what a person should know becomes a line: %#', (event, line) => {
  expect(describeEvent(event)).toBe(line);
});

test.each([
  ['no such account', 'looking\nno such account\n', 'item 7: technical failure'],
  ['Exit code 2.\ndisk\nfull', 'disk\nfull\n', 'item 7: technical failure: Exit code 2.'],
  ['full', 'the disk is full\n', 'item 7: technical failure: full'],
  [
    'Exit code 2.\nIt wrote nothing to stderr.',
    '',
    'item 7: technical failure: Exit code 2.\nIt wrote nothing to stderr.',
  ],
])('a failure leaves out what was just told as the log of the item: %j', (error, logTail, line) => {
  const failed = report({ status: 'FAILED', failureKind: 'SYSTEM', error });
  expect(describeEvent({ type: 'finished', report: failed, seconds: 1, logTail })).toBe(line);
});
