import type { Schemas } from '@millrace/api';
import { expect, test } from 'vitest';
import { botsIn, changesIn, draftOf, isWhole, settingsOf, suitedOf } from './rules.ts';

const automation = {
  id: 4,
  name: 'Post',
  description: '',
  queueId: 9007199254740993n,
  poolId: 27,
  botName: 'post',
  labels: ['sap', 'office'],
  priority: 7,
  weight: 2,
  status: 'ACTIVE',
  runAsUserIds: [31],
  version: 3,
} as unknown as Schemas['Automation'];

const device = (id: number, more: Partial<Schemas['Device']> = {}) =>
  ({ id, poolIds: [27], bots: ['post'], labels: ['sap'], ...more }) as unknown as Schemas['Device'];

test('a draft that nobody has touched changes nothing, and one that was what it says', () => {
  const draft = draftOf(automation);
  expect(changesIn(automation, draft)).toEqual({});
  expect(changesIn(automation, { ...draft, labels: 'sap,  office,', weight: '3' })).toEqual({ weight: 3 });
  const named = { ...automation, runAsUserIds: [31, 30] };
  expect(changesIn(named, { ...draftOf(named), runAs: ['30', '31'] })).toEqual({});
  expect(settingsOf(draft)).toMatchObject({ queueId: 9007199254740993n, labels: ['sap', 'office'] });
});

test('a new automation wants a name, a queue, a pool and a bot, and has the rest', () => {
  const draft = { ...draftOf(), name: 'Post', queueId: '7', poolId: '27' };
  expect(isWhole(draft)).toBe(false);
  expect(isWhole({ ...draft, botName: 'post' })).toBe(true);
  expect(settingsOf(draft)).toMatchObject({ priority: 4, weight: 1, labels: [], runAsUserIds: [] });
});

test('devices of the pool suit that have the bot and all labels', () => {
  const all = [device(1, { labels: ['sap', 'office'] }), device(2), device(3, { poolIds: [8] })];
  expect(suitedOf(automation, all)).toEqual({ inPool: 2, suited: 1 });
  expect(botsIn('27', [...all, device(4, { bots: ['a', 'post'] })])).toEqual(['a', 'post']);
});
