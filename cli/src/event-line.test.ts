import type { Schemas } from '@millrace/api';
import pico from 'picocolors';
import { expect, test } from 'vitest';
import { eventLine } from './event-line.ts';

const plain = pico.createColors(false);
const event = {
  cursor: '7-1',
  id: 1,
  operation: 'finishWorkItems',
  actorId: 21,
  actorName: 'runner-1',
  on: '2026-03-02T08:15:00.000Z',
} satisfies Schemas['Event'];
const ofItem = { ...event, queueId: 7, queueName: 'credit', itemId: 1001 };
const columns = (told: Schemas['Event']) => eventLine(told, plain).split(/ {2,}/);

test('a line says when, what, to which item, how its status changed, by whom and why', () => {
  const told = {
    ...ofItem,
    from: 'IN_PROGRESS' as const,
    to: 'FAILED' as const,
    deviceId: 3,
    reason: 'above the\nlimit',
    changes: { failureKind: 'BUSINESS' },
  };
  expect(columns(told)).toEqual([
    '2026-03-02T08:15:00.000Z',
    'finishWorkItems',
    'credit #1001',
    'IN_PROGRESS → FAILED',
    'by runner-1 on device 3',
    'above the limit',
    '{"failureKind":"BUSINESS"}',
  ]);
});

test.each([
  [{ to: 'NEW' }, '→ NEW'],
  [{ from: 'NEW' }, 'NEW → gone'],
  [{ from: 'IN_PROGRESS', to: 'IN_PROGRESS' }, 'IN_PROGRESS'],
] as const)('the status of an item with %j is shown as "%s"', (statuses, shown) => {
  expect(columns({ ...ofItem, ...statuses })[3]).toBe(shown);
});

test('what is about a queue, a queue that is gone, a device or nothing of these says so, and who did it has a name', () => {
  expect(columns({ ...event, queueId: 7, queueName: 'credit' }).slice(2)).toEqual(['credit', 'by runner-1']);
  expect(columns({ ...event, queueId: 7 })[2]).toBe('queue 7');
  expect(columns(event)[2]).toBe('-');
  expect(columns({ ...event, deviceId: 3 }).slice(2)).toEqual(['device 3', 'by runner-1']);
  const { actorName: _, ...nameless } = event;
  expect(columns(nameless)[3]).toBe('by user 21');
  expect(columns({ ...nameless, actorId: 0 })[3]).toBe('by Millrace');
});

test('what others wrote cannot move the cursor or recolour the screen', () => {
  const reason = 'fine\u001b[2J\u001b[31m really';
  expect(eventLine({ ...event, reason }, plain)).not.toContain('\u001b');
});

test('at a terminal the outcome has a colour', () => {
  const colored = eventLine({ ...ofItem, from: 'IN_PROGRESS', to: 'FAILED' }, pico.createColors(true));
  expect(colored).toContain(pico.createColors(true).red('FAILED'));
});
