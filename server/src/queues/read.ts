import type { Id } from '@millrace/api';
import { Refusal } from '../errors.ts';
import { insertEvents, type Event } from '../events/sql.ts';
import type { Context } from '../operation.ts';
import { selectLapseLimit, selectQueue, type StoredQueue } from './sql.ts';

/** The queue as stored now. @throws Refusal NOT_FOUND when it is gone. */
export async function readQueue({ db }: Pick<Context, 'db'>, id: Id): Promise<StoredQueue> {
  const queue = await selectQueue(db, id);
  if (!queue) throw new Refusal('NOT_FOUND', `There is no queue ${id} any more.`);
  return queue;
}

/** After how many lapses in a row an item of the queue fails; 0 for never. */
export async function readLapseLimit({ db }: Pick<Context, 'db'>, id: Id): Promise<number> {
  return (await selectLapseLimit(db, id)) ?? 0;
}

/** Records what the caller has done to a queue. */
export function record(
  { db, actor, now }: Context,
  id: Id,
  event: Pick<Event, 'operation' | 'reason' | 'changes'>,
): Promise<void> {
  return insertEvents(db, id, [{ ...event, actorId: actor.id }], now);
}
