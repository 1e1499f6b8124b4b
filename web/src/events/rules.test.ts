import { describe, expect, test } from 'vitest';
import { parse } from '../filters/parse.ts';
import { csvHead, csvLine } from './csv.ts';
import {
  eventQueryOf,
  isOfSame,
  linesOf,
  relatedTo,
  spansOf,
  subjectOf,
  sumOf,
  toldBy,
  withTime,
  type Event,
  type Known,
} from './rules.ts';

const known: Known = {
  queues: [
    { id: 7, name: 'Invoices' },
    { id: 9007199254740993n, name: 'Paid in "Full"' },
  ],
  users: [{ id: 21, name: 'anna' }],
  devices: [{ id: 3, name: 'runner-1' }],
  operations: ['pauseQueue', 'finishWorkItems', 'expireItems'],
};
const clock = { now: new Date('2026-11-30T12:00:00Z'), zone: 'Asia/Tokyo' };
const queryOf = (line: string, queueId?: number) => eventQueryOf(parse(line), known, clock, queueId);

describe('a filter of events', () => {
  test.each([
    ['', {}],
    ['kind:user', { actorKind: 'USER' }],
    [
      '(kind:USER or kind:MILLRACE) operation:pausequeue',
      { actorKind: 'USER,MILLRACE', operation: 'pauseQueue' },
    ],
    ['queue:invoices item:5', { queueId: 7, itemId: 5 }],
    ['(queue:Invoices or queue:8)', { queueIds: '7,8' }],
    ['queue:"Paid in \\"Full\\""', { queueId: 9007199254740993n }],
    ['by:anna device:runner-1 batch:4', { actorId: 21, deviceId: 3, batchId: 4 }],
    ['by:Millrace', { actorId: 0 }],
    ['at>=now-24h at<now', { from: '2026-11-29T12:00:00.000Z', until: '2026-11-30T12:00:00.000Z' }],
    ['at>2026-11-29T12:00:00Z', { from: '2026-11-29T12:00:00.001Z' }],
    ['at<=2026-11-29T12:00:00Z', { until: '2026-11-29T12:00:00.001Z' }],
  ])('%s asks for %o', (line, query) => {
    expect(queryOf(line)).toEqual(query);
  });

  test('is about the queue on whose page it is, and about no other', () => {
    expect(queryOf('item:5', 8)).toEqual({ queueId: 8, itemId: 5 });
    expect(() => queryOf('queue:Invoices', 8)).toThrow('This page is about one queue');
  });

  test('reads days and times by the clocks of the zone that was chosen', () => {
    expect(queryOf('at>=2026-11-29')).toEqual({ from: '2026-11-28T15:00:00.000Z' });
    expect(queryOf('at<"2026-11-29 08:30"')).toEqual({ until: '2026-11-28T23:30:00.000Z' });
  });

  test.each([
    ['timeout', 'Events are narrowed down by fields'],
    ['-kind:USER', 'Events are narrowed down by fields'],
    ['by:unset', 'Events are narrowed down by fields'],
    ['kind:ROBOT', 'There is no kind “ROBOT”'],
    ['queue:Nowhere', 'There is no queue “Nowhere”'],
    ['queue:99999999999999999999', 'There is no queue'],
    ['item:5', 'item needs the one queue'],
    ['item:5 (queue:7 or queue:8)', 'item needs the one queue'],
    ['(queue:7 or kind:USER)', '“or” goes between values of one field'],
    ['(by:anna or by:21)', 'by can have one value only'],
    ['queue:7 queue:8', 'queue can be said once'],
    ['queue>7', 'queue can be compared by “:” only'],
    ['at:now', 'at goes with > and <'],
    ['(at>now-2h or at>now-1h)', '“or” goes between values of one field'],
    ['at>now at<now-1h', 'Nothing lies between these times'],
    ['at>now-1h at>now-2h', 'at can be said once'],
    ['at>2026-13-01T08:00', 'is no time'],
    ['color:red', 'There is no field “color”'],
  ])('%s is refused: %s', (line, message) => {
    expect(() => queryOf(line)).toThrow(message);
  });
});

const event = (members: Partial<Event>): Event => ({
  cursor: '5-1',
  id: 1,
  operation: 'restartWorkItem',
  actorId: 21,
  on: '2026-11-30T12:00:00Z',
  ...members,
});

test('neighbours that tell the same of several items stand in one line', () => {
  const one = event({ queueId: 7, itemId: 1, reason: 'The ERP is back' });
  const lines = linesOf([
    one,
    { ...one, itemId: 2 },
    { ...one, itemId: 3, reason: 'Again' },
    { ...one, itemId: 4 },
    event({ queueId: 7, operation: 'pauseQueue' }),
    event({ queueId: 7, operation: 'pauseQueue' }),
  ]);
  expect(lines.map(({ all }) => all.map(({ itemId }) => itemId))).toEqual([
    [1, 2],
    [3],
    [4],
    [undefined],
    [undefined],
  ]);
});

