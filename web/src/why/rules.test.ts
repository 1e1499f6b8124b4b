import { expect, it } from 'vitest';
import { judgedAlike, reasonsOn, stopsOn } from './rules.ts';

const verdict = (
  deviceId: number,
  code: 'NEXT' | 'FREE' | 'DISCONNECTED' | 'SLOTS_BUSY',
  sentence: string,
) => ({
  deviceId,
  deviceName: `runner ${deviceId}`,
  code,
  sentence,
});
const gone = verdict(1, 'DISCONNECTED', 'It is not connected.');
const busy = verdict(2, 'SLOTS_BUSY', 'Its only slot is busy.');
const noDevice = { code: 'NO_DEVICE' as const, sentence: 'None would.' };

it('items are kept at the part that a reason is about, by the most decisive one', () => {
  const found = stopsOn(
    [
      { code: 'QUEUE_PAUSED', sentence: 'Paused by anna.' },
      { code: 'QUEUE_PAUSED', sentence: 'Its queue is paused.' },
      { code: 'NO_DEVICE_CONNECTED', sentence: 'None is connected.' },
      { code: 'WORKING', sentence: 'Nothing holds it up.' },
    ],
    [],
  );
  expect(found).toEqual({
    queue: { sentence: 'Paused by anna.', kind: 'stops' },
    devices: { sentence: 'None is connected.', kind: 'stops' },
  });
});

it('a queue that stops or waits is told to, even where first is said that nothing waits in it', () => {
  const empty = { code: 'EMPTY' as const, sentence: 'Nothing waits.' };
  const paused = { code: 'QUEUE_PAUSED' as const, sentence: 'Paused by anna.' };
  const stopped = { queue: { sentence: 'Paused by anna.', kind: 'stops' } };
  expect(stopsOn([empty, paused], [])).toEqual(stopped);
  expect(stopsOn([paused, empty], [])).toEqual(stopped);
  const below = { code: 'THRESHOLD' as const, sentence: 'Three more must come.' };
  expect(stopsOn([empty, below, paused], []).queue).toEqual({ sentence: below.sentence, kind: 'waits' });
  expect(stopsOn([empty, { code: 'NOTHING_WAITS', sentence: 'None could start.' }], []).queue).toEqual({
    sentence: empty.sentence,
    kind: 'rests',
  });
});

it('the reasons on an automation are its own, and those that are about none', () => {
  const paused = { code: 'QUEUE_PAUSED' as const, sentence: 'Paused by anna.', facts: { queueId: 7 } };
  const bare = { code: 'EMPTY' as const, sentence: 'Nothing waits.', facts: {} };
  const own = { code: 'NO_DEVICE' as const, sentence: 'None would.', facts: { automationId: 8 } };
  const other = { code: 'DEVICES_HELD' as const, sentence: 'All are held.', facts: { automationId: 9n } };
  expect(reasonsOn(8n, [paused, bare, own, other])).toEqual([paused, bare, own]);
  expect(reasonsOn(9, [paused, bare, own, other])).toEqual([paused, bare, other]);
});

it('a pool without devices stops them, devices that are lost do, and busy ones have them wait', () => {
  expect(stopsOn([noDevice], [])).toEqual({ pool: { sentence: 'None would.', kind: 'stops' } });
  expect(stopsOn([noDevice], [gone]).devices?.kind).toBe('stops');
  expect(stopsOn([noDevice], [gone, busy]).devices?.kind).toBe('waits');
  expect(stopsOn([noDevice], [gone, verdict(3, 'FREE', 'It is free.')])).toEqual({});
});

it('devices of which the same is said stand together', () => {
  const next = verdict(3, 'NEXT', 'It would take the next item.');
  const other = { ...gone, deviceId: 4 };
  expect(judgedAlike([next, gone, busy, other])).toEqual([
    { sentence: next.sentence, devices: [next] },
    { sentence: gone.sentence, devices: [gone, other] },
    { sentence: busy.sentence, devices: [busy] },
  ]);
});
