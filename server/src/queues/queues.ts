import { stringifyJson, type Id, type Schemas } from '@millrace/api';
import { makeOwner } from '../access/members/members.ts';
import { withMemberships } from '../access/members/membership.ts';
import { comparedItems, replaceAll } from '../duplicates/compare.ts';
import { empty, join, raw, sql, type Db, type Sql } from '../engine/db.ts';
import { Refusal, registerConstraints } from '../engine/errors.ts';
import { hasTrigrams } from '../engine/migrate.ts';
import {
  authorOf,
  type Attribute,
  type Author,
  type Context,
  type PlainOperation,
  type QueueContext,
  type QueueOperation,
} from '../engine/operation.ts';
import { refuseExcess, refuseLookalike, type Kind } from '../engine/quotas.ts';
import { changedMembers, recordOfQueue, recordOfQueueAccess } from '../journal/journal.ts';
import { findModel } from '../records/model.ts';
import { answerQueue, readQueue } from './find.ts';
import { wakeConsumers } from './pause.ts';
import { changedSettings, comparesAnew, isReordered, newSettings, type QueueSettings } from './settings.ts';
import { changedBy, lockOutWriters, reordered, noPause, queueColumns, type StoredQueue } from './sql.ts';
import { pageOfQueues } from './visible.ts';

export const createQueue: PlainOperation<'createQueue'> = async (context, { body }) => {
  const { db, actor, now } = context;
  const modelId = body.workItemModelId;
  const model = await findModel(context, modelId);
  if (!model) throw noModel(`names no work item model: there is none with the id ${modelId}`);
  if (model.archived)
    throw noModel(`names model ${modelId}, which is archived: restore it first, or choose another`);
  const settings = newSettings(body, { attributes: model.attributes, now });
  await refuseUnsearchable(db, [], settings.searchedAttributes);
  const origin = { tenantId: actor.tenantId, model };
  const id = await insertQueue(db, origin, settings, authorOf(context));
  await refuseExcess(db, queuesOfTenant(actor.tenantId));
  await refuseNamesake(context, settings.name);
  await makeOwner(context, id);
  const changes = { name: settings.name, workItemModelId: modelId };
  await recordOfQueueAccess(context, id, { operation: 'createQueue', changes });
  return answerQueue(context, id);
};

const queuesOfTenant = (tenantId: Id): Kind => ({
  things: 'queues in this tenant, archived ones among them',
  rows: sql`queues where tenant_id = ${tenantId}`,
  quota: 10_000,
  wayOut: 'Delete those that nobody needs first.',
});

function refuseNamesake({ db, actor }: Pick<Context, 'db' | 'actor'>, name: string): Promise<void> {
  return refuseLookalike(db, queuesOfTenant(actor.tenantId).rows, raw('name'), name);
}

/** @throws Refusal INVALID_REQUEST when attributes are to be searched by an index that the database cannot make */
async function refuseUnsearchable(db: Db, before: readonly string[], after: readonly string[]) {
  const isMore = after.some((name) => !before.includes(name));
  if (!isMore || (await hasTrigrams(db))) return;
  const field = 'searchedAttributes';
  const message = 'needs the extensions pg_trgm and btree_gin, which the database lacks';
  const remedy = 'Have its owner create them there, and start the server again.';
  throw new Refusal('INVALID_REQUEST', `${field} ${message}. ${remedy}`, { details: [{ field, message }] });
}

function noModel(message: string): Refusal {
  const field = 'workItemModelId';
  const remedy = 'POST /v4/wlm/workitemmodels/list lists all.';
  return new Refusal('INVALID_REQUEST', `${field} ${message}. ${remedy}`, { details: [{ field, message }] });
}

export const getQueue: QueueOperation<'getQueue'> = async (context) => answerQueue(context, context.queue.id);

export const listQueues: PlainOperation<'listQueues'> = async (context, { body }) => {
  const { page, list } = await pageOfQueues<StoredQueue>(context, body, queueColumns);
  return { page, list: await withMemberships(context, list) };
};

/** Members whose change may let consumers begin waiting items. */
const startMembers = ['status', 'reactivationThreshold', 'reactivationUnit'];

export const updateQueue: QueueOperation<'updateQueue'> = async (context, { body }) => {
  const { db, queue, now } = context;
  const current = await readQueue(context, queue.id);
  refuseOtherQueue(current, body);
  const settings = changedSettings(current, body, { attributes: queue.attributes, now });
  await refuseUnsearchable(db, current.searchedAttributes, settings.searchedAttributes);
  const isCompared = comparesAnew(current, settings);
  if (isCompared) await compareAnew(context, settings);
  const renewsExpiry = changesExpiry(current, settings);
  const isReordering = renewsExpiry || isReordered(current, settings);
  const change = { settings, isReordering, renewsExpiry };
  await updateQueueSettings(db, queue.id, change, authorOf(context));
  const changes = changedMembers(withNone(current), withNone(settings));
  if ('name' in changes) await refuseNamesake(context, settings.name);
  await recordOfQueue(context, queue.id, { operation: 'updateQueue', changes });
  // While items were compared, devices that asked got none.
  const mayStart = isCompared || startMembers.some((member) => member in changes);
  if (settings.status === 'ACTIVE' && mayStart) await wakeConsumers(context, queue.id);
  return answerQueue(context, queue.id);
};

const none = { type: 'NONE' };

