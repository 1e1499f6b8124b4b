import pico from 'picocolors';
import { expect, test } from 'vitest';
import { factsLine } from './ask.ts';
import { at, happens, ms } from './events.fixture.ts';
import { historyOf } from './history.ts';
import { drawPanel, panelLine } from './panel.ts';
import { drawTimeline } from './timeline.ts';

const { created, begun, done } = happens;
const parts = {
  devices: new Map([
    ['office-1', 7],
    ['office-2', 8],
    ['bank-1', 9],
  ]),
  queues: new Map([['Invoices', 1]]),
  killed: new Map([[9, ms(3)]]),
  colors: pico.createColors(false),
};
const history = historyOf([
  ...[10, 11, 12].map((itemId) => created(0, { queueId: 1, itemId })),
  begun(0, { queueId: 1, itemId: 10, deviceId: 7 }),
  begun(0, { queueId: 1, itemId: 11, deviceId: 8 }),
  done(2, { queueId: 1, itemId: 10, deviceId: 7 }),
  begun(2, { queueId: 1, itemId: 12, deviceId: 7 }),
  done(3, { queueId: 1, itemId: 11, deviceId: 8 }),
  at(3, { operation: 'quarantineDevice', deviceId: 8 }),
]);

test('the panel shows what each device runs, and how far each queue is', () => {
  const lines = drawPanel(history, parts, ms(4)).split('\n');
  expect(lines.map((line) => line.trim().split(/ {2,}/))).toEqual([
    ['DEVICE', 'RUNS', 'FOR', 'ITEMS', 'BUSY'],
    ['office-1', 'Invoices 12', '2.0 s', '1', '100 %'],
    ['office-2', 'quarantined', '1', '100 %'],
    ['bank-1', 'killed', '0', '0 %'],
    ['QUEUE', 'WAITING', 'RUNNING', 'DONE', 'FAILED'],
    ['Invoices', '0', '1', '2', '0', `${'█'.repeat(13)}${'░'.repeat(7)}`],
  ]);
  expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(80);
});

test('where nothing can move the panel is a line', () => {
  expect(panelLine(history, parts, 4).trim()).toBe('[4 s] 0 waiting, 2 done, 0 failed, running: Invoices 1');
});

test('facts read as words, with names in the place of ids, and without what is not known', () => {
  const facts = {
    poolId: 2,
    poolName: 'Bank',
    by: 5,
    byName: 'anna',
    automationId: 4,
    labels: ['sap', 'germany'],
    averageHandlingSeconds: 0.8480769,
    since: '2026-11-25T13:32:11.911Z',
    until: undefined,
  };
  expect(factsLine(facts)).toBe(
    'pool: Bank · by: anna · automation id: 4 · labels: sap, germany · average handling seconds: 0.85 · since: 13:32:11',
  );
});

test('a timeline has a line for each event, and its reason below', () => {
  const events = [
    created(0, { queueId: 1, itemId: 10 }),
    begun(1, { queueId: 1, itemId: 10, deviceId: 7 }),
    at(2, {
      operation: 'quarantineDevice',
      from: 'IN_PROGRESS',
      to: 'NEW',
      deviceId: 7,
      reason: 'It books twice',
    }),
  ];
  expect(
    drawTimeline(events, parts.devices)
      .split('\n')
      .map((line) => line.trim()),
  ).toEqual([
    '00:00:00.000  createWorkItems   NEW',
    '00:00:01.000  requestWork       NEW → IN_PROGRESS  office-1',
    '00:00:02.000  quarantineDevice  IN_PROGRESS → NEW  office-1',
    'It books twice',
  ]);
});
