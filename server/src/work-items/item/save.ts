import { signatureOf, type Id, type TransitionName } from '@millrace/api';
import { changeKeys, type KeyedRecord } from '../../duplicates/unique-keys.ts';
import { named, sql, type Db } from '../../engine/db.ts';
import { registerConstraints } from '../../engine/errors.ts';
import { jsonLists } from '../../engine/json/write.ts';
import type { BatchContext } from '../../engine/operation.ts';
import { holderWakeUp } from '../../engine/wake-ups.ts';
import { endRuns } from '../../fleet/devices/runs.ts';
import { writeJournal, type Event } from '../../journal/journal.ts';
import { deleteValues } from '../../records/stored.ts';
import type { Item, Move } from './rules.ts';
import { asRow } from './sql.ts';

/** One item of a queue before and after; `before` is missing for one from another queue, `after` for one that leaves. */
export interface Change<I = Item> {
  readonly before?: I | undefined;
  readonly after?: I | undefined;
  readonly transition: TransitionName;
  readonly actorId: Id;
  /** The operation or job, for the timeline; left out where the change is none in the life of the item. */
  readonly operation?: string;
  readonly reason?: string | undefined;
  /** Other members that changed, by their names in the contract. */
  readonly changes?: object | undefined;
  /** The record from now on, where the item may need a unique key for it. */
  readonly record?: KeyedRecord | undefined;
  /** The queue from which the item has just come. */
  readonly cameFrom?: Id;
  /** The bulk action to which it belongs. */
  readonly batchId?: Id | undefined;
}

/** The change by a granted transition, of an item that remains in its queue. */
export function changeOf(before: Item, { item: after, transition, reason }: Move) {
  return { before, after, transition, reason };
}

/** Operations know the queue; jobs have no lock on it. */
type SaveContext = Pick<BatchContext, 'db' | 'now' | 'wake'> & Partial<Pick<BatchContext, 'queue'>>;

/**
 * Saves changes of locked items of one queue, with all their consequences: unique keys, journal, counters, the queue's reactivation cycle,
 * runs on devices and wake-ups. Every change in the life of an item goes this way; creates and claims, which begin its life and its
 * attempts, are single statements that write the same.
 */
export async function save(context: SaveContext, queueId: Id, changes: readonly Change[]): Promise<void> {
  if (changes.length === 0) return;
  const { db, now } = context;
  await saveTraces(context, queueId, changes);
  await Promise.all([
    saveItems(db, queueId, changes.flatMap(rowOf), now),
    deleteItems(db, queueId, idsOf(changes.filter(({ after }) => !after))),
  ]);
  wakeConcerned(context, queueId, changes);
}

/** The members of an item that have consequences beyond its row. */
type Traced = Pick<Item, 'id' | 'status'> &
  Partial<
    Pick<
      Item,
      'startedOn' | 'endedOn' | 'notBefore' | 'failureKind' | 'deviceId' | 'automationId' | 'batchId'
    >
  >;

/**
 * Saves the consequences of changes other than rows and wake-ups: for completions, whose single statement writes the rows, and which wake
 * nobody.
 */
export async function saveTraces(
  context: SaveContext,
  queueId: Id,
  changes: readonly Change<Traced>[],
): Promise<void> {
  if (changes.length === 0) return;
  const { db, queue } = context;
  // Another item may hold the key of one: then nothing is done.
  await changeKeys(db, queueId, queue, changes.map(keyOf));
  await Promise.all([
    writeJournal(context, queueId, { events: changes.flatMap(eventOf), items: changes }),
    endRuns(context, queueId, idsOf(changes.filter(endsRun))),
  ]);
}

function rowOf({ after, actorId }: Change) {
  if (!after) return [];
  const errorSignature = after.status === 'FAILED' ? signatureOf(after.error) : undefined;
  return [{ ...after, errorSignature, updatedBy: actorId }];
}

function idsOf(changes: readonly Change<Traced>[]): Id[] {
  return changes.flatMap(({ before, after }) => (before ?? after)?.id ?? []);
}

function keyOf({ before, after, record }: Change<Traced>) {
  return { id: (before ?? after)?.id ?? 0, from: before?.status, to: after?.status, record };
}

/** Whether a device ran the item, and no longer does. */
function endsRun({ before, after }: Change<Traced>): boolean {
  const wasOnDevice = before?.status === 'IN_PROGRESS' && before.automationId !== undefined;
  return wasOnDevice && after?.status !== 'IN_PROGRESS';
}

/** Transitions of a held item that are not made by its holder. */
const interruptions: readonly TransitionName[] = ['cancel', 'lapse', 'exhaust', 'takeBack', 'stop', 'doubt'];

/** Wakes consumers that wait for items, and holders that have to stop. */
function wakeConcerned({ wake }: SaveContext, queueId: Id, changes: readonly Change[]): void {
  const claimable = changes.flatMap(({ after }) =>
    after?.status === 'NEW' && !after.notBefore ? [{ sortKey: after.sortKey, id: after.id }] : [],
  );
  if (claimable.length > 0) wake(queueId, claimable);
  for (const { before, transition } of changes) {
    if (before?.claimedBy === undefined || !interruptions.includes(transition)) continue;
    wake(holderWakeUp(before.claimedBy));
  }
}

