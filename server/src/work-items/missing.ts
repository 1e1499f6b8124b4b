import type { Id } from '@millrace/api';
import { Refusal } from '../errors.ts';
import { capabilitiesOf } from '../members/rules.ts';
import { standingsIn } from '../members/standings.ts';
import type { QueueContext } from '../operation.ts';
import { unknownItem } from './consume.ts';
import { selectLastEvent } from './timeline.sql.ts';

/** Why there is no such item in the queue. Whoever may see the queue that it was moved to, is told. */
export async function missingItem(
  { db, actor, queue }: Pick<QueueContext, 'db' | 'actor' | 'queue'>,
  itemId: Id,
): Promise<Refusal> {
  const unknown = unknownItem(queue, itemId);
  const last = await selectLastEvent(db, { queueId: queue.id }, itemId);
  const movedTo = last?.changes?.['movedTo'] as Id | undefined;
  if (movedTo === undefined) return unknown;
  if (!capabilitiesOf(await standingsIn({ db, actor }, movedTo)).has('view')) return unknown;
  return new Refusal(unknown.code, `${unknown.message} It was moved to queue ${movedTo}.`);
}
