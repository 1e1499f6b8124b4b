import { expect, test } from 'vitest';
import { drop, events, note } from '../draft.ts';
import { alma, first, given, honestHistory } from '../honest.ts';
import { caseOf } from '../timelines.ts';
import { effectiveHolds } from './holds.ts';

test('a grant that a frozen server began during a hold, and made after it, is believed', () => {
  const history = honestHistory();
  const grant = history.record.findLast(({ operation }) => operation === 'requestWork');
  if (!grant) throw new Error('nothing was granted');
  const { at, id } = grant;
  const update = { operation: 'updateAutomation', by: alma, queueId: given };
  const turn = (status: string, since: number) => ({
    ...update,
    id: id - since / 1000,
    at: at - since,
    changes: { automationId: first, status },
  });
  history.record.splice(history.record.indexOf(grant), 0, turn('PAUSED', 200), turn('ACTIVE', 100));
  events(history, (one) => one === grant, { at: at - 150 });
  const target = `automation ${first}` as const;
  note(
    history,
    { note: 'holding', target, at: at - 210 },
    { note: 'held', target, at: at - 190 },
    { note: 'releasing', target, at: at - 110 },
    { note: 'released', target, at: at - 90 },
  );
  expect(effectiveHolds(caseOf(history))).toEqual([]);
  drop(history, ({ changes }) => changes?.['status'] === 'ACTIVE');
  expect(effectiveHolds(caseOf(history))).toHaveLength(1);
});
