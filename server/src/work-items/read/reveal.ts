import type { Id, Schemas } from '@millrace/api';
import { Refusal } from '../../engine/errors.ts';
import { confidential } from '../../engine/idempotency.ts';
import type { Attribute, QueueDefinition, QueueOperation } from '../../engine/operation.ts';
import { recordOfAccess, recordOfQueue } from '../../journal/journal.ts';
import { withPresentNames } from '../../records/record.ts';
import { opened, openedOutput } from '../../records/sealed.ts';
import { hiddenNames, isMarked, masked } from '../../records/sensitive.rules.ts';
import { readSealedItem } from './read.ts';

export const revealWorkItem: QueueOperation<'revealWorkItem'> = async (context, { path, body }) => {
  const { queue } = context;
  const attributes = attributesOf(queue, body.attributes);
  const item = withPresentNames(queue, await readSealedItem(context, path.workItemId));
  const names = attributes.map(({ name }) => name);
  const act = { operation: 'revealWorkItem', reason: body.reason };
  const { workItemId: itemId } = path;
  await recordOfQueue(context, queue.id, { ...act, itemId, changes: { attributes: names } });
  // People who see the item need not know the origin of the access.
  const changes = { queueId: queue.id, workItemId: itemId, attributes: names };
  await recordOfAccess(context, { ...act, changes });
  const answer = revealed(queue, item, new Set(attributes.flatMap(({ id }) => id ?? [])));
  return queue.sealer ? confidential(answer, queue.sealer) : answer;
};

/** The item's record and output, with the values of these attributes in plain. */
function revealed(
  queue: QueueDefinition,
  { id = 0, json = {}, output }: Schemas['WorkItem'],
  only: ReadonlySet<Id>,
): Schemas['RevealedWorkItem'] {
  const rest = queue.attributes.filter((one) => one.id === undefined || !only.has(one.id)).filter(isMarked);
  return {
    id,
    json: masked(opened(queue, { id }, json, only), new Set(rest.map(({ name }) => name))),
    ...(output && { output: masked(openedOutput(queue, id, output, only), hiddenNames(rest)) }),
  };
}

/** @throws Refusal INVALID_REQUEST that names an attribute which does not exist, or is not sensitive */
function attributesOf({ attributes }: QueueDefinition, asked: readonly string[] | undefined): Attribute[] {
  const marked = attributes.filter(isMarked);
  const unknown = asked?.find((name) => !marked.some((one) => one.name === name));
  if (unknown === undefined) return marked.filter(({ name }) => asked?.includes(name) ?? true);
  const known = marked.length > 0 ? `has ${marked.map(({ name }) => name).join(', ')}` : 'has none';
  const message = `names ${JSON.stringify(unknown)}, which is no attribute with a sensitivity: the model ${known}`;
  throw new Refusal('INVALID_REQUEST', `attributes ${message}.`, {
    details: [{ field: 'attributes', message }],
  });
}