function eventOf({ before, after, transition, ...change }: Change<Traced>): Event[] {
  const { operation, actorId, reason, cameFrom, batchId } = change;
  const id = (before ?? after)?.id;
  if (operation === undefined) return [];
  const changes = { ...(before && after && transitionChanges(before, after, transition)), ...change.changes };
  const event: Event = {
    itemId: id,
    operation,
    actorId,
    deviceId: before?.status === 'IN_PROGRESS' ? before.deviceId : undefined,
    from: before?.status,
    to: after?.status,
    reason,
    changes: Object.keys(changes).length > 0 ? changes : undefined,
    cameFrom,
    batchId,
  };
  return [event];
}

const answers: Partial<Record<TransitionName, string>> = {
  resolveDone: 'DONE',
  resolveNotDone: 'NOT_DONE',
  resolvePartly: 'PARTLY',
};

/** Details that the statuses do not show: the end of an attempt (attempts are read from the events), and the new kind of a failure. */
function transitionChanges(before: Traced, after: Traced, transition: TransitionName): object {
  const isEnd = before.status === 'IN_PROGRESS' && after.status !== 'IN_PROGRESS' && transition !== 'finish';
  const isOtherFailure = after.failureKind !== undefined && after.failureKind !== before.failureKind;
  const isEndOfWait =
    before.status === 'NEW' && after.status === 'NEW' && before.notBefore && !after.notBefore;
  const answer = answers[transition];
  return {
    ...(isEnd && { transition }),
    ...(answer && { answer }),
    ...(isOtherFailure && { failureKind: after.failureKind }),
    ...(isEndOfWait && { notBefore: null }),
  };
}

// Rows to be updated are found first, by an array of ids or each by its own lookup (`offset 0`), and then joined by their place in the
// table (`ctid`). Joined by id, with statistics from an idle hour, the planner would scan all items of the queue once for each id
// (docs/decisions/0002). For the same reason a status is compared on locked rows only.

const outOfStep = {
  code: 'STATUS_CONFLICT',
  message: 'This does not go with the state that the item is in. Read it again, then repeat the change.',
} as const;

registerConstraints({
  work_items_lease: outOfStep,
  work_items_outcome: outOfStep,
  work_items_point_of_no_return: outOfStep,
  work_items_cancellation: outOfStep,
});

/** Writes back locked items as changed by rules. */
async function saveItems(db: Db, queueId: Id, items: readonly (Item & { updatedBy: Id })[], now: Date) {
  for await (const list of jsonLists(items, asRow)) await db.write(savingItems(queueId, list, now));
}

function savingItems(queueId: Id, items: string, now: Date) {
  const statement = sql`
    with n as materialized (
      select found.place, changed.* from json_to_recordset(${items}::json) as changed (id bigint,
        status text, version int, priority smallint, "sortKey" bytea, "retryCount" smallint, "lapseCount" smallint,
        "notBefore" timestamptz, "expiresOn" timestamptz, "leaseExpiresOn" timestamptz, "pointOfNoReturnOn" timestamptz,
        "cancelRequestedOn" timestamptz, "cancelRequestedBy" bigint, "cancelReason" text,
        "startedOn" timestamptz, "endedOn" timestamptz, result text, "resultText" text, tags text[], "failureKind" text, "reportedBy" bigint, "reportedVersion" int, "reportedStatus" text,
        progress json, output json, comment text, error text, "errorSignature" text, "remedyId" bigint, "updatedBy" bigint)
      cross join lateral (
        select ctid as place from work_items w where w.queue_id = ${queueId} and w.id = changed.id offset 0) found)
    update work_items i set status = n.status, version = n.version, priority = n.priority, sort_key = n."sortKey",
      retry_count = n."retryCount", lapse_count = n."lapseCount", not_before = n."notBefore", expires_on = n."expiresOn",
      lease_expires_on = n."leaseExpiresOn", point_of_no_return_on = n."pointOfNoReturnOn",
      cancel_requested_on = n."cancelRequestedOn", cancel_requested_by = n."cancelRequestedBy",
      cancel_reason = n."cancelReason", started_on = n."startedOn", ended_on = n."endedOn", result = n.result,
      result_text = n."resultText", tags = n.tags, failure_kind = n."failureKind",
      reported_by = n."reportedBy", reported_version = n."reportedVersion", reported_status = n."reportedStatus",
      progress = n.progress, output = coalesce(n.output, i.output), comment = n.comment, error = n.error,
      error_signature = n."errorSignature", remedy_id = n."remedyId", updated_by = n."updatedBy", updated_on = ${now}
    from n where i.ctid = n.place`;
  return named('saveItems', statement);
}

/** Deletes items with their data; their timelines stay. */
async function deleteItems(db: Db, queueId: Id, ids: readonly Id[]): Promise<void> {
  if (ids.length === 0) return;
  const ofItems = sql`queue_id = ${queueId} and item_id = any(${ids}::bigint[])`;
  await db.rows(sql`delete from work_item_data where ${ofItems}`);
  await db.rows(sql`delete from work_item_logs where ${ofItems}`);
  await db.rows(sql`delete from work_items where queue_id = ${queueId} and id = any(${ids}::bigint[])`);
  // Afterwards: a reordering that stores values again holds the items until it ends.
  await deleteValues(db, queueId, ids);
}
