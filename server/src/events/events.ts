import { toId, type ActorKind, type Input, type Schemas } from '@millrace/api';
import { firstOutside } from '../access/members/membership.ts';
import { permissionsForAllModels, seesAllQueues } from '../access/users/permissions.ts';
import { uploadsUnderWay } from '../batches/under-way.ts';
import { Refusal } from '../engine/errors.ts';
import type { Context, PlainOperation, StreamOperation } from '../engine/operation.ts';
import type { Aside } from '../engine/stream-part.ts';
import { selectFeed, type Filter, type Found, type Stretch, type View } from './feed.ts';
import { earlierOf, laterOf, positionOf, refuseFuture } from './rules.ts';
import { selectRange, selectSpanOfBatch } from './times.ts';

type Query = Input<'listEvents'>['query'];

const usualLimit = 200;
const ofUploads = 'createWorkItemsFromFile';
// A larger part would save little, and every stream may hold one in memory.
const streamLimit = 500;

export const listEvents: PlainOperation<'listEvents'> = async (context, { query }) => {
  const found = await readFeed(context, query);
  const list = [...found.list];
  if (query.before === undefined) return { list, ...continuation(found) };
  return { list, ...wayBack(found), newest: `${found.horizon}-0` };
};

/** Answers the next part of a stream; a stream without a cursor begins at the present end of the feed. */
export const streamEvents: StreamOperation<'streamEvents'> = async (context, { query }) => {
  const isNew = query.after === undefined && query.last === undefined;
  const found = await readFeed(context, { ...query, ...(isNew && { last: 0 }), limit: streamLimit });
  const asides = await progressFor(context, query);
  return { list: found.list, ...continuation(found), isBehind: found.isBehind, asides };
};

/** The progress of uploads, which the feed cannot show: it waits for their transactions. */
async function progressFor(context: Context, query: Query): Promise<Aside[]> {
  const { queueIds, itemId, operations, actorId, actorKinds, deviceId, batchId } = filterOf(query);
  const isOfOthers = [itemId, deviceId, batchId].some((one) => one !== undefined);
  if (isOfOthers || operations?.includes(ofUploads) === false || actorKinds?.includes('USER') === false)
    return [];
  const uploads = await uploadsUnderWay(context, queueIds);
  return uploads
    .filter(({ createdBy }) => actorId === undefined || String(createdBy) === String(actorId))
    .map((data) => ({ kind: 'uploadProgress', data }));
}

async function readFeed(context: Context, query: Query): Promise<Found> {
  refuseContradictions(query);
  const view = await viewOf(context, query);
  const range = await selectRange(context.db, view);
  const batch = await selectSpanOfBatch(context.db, view.filter);
  const { after, before, last, limit = usualLimit } = query;
  if (before !== undefined) {
    const position = before === 'now' ? undefined : positionOf(before, 'before');
    const end = earlierOf(earlierOf(position, range.before), batch.before);
    return selectFeed(context.db, view, { ...range, before: end, isBackwards: true, limit });
  }
  if (last !== undefined) {
    const end = last === 0 ? range.before : earlierOf(range.before, batch.before);
    return readEnd(context, view, { ...range, before: end, isBackwards: true, limit: last });
  }
  const position = after === undefined ? undefined : positionOf(after, 'after');
  const begin = laterOf(laterOf(position, range.after), batch.after);
  const found = await selectFeed(context.db, view, { ...range, after: begin, isBackwards: false, limit });
  if (position) refuseFuture(position, found.horizon);
  return found;
}

/** The newest events, oldest first. */
async function readEnd({ db }: Context, view: View, stretch: Stretch): Promise<Found> {
  const { list, horizon, isBehind } = await selectFeed(db, view, stretch);
  // Older events were not asked for: the list has all that matched.
  return { list: list.toReversed(), matched: list.length, horizon, isBehind };
}

/** Parameters that contradict each other: each sets the beginning, or the queues. */
const contradictions = [
  ['last', 'after'],
  ['before', 'after'],
  ['before', 'last'],
  ['queueIds', 'queueId'],
] as const satisfies readonly (readonly [keyof Query, keyof Query])[];

