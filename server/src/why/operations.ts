import type { Schemas } from '@millrace/api';
import type { QueueOperation } from '../operation.ts';
import { explainItemFacts, explainQueueFacts, type Explanation } from './explain.rules.ts';
import { readItemFacts, readQueueFacts } from './read.ts';

export const explainQueue: QueueOperation<'explainQueue'> = async (context) =>
  answer(explainQueueFacts(await readQueueFacts(context), context.now));

export const explainWorkItem: QueueOperation<'explainWorkItem'> = async (context, { path }) => {
  const item = await readItemFacts(context, path.workItemId);
  return answer(explainItemFacts(item, await readQueueFacts(context), context.now));
};

function answer({ reasons, expectedStartOn }: Explanation): Schemas['Explanation'] {
  const [first] = reasons;
  if (!first) throw new Error('an explanation without a reason');
  const { code, sentence } = first;
  return {
    code,
    sentence,
    ...(expectedStartOn && { expectedStartOn: expectedStartOn.toISOString() }),
    reasons: [...reasons],
  };
}
