import type { Input } from '@millrace/api';
import { Refusal } from '../errors.ts';
import type { Context, PlainOperation, StreamOperation } from '../operation.ts';
import { belongsTo } from '../queues/visible.sql.ts';
import { selectFeedAfter, selectFeedEnd, type Found, type View } from './feed.sql.ts';
import { beginning, continuation, placeOf, refuseFuture, visibleOperations } from './rules.ts';

type Query = Input<'listEvents'>['query'];

const usualLimit = 200;
// Far larger ones would save little, and every stream may hold one in memory.
const streamLimit = 500;

export const listEvents: PlainOperation<'listEvents'> = async (context, { query }) => {
  const { list, ...found } = await readFeed(context, query);
  return { list: [...list], ...continuation({ list, ...found }) };
};

/** Answers the next part of a stream; one that names no place begins where the feed is now. */
export const streamEvents: StreamOperation<'streamEvents'> = async (context, { query }) => {
  const isNew = query.after === undefined && query.last === undefined;
  const found = await readFeed(context, { ...query, ...(isNew && { last: 0 }), limit: streamLimit });
  return { list: found.list, ...continuation(found), isBehind: found.isBehind };
};

async function readFeed(context: Context, query: Query): Promise<Found> {
  const { after, last, limit = usualLimit } = query;
  const view = await viewOf(context, query);
  if (last === undefined) {
    const place = after === undefined ? beginning : placeOf(after);
    const found = await selectFeedAfter(context.db, view, place, limit);
    refuseFuture(place, found.horizon);
    return found;
  }
  if (after !== undefined) throw invalid('last', 'goes without after: an answer begins in one place');
  const found = await selectFeedEnd(context.db, view, last);
  // What is older was not asked for.
  return { list: found.list, matched: found.list.length, horizon: found.horizon, isBehind: found.isBehind };
}

async function viewOf({ db, actor }: Context, query: Query): Promise<View> {
  const { queueId, itemId, operation, actorId, deviceId } = query;
  if (itemId !== undefined && queueId === undefined)
    throw invalid('itemId', 'needs queueId: the events of an item are found by its queue');
  const seesAllQueues = actor.permissions.has('manageAllQueues');
  // Who sees all may also ask for a queue that is gone: its record is still there.
  if (queueId !== undefined && !seesAllQueues && !(await belongsTo(db, actor.id, queueId)))
    throw new Refusal('NOT_FOUND', `There is no queue ${queueId}, or you do not belong to it.`);
  return {
    tenantId: actor.tenantId,
    userId: actor.id,
    seesAllQueues,
    visibleOperations: visibleOperations(actor.permissions),
    filter: { queueId, itemId, operations: operation?.split(','), actorId, deviceId },
  };
}

function invalid(field: keyof Query, message: string): Refusal {
  return new Refusal('INVALID_REQUEST', `${field} ${message}.`, { details: [{ field, message }] });
}