/** Settings with the value NONE in place of a missing expiry, back-off or format, as in a change that removes them. */
function withNone(settings: QueueSettings): QueueSettings {
  const { expiry = none, retryBackOff = none, intakeFormat = {} } = settings;
  return { ...settings, expiry, retryBackOff, intakeFormat };
}

/** Whether items expire at other times: each carries its own time. */
function changesExpiry(before: QueueSettings, after: QueueSettings): boolean {
  return 'expiry' in changedMembers({ expiry: before.expiry }, { expiry: after.expiry });
}

function refuseOtherQueue(
  current: StoredQueue,
  { id, version, workItemModelId }: Schemas['QueueUpdate'],
): void {
  if (id !== undefined && id !== current.id) {
    throw new Refusal(
      'INVALID_REQUEST',
      `The body is about queue ${id}, the path about queue ${current.id}.`,
    );
  }
  if (workItemModelId !== undefined && workItemModelId !== current.workItemModelId) {
    throw new Refusal(
      'INVALID_REQUEST',
      `workItemModelId cannot change: queue ${current.id} is for items of model ${current.workItemModelId}. Create another queue.`,
    );
  }
  if (version !== current.version) {
    throw new Refusal(
      'VERSION_CONFLICT',
      `Queue ${current.id} is at version ${current.version} by now, not ${version}. Read it again, then repeat the change.`,
    );
  }
}

/** Compares the items of the queue by the coming settings, and gives each its unique key. */
async function compareAnew({ db, queue }: QueueContext, settings: QueueSettings): Promise<void> {
  const { disallowDuplicate, uniqueBy, duplicateScope } = settings;
  const wanted = { ...queue, disallowDuplicate, uniqueBy, duplicateScope };
  // First without locking writers out: a busy queue would be held up for a change that is refused after all.
  await comparedItems(db, wanted);
  await lockOutWriters(db, queue.id);
  await replaceAll(db, wanted, await comparedItems(db, wanted));
}

registerConstraints({
  queues_name_unique: {
    code: 'NAME_TAKEN',
    message: 'A queue of this name exists already. Choose another name.',
  },
});

async function insertQueue(
  db: Db,
  { tenantId, model }: { tenantId: Id; model: { id: Id; version: number; attributes: readonly Attribute[] } },
  settings: QueueSettings,
  { actorId, now }: Author,
): Promise<Id> {
  const isPaused = settings.status === 'INACTIVE';
  const [queue] = await db.rows<{ id: Id }>(sql`
    insert into queues (tenant_id, model_id, name, description, status, reactivation_threshold, reactivation_unit,
      manual_processing_time, manual_processing_time_unit, disallow_duplicate, unique_by, duplicate_scope,
      auto_retry_limit, lapse_limit, processing_orders, display_columns, indexed_columns, searched_attributes, expiry, retry_back_off, intake_format, model_version, attributes, paused_by, paused_on, created_by, created_on, updated_by, updated_on)
    values (${tenantId}, ${model.id}, ${join(valuesOf(settings))}, ${model.version}, ${stringifyJson(model.attributes)}, ${isPaused ? actorId : null},
      ${isPaused ? now : null}, ${actorId}, ${now}, ${actorId}, ${now})
    returning id`);
  return (queue as { id: Id }).id;
}

/** A change of a queue, and whether its items have to follow. */
interface QueueChange {
  readonly settings: QueueSettings;
  readonly isReordering: boolean;
  readonly renewsExpiry: boolean;
}

/**
 * Changes the settings of a queue, one version up, in a single statement: between two, another call could begin to wait for the first while
 * the second has to wait for that call.
 */
async function updateQueueSettings(db: Db, id: Id, change: QueueChange, author: Author) {
  const { settings, isReordering } = change;
  const reordering = isReordering ? sql`, ${reordered(change)}` : empty;
  await db.rows(sql`
    update queues set (name, description, status, reactivation_threshold, reactivation_unit, manual_processing_time,
        manual_processing_time_unit, disallow_duplicate, unique_by, duplicate_scope, auto_retry_limit, lapse_limit,
        processing_orders, display_columns, indexed_columns, searched_attributes, expiry, retry_back_off, intake_format)
      = (${join(valuesOf(settings))}), ${pauseBy(settings.status, author)}, ${changedBy(author)} ${reordering}
    where id = ${id}`);
}

/** In the order of the columns in the statements above. */
function valuesOf(settings: QueueSettings): unknown[] {
  const { expiry, retryBackOff, intakeFormat } = settings;
  return [
    settings.name,
    settings.description,
    settings.status,
    settings.reactivationThreshold,
    settings.reactivationUnit,
    settings.manualProcessingTime ?? null,
    settings.manualProcessingTimeUnit ?? null,
    settings.disallowDuplicate,
    settings.uniqueBy,
    settings.duplicateScope,
    settings.autoRetryLimit,
    settings.lapseLimit,
    settings.workItemProcessingOrders,
    settings.displayColumns,
    settings.indexedColumns,
    settings.searchedAttributes,
    expiry ? stringifyJson(expiry) : null,
    retryBackOff ? stringifyJson(retryBackOff) : null,
    intakeFormat ? stringifyJson(intakeFormat) : null,
  ];
}

/** The pause for a status that is set alone: a pause that already lasts keeps its reason. */
function pauseBy(status: Schemas['Queue']['status'], { actorId, now }: Author): Sql {
  if (status === 'ACTIVE') return noPause;
  return sql`paused_by = coalesce(paused_by, ${actorId}), paused_on = coalesce(paused_on, ${now}::timestamptz)`;
}
