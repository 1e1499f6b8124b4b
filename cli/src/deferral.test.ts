import { expect, test } from 'vitest';
import { withDeferral } from './deferral.ts';

const answers = (answer: string) => ({ isForEver: false, askPerson: () => Promise.resolve(answer) });
const nobody = { isForEver: false, askPerson: undefined };
const forEver = { isForEver: true, askPerson: undefined };

test('a deferral with a time, and everything else, is left as it is', async () => {
  for (const body of [
    { action: 'DEFER', deferredUntil: '2026-12-01T08:00:00Z' },
    { status: 'FAILED' },
    undefined,
  ])
    expect(await withDeferral('updateWorkItemStatus', body, nobody)).toEqual(body);
});

test('a deferral without a time is asked about at a terminal', async () => {
  const body = { action: 'DEFER' };
  expect(await withDeferral('updateWorkItemStatus', body, answers('2026-12-01T08:00:00Z'))).toEqual({
    action: 'DEFER',
    deferredUntil: '2026-12-01T08:00:00.000Z',
  });
  expect(await withDeferral('updateWorkItemStatus', body, answers('For ever'))).toEqual(body);
  await expect(withDeferral('updateWorkItemStatus', body, answers(''))).rejects.toThrow('cannot be read');
});

test('a deferral without a time is refused in a script, with both ways to say it', async () => {
  for (const body of [{ action: 'DEFER' }, { status: 'DEFERRED' }])
    await expect(withDeferral('updateWorkItemStatus', body, nobody)).rejects.toThrow(
      /--deferred-until.*--for-ever/,
    );
});

test('for ever takes a former time away, and goes with nothing else', async () => {
  const status = 'DEFERRED';
  expect(await withDeferral('updateWorkItem', { status }, forEver)).toEqual({ status, deferredUntil: null });
  expect(await withDeferral('updateWorkItemStatus', { status }, forEver)).toEqual({ status });
  await expect(withDeferral('updateWorkItem', { status: 'FAILED' }, forEver)).rejects.toThrow(
    'DEFERRED only',
  );
  const both = { status, deferredUntil: '2026-12-01T08:00:00Z' };
  await expect(withDeferral('updateWorkItem', both, forEver)).rejects.toThrow('Give either');
});