test('what was before a change is what the newest earlier event said, where one did', () => {
  const change = event({ changes: { name: 'C', limit: null } });
  const earlier = [event({}), event({ changes: { name: 'B' } }), event({ changes: { name: 'A' } })];
  expect(toldBy(change, earlier)).toEqual([
    { name: 'name', before: 'B', after: 'C' },
    { name: 'limit', before: undefined, after: null },
  ]);
});

test.each<[string, Partial<Event>, Partial<Event>, boolean]>([
  ['the same role', { changes: { roleId: 4 } }, { operation: 'createRole', changes: { roleId: 4 } }, true],
  ['another role', { changes: { roleId: 4 } }, { changes: { roleId: 5 } }, false],
  [
    'a role and a user',
    { changes: { roleId: 4 } },
    { operation: 'updateUser', changes: { roleId: 4 } },
    false,
  ],
  [
    'one member of a queue and another',
    { operation: 'addOrUpdateQueueMember', queueId: 7, changes: { userId: 1 } },
    { operation: 'addQueueParticipant', queueId: 7, changes: { userId: 2 } },
    false,
  ],
  [
    'a member of a queue, and of another queue',
    { operation: 'addOrUpdateQueueMember', queueId: 7, changes: { userId: 1 } },
    { operation: 'addOrUpdateQueueMember', queueId: 8, changes: { userId: 1 } },
    false,
  ],
  [
    'a device that was held and let go',
    { operation: 'quarantineDevice', deviceId: 3 },
    { operation: 'resumeDevice', deviceId: 3 },
    true,
  ],
  [
    'two devices',
    { operation: 'drainDevice', deviceId: 3 },
    { operation: 'drainDevice', deviceId: 4 },
    false,
  ],
  [
    'two automations of a queue',
    { operation: 'updateAutomation', queueId: 7, changes: { automationId: 1 } },
    { operation: 'createAutomation', queueId: 7, changes: { automationId: 2 } },
    false,
  ],
  [
    'a queue and its promise',
    { operation: 'updateQueue', queueId: 7 },
    { operation: 'setQueueLevel', queueId: 7 },
    false,
  ],
])('whether two events are about the same: %s', (_, one, other, isSame) => {
  const role = { operation: 'updateRole', ...one };
  expect(isOfSame(event(role), event({ operation: 'updateRole', ...other }))).toBe(isSame);
});

test('what may have set the same are all operations on things of its kind', () => {
  expect(relatedTo('updateRole')).toEqual(['updateRole', 'createRole', 'deleteRole']);
  expect(relatedTo('quarantineDevice')).toEqual(expect.arrayContaining(['resumeDevice', 'registerDevice']));
  expect(relatedTo('sealEvents')).toEqual(['sealEvents']);
});

test('what has no page is told by its name', () => {
  expect(subjectOf(event({ changes: { name: 'Invoice' } }))).toBe('Invoice');
  expect(subjectOf(event({ changes: { username: 'anna', name: undefined } }))).toBe('anna');
  expect(subjectOf(event({ changes: { name: 7 } }))).toBeUndefined();
  expect(subjectOf(event({ queueId: 7, changes: { name: 'Of the queue' } }))).toBeUndefined();
});

test('CSV has a column for each member, exact, and no formula', () => {
  const line = csvLine(
    event({
      itemId: 9007199254740993n,
      reason: '=HYPERLINK("x")',
      actorName: 'a,b',
      changes: { n: 1n, t: '=1' },
    }),
  );
  expect(line).toBe(
    `2026-11-30T12:00:00Z,restartWorkItem,21,"a,b",,,9007199254740993,,,,"'=HYPERLINK(""x"")","{""n"":1,""t"":""=1""}",,5-1\r\n`,
  );
  expect(csvHead.split(',')).toHaveLength(14);
});

describe('counts over time', () => {
  const counts = {
    step: 60,
    from: '2026-11-30T08:00:00.000Z',
    until: '2026-11-30T08:02:30.000Z',
    list: [
      { from: '2026-11-30T08:00:00.000Z', count: 400, isEstimated: true },
      { from: '2026-11-30T08:01:00.000Z', count: 0 },
      { from: '2026-11-30T08:02:00.000Z', count: 12 },
    ],
  };

  test('are drawn apart where they are estimated', () => {
    expect(spansOf(counts).map(({ values }) => values)).toEqual([
      [undefined, 400],
      [0, undefined],
      [12, undefined],
    ]);
    expect(sumOf(counts)).toEqual({
      total: 412,
      isEstimated: true,
      most: { from: '2026-11-30T08:00:00.000Z', count: 400, isEstimated: true },
    });
  });

  test('have no fullest span where nothing happened', () => {
    expect(sumOf({ ...counts, list: counts.list.slice(1, 2) })).toEqual({ total: 0, isEstimated: false });
  });

  test('lead to the time of a stretch, in place of the one in the filter', () => {
    const [from, to] = [new Date('2026-11-30T08:00:00Z'), new Date('2026-11-30T08:02:00Z')];
    const line = withTime('at>now-7d kind:USER at<now', from, to);
    expect(queryOf(line)).toEqual({ actorKind: 'USER', from: from.toISOString(), until: to.toISOString() });
    expect(withTime(line, from, to)).toBe(line);
  });
});