export function refuseContradictions(query: Query): void {
  const [one, other] = contradictions.find((pair) => pair.every((name) => query[name] !== undefined)) ?? [];
  if (one === 'queueIds') throw invalid(one, `goes without ${other}: name all queues in ${one}`);
  if (one) throw invalid(one, `goes without ${other}: an answer begins in one place`);
  const { itemId, queueId, from, until } = query;
  if (itemId !== undefined && !Number(queueId))
    throw invalid('itemId', 'needs queueId: the events of an item are found by its queue');
  if (from !== undefined && until !== undefined && new Date(until) <= new Date(from))
    throw invalid('until', 'is not later than from: nothing can lie between');
}

export async function viewOf({ db, actor }: Pick<Context, 'db' | 'actor'>, query: Query): Promise<View> {
  const filter = filterOf(query);
  const seesAll = seesAllQueues(actor.permissions);
  // A user who sees all queues may also ask for a deleted one: its events are still there.
  const outside = seesAll ? undefined : await firstOutside({ db, actor }, filter.queueIds ?? []);
  if (outside !== undefined)
    throw new Refusal('NOT_FOUND', `There is no queue ${outside}, or you do not belong to it.`);
  return {
    tenantId: actor.tenantId,
    userId: actor.id,
    seesAll,
    seesOrigin: actor.permissions.has('viewEvents'),
    visibleOperations: operationsVisibleTo(actor.permissions),
    filter,
  };
}

const largestId = 2n ** 63n - 1n;

function filterOf(query: Query): Filter {
  const { queueId, queueIds, itemId, operation, actorId, actorKind, deviceId, batchId, from, until } = query;
  const several = queueId === undefined ? queueIds?.split(',').map(toId) : [queueId];
  if (several?.some((id) => id > largestId)) throw invalid('queueIds', 'has a number that no queue can have');
  const actorKinds = actorKind?.split(',') as ActorKind[] | undefined;
  const operations = operation?.split(',');
  return { queueIds: several, itemId, operations, actorId, actorKinds, deviceId, batchId, from, until };
}

function invalid(field: keyof Query, message: string): Refusal {
  return new Refusal('INVALID_REQUEST', `${field} ${message}.`, { details: [{ field, message }] });
}

/** The subjects of events outside of queues, as words in the names of operations, with the permissions of which any one shows them. */
const subjects: { readonly words: string; readonly shownBy: readonly string[] }[] = [
  { words: 'model', shownBy: permissionsForAllModels },
  { words: 'device|pool|automation', shownBy: ['viewDevices'] },
  { words: 'user|role|apiKey', shownBy: ['viewUsers'] },
  { words: 'calendar', shownBy: ['useQueues'] },
];

/**
 * A regular expression of the operations outside of queues that a user with these permissions may see. Operations about
 * any other subject are for users who see all events.
 */
export function operationsVisibleTo(permissions: ReadonlySet<string>): string {
  if (permissions.has('viewEvents')) return '';
  const visible = subjects.filter(({ shownBy }) => shownBy.some((one) => permissions.has(one)));
  return visible.map(({ words }) => words).join('|') || '^$';
}

/** A part of the feed, as read. */
interface Part {
  readonly list: readonly Schemas['Event'][];
  readonly matched: number;
  readonly scannedTo?: string;
  readonly horizon: string;
}

/**
 * The place where the feed goes on after a part: after the last event of the list when not all matching ones fitted in, after the last
 * examined event when there were more, and otherwise after all complete transactions.
 */
export function continuation({ list, matched, scannedTo, horizon }: Part): {
  cursor: string;
  isMore: boolean;
} {
  const last = list.at(-1);
  if (last && list.length < matched) return { cursor: last.cursor, isMore: true };
  if (scannedTo !== undefined) return { cursor: scannedTo, isMore: true };
  return { cursor: `${horizon}-0`, isMore: false };
}

/** The place where older events go on before a part that was read backwards; before everything when there are none. */
export function wayBack(part: Part): { cursor: string; isMore: boolean } {
  const { cursor, isMore } = continuation(part);
  return isMore ? { cursor, isMore } : { cursor: '0-0', isMore };
}
