import type { Id, Schemas } from '@millrace/api';
import type { QueueContext, QueueOperation } from '../operation.ts';
import { recentMinutes, selectTotals } from '../stats/sql.ts';
import { unknownItem } from '../work-items/consume.ts';
import { withoutNames, type AutomationFacts, type QueueFacts } from './facts.ts';
import { explainItemFacts, explainQueueFacts, type Explanation } from './item.rules.ts';
import {
  countAhead,
  selectAutomationFacts,
  selectItemFacts,
  selectPoolDevices,
  selectQueueFacts,
} from './sql.ts';

export const explainQueue: QueueOperation<'explainQueue'> = async (context) =>
  answer(explainQueueFacts(await readQueueFacts(context), context.now));

export const explainWorkItem: QueueOperation<'explainWorkItem'> = async (context, { path }) => {
  const { db, queue, now, actor } = context;
  const stored = await selectItemFacts(db, queue.id, path.workItemId);
  if (!stored) throw unknownItem(queue, path.workItemId);
  const { sortKey, deviceId, ...item } = stored;
  const ahead = item.status === 'NEW' ? await countAhead(db, queue.id, sortKey, item.id) : 0;
  const deviceName = actor.permissions.has('viewDevices') ? item.deviceName : nameOf(deviceId);
  const facts = { ...item, ...(deviceName !== undefined && { deviceName }), ahead, retryLimit: queue.autoRetryLimit };
  return answer(explainItemFacts(facts, await readQueueFacts(context), now));
};

async function readQueueFacts(context: QueueContext): Promise<QueueFacts> {
  const { db, queue, now, actor } = context;
  const stored = await selectQueueFacts(db, queue.id);
  const { counts, finishedComplete, finishedFailed, handlingMilliseconds } = await selectTotals(db, queue.id, now);
}

function answer({ reasons, expectedStartOn }: Explanation): Schemas['Explanation'] {
  const [first] = reasons;
  if (!first) throw new Error('an explanation without a reason');
  const { code, sentence } = first;
  return { code, sentence, ...(expectedStartOn && { expectedStartOn: expectedStartOn.toISOString() }), reasons: [...reasons] };
}
