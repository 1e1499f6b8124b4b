import type { Schemas } from '@millrace/api';
import { expect, test } from 'vitest';
import { actionsOn, failedPercent, mayDo, pinnedAfter, wantedOf } from './list-rules.ts';

const queues = [
  { id: 1, name: 'Alpha', status: 'ACTIVE', memberships: ['OWNER', 'QUEUE_ADMIN'] },
  { id: 2, name: 'Beta', status: 'INACTIVE', memberships: ['QUEUE_ADMIN'] },
  { id: 9007199254740993n, name: 'Gamma', status: 'INACTIVE', archived: true },
] as Schemas['Queue'][];
const figures = new Map([['2', { counts: { FAILED: 3 } } as Schemas['QueueStats']]]);
const names = (wanted: Partial<Parameters<typeof wantedOf>[2]>) =>
  wantedOf(queues, figures, { text: '', pinned: [], ...wanted }).map(({ name }) => name);

test('queues are found by name and by how they are, and pinned ones come first', () => {
  expect(names({ pinned: ['9007199254740993', '7'] })).toEqual(['Gamma', 'Alpha', 'Beta']);
  expect(names({ text: 'A', state: 'active' })).toEqual(['Alpha']);
  expect(names({ state: 'paused' })).toEqual(['Beta']);
  expect(names({ state: 'mine' })).toEqual(['Alpha']);
  expect(names({ state: 'archived' })).toEqual(['Gamma']);
  expect(names({ state: 'failures' })).toEqual(['Beta']);
});

test('what failed lately is told as a part of what was finished, and of nothing not at all', () => {
  const recent = (complete: number, failed: number) =>
    failedPercent({ recent: { complete, failed } } as Schemas['QueueStats']);
  expect([recent(3, 1), recent(4, 0), recent(0, 0)]).toEqual([25, 0, undefined]);
});

test.each([
  [{ status: 'ACTIVE' as const }, ['pause', 'upload', 'archive']],
  [{ status: 'INACTIVE' as const }, ['resume', 'upload', 'archive']],
  [{ status: 'INACTIVE' as const, archived: true }, ['restore']],
])('to a queue that is %o can be done %o', (queue, actions) => {
  expect(actionsOn(queue)).toEqual(actions);
});

test('who may add items may upload, and who may edit a queue may do the rest', () => {
  const allowed = (capabilities: string[]) =>
    (['pause', 'upload', 'archive'] as const).filter((one) =>
      mayDo(one, { capabilities } as Schemas['Queue']),
    );
  expect([allowed(['view']), allowed(['add']), allowed(['edit'])]).toEqual([
    [],
    ['upload'],
    ['pause', 'archive'],
  ]);
});

test('a pin is set and taken away', () => {
  expect(pinnedAfter(['1'], '2')).toEqual(['1', '2']);
  expect(pinnedAfter(['1', '2'], '1')).toEqual(['2']);
});
