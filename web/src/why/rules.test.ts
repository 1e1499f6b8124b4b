import { expect, it } from 'vitest';
import { judgedAlike, stopsOn } from './rules.ts';

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
