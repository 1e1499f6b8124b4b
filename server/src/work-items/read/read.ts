import type { Id, Schemas } from '@millrace/api';
import { maySee } from '../../access/members/membership.ts';
import { sql, type Db } from '../../engine/db.ts';
import { Refusal } from '../../engine/errors.ts';
import { confidential } from '../../engine/idempotency.ts';
import type { Attribute, QueueContext, QueueDefinition, QueueOperation } from '../../engine/operation.ts';
import { recordOfAccess, recordOfQueue } from '../../journal/journal.ts';
import { withPresentNames } from '../../records/record.ts';
import { opened, openedOutput, shown } from '../../records/sealed.ts';
import { hiddenNames, isMarked, masked } from '../../records/sensitive.rules.ts';
import { unknownItem } from '../item/rules.ts';
import { itemColumns } from '../item/sql.ts';
import { withNames } from './names.ts';
import { readNamedAttempts, readQueueHistory, readUnresolvedOutcome } from './timeline.ts';

export const getWorkItem: QueueOperation<'getWorkItem'> = async (context, { path }) => {
  const { db, queue } = context;
  const [item, history, log] = await Promise.all([
    readItem(context, path.workItemId),
    readQueueHistory(db, queue.id, path.workItemId),
    selectLog(db, queue.id, path.workItemId),
  ]);
  const [known, unresolved, named] = await Promise.all([
    readNamedAttempts(db, history, path.workItemId),
    readUnresolvedOutcome(context, history, item),
    withNames(db, item),
  ]);
  const attempts = withLog(known, log);
  const logTail = attempts.at(-1)?.logTail;
  return {
    ...named,
    ...(attempts.length > 0 && { attempts }),
    ...(unresolved && { doubt: unresolved }),
    ...(logTail !== undefined && { logTail }),
  };
};

/** The newest output of the bots that worked on an item, and its time. */
interface Log {
  readonly tail: string;
  readonly updatedOn: Date;
}

/** The attempts; the one that wrote the newest output of the bots has it. */
function withLog(attempts: readonly Schemas['Attempt'][], log: Log | undefined): Schemas['Attempt'][] {
  const writer = log && attempts.findLastIndex(({ startedOn }) => new Date(startedOn) <= log.updatedOn);
  return attempts.map(
    (attempt, index) =>
      (index === writer ? { ...attempt, logTail: log?.tail } : attempt) as Schemas['Attempt'],
  );
}

/** The item in the form of the contract for the caller, without facts from its timeline. @throws Refusal NOT_FOUND. */
export async function readItem(context: QueueContext, itemId: Id): Promise<Schemas['WorkItem']> {
  const { db, queue } = context;
  const item = await selectItem(db, queue, itemId);
  if (!item) throw await missingItem(context, itemId);
  const { claimedBy, ...members } = item;
  const isHolder = item.status === 'IN_PROGRESS' && claimedBy === context.actor.id;
  return shown(queue, members, isHolder);
}

/** An item in its stored form, and the user that holds it, or held it last. */
type StoredItem = Schemas['WorkItem'] & { readonly claimedBy?: Id };

/** The item with its sealed values. @throws Refusal NOT_FOUND */
async function readSealedItem(context: QueueContext, itemId: Id): Promise<Schemas['WorkItem']> {
  const item = await selectItem(context.db, context.queue, itemId);
  if (!item) throw await missingItem(context, itemId);
  const { claimedBy: _, ...members } = item;
  return members;
}

/** The refusal for an item that is not in the queue; names the queue to which it was moved, for callers who may see that. */
export async function missingItem(
  { db, actor, queue }: Pick<QueueContext, 'db' | 'actor' | 'queue'>,
  itemId: Id,
): Promise<Refusal> {
  const unknown = unknownItem(queue, itemId);
  const movedTo = await selectMovedTo(db, queue.id, itemId);
  if (movedTo === undefined || !(await maySee({ db, actor }, movedTo))) return unknown;
  return new Refusal(unknown.code, `${unknown.message} It was moved to queue ${movedTo}.`);
}

/** The queue to which an item was moved, if that was its last event. */
async function selectMovedTo(db: Db, queueId: Id, itemId: Id): Promise<Id | undefined> {
  const row = await db.row<{ movedTo?: Id }>(sql`
    select (changes ->> 'movedTo')::bigint as "movedTo" from events
    where queue_id = ${queueId} and item_id = ${itemId} order by id desc limit 1`);
  return row?.movedTo;
}

function selectItem(db: Db, queue: QueueDefinition, itemId: Id): Promise<StoredItem | undefined> {
  return db.row<StoredItem>(sql`
    select ${itemColumns(queue)}, i.claimed_by as "claimedBy"
    from work_items i join work_item_data d on d.queue_id = i.queue_id and d.item_id = i.id
    where i.queue_id = ${queue.id} and i.id = ${itemId}`);
}

function selectLog(db: Db, queueId: Id, itemId: Id): Promise<Log | undefined> {
  return db.row(sql`
    select tail, updated_on as "updatedOn" from work_item_logs where queue_id = ${queueId} and item_id = ${itemId}`);
}

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
