import { stringifyJson, type Id, type Schemas } from '@millrace/api';
import { empty, join, named, raw, sql, type Db, type Sql } from '../db.ts';
import type { Field, ListQuery } from '../lists.ts';
import type { Attribute } from '../models/rules.ts';
import type { Actor } from '../operation.ts';
import { changedBy, pauseBy, type Author } from './pause.sql.ts';
import { lookedAtAnew } from './rekey.sql.ts';
import type { QueueDefinition } from './rules.ts';
import { queuesOf } from './visible.sql.ts';
import type { QueueSettings } from './settings/settings.ts';

/** How a transaction holds the queue of its operation. */
export type Hold = keyof typeof lockByHold;

// Who needs more than it has waits for those who hold less, and two such wait for each other: whoever may change the
// queue says so from the start.
const lockByHold = {
  none: empty,
  /** Nobody deletes it, nor changes what its items carry with them. */
  kept: raw('for key share of q'),
  /** The same, but there is none while somebody keeps all out who write its items. */
  keptAtOnce: raw('for key share of q skip locked'),
  /** Nobody else changes it or its members; items go on. */
  changed: raw('for no key update of q'),
} as const;

/** The queue as operations on its items need it. */
export function selectQueueDefinition(db: Db, queueId: Id, hold: Hold): Promise<QueueDefinition | undefined> {
  const statement = sql`
    select q.id, q.tenant_id as "tenantId", q.model_id as "modelId", q.name, q.status,
      q.archived_on is not null as archived, q.disallow_duplicate as "disallowDuplicate",
      q.unique_by as "uniqueBy", q.duplicate_scope as "duplicateScope",
      q.auto_retry_limit as "autoRetryLimit", q.lapse_limit as "lapseLimit", q.processing_orders as "processingOrders",
      q.display_columns as "displayColumns", q.expiry, q.retry_back_off as "retryBackOff", q.attributes,
      q.model_version as "modelVersion", q.names_since as "namesSince"
    from queues q where q.id = ${queueId} ${lockByHold[hold]}`;
  return db.row<QueueDefinition>(named(`selectQueueDefinition ${hold}`, statement));
}

// Inside JSON, a time as the driver would hand it on.
const instant = (column: string) => `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

const pause = `case when q.paused_on is not null then json_strip_nulls(json_build_object('by', q.paused_by,
    'byName', (select u.username from users u where u.id = q.paused_by), 'on', ${instant('q.paused_on')},
    'reason', q.pause_reason, 'until', ${instant('q.paused_until')})) end`;

/** The members of a queue as the contract names them. */
const queueColumns =
  raw(`q.id, q.name, q.description, q.status, ${pause} as pause, q.archived_on is not null as archived,
  nullif(q.rekey_after is not null, false) as rekeying, q.model_id as "workItemModelId",
  q.reactivation_threshold as "reactivationThreshold", q.reactivation_unit as "reactivationUnit",
  q.manual_processing_time as "manualProcessingTime", q.manual_processing_time_unit as "manualProcessingTimeUnit",
  q.disallow_duplicate as "disallowDuplicate", q.unique_by as "uniqueBy", q.duplicate_scope as "duplicateScope",
  q.auto_retry_limit as "autoRetryLimit", q.lapse_limit as "lapseLimit",
  q.processing_orders as "workItemProcessingOrders", q.display_columns as "displayColumns", q.expiry,
  q.retry_back_off as "retryBackOff", q.version,
  q.created_by as "createdBy", q.created_on as "createdOn", q.updated_by as "updatedBy", q.updated_on as "updatedOn"`);

/** What queues can be filtered and sorted by. */
export const queueFields: Record<string, Field> = {
  id: { column: raw('q.id'), type: 'id' },
  name: { column: raw('q.name'), type: 'text' },
  status: { column: raw('q.status'), type: ['ACTIVE', 'INACTIVE'] },
  archived: { column: raw('(q.archived_on is not null)'), type: 'boolean' },
  workItemModelId: { column: raw('q.model_id'), type: 'id' },
  createdOn: { column: raw('q.created_on'), type: 'time' },
  updatedOn: { column: raw('q.updated_on'), type: 'time' },
};

export const queueId: Sql = raw('q.id');

/** A queue as stored: everything the contract shows, of which the settings are always there. */
export type StoredQueue = QueueSettings &
  Required<Pick<Schemas['Queue'], 'id' | 'workItemModelId' | 'version' | 'archived'>> &
  Pick<Schemas['Queue'], 'pause'>;

export async function insertQueue(
  db: Db,
  { tenantId, model }: { tenantId: Id; model: { id: Id; version: number; attributes: readonly Attribute[] } },
  settings: QueueSettings,
  { actorId, now }: Author,
): Promise<Id> {
  const isPaused = settings.status === 'INACTIVE';
  const [queue] = await db.rows<{ id: Id }>(sql`
    insert into queues (tenant_id, model_id, name, description, status, reactivation_threshold, reactivation_unit,
      manual_processing_time, manual_processing_time_unit, disallow_duplicate, unique_by, duplicate_scope,
      auto_retry_limit, lapse_limit, processing_orders, display_columns, expiry, retry_back_off, model_version, attributes, paused_by, paused_on, created_by, created_on, updated_by, updated_on)
    values (${tenantId}, ${model.id}, ${join(valuesOf(settings))}, ${model.version}, ${stringifyJson(model.attributes)}, ${isPaused ? actorId : null},
      ${isPaused ? now : null}, ${actorId}, ${now}, ${actorId}, ${now})
    returning id`);
  return (queue as { id: Id }).id;
}

/** How a queue is changed, and whether its items have to follow. */
export interface QueueChange {
  readonly settings: QueueSettings;
  readonly isRekeying: boolean;
  readonly renewsExpiry: boolean;
}

/**
 * Changes the settings of a queue, one version up, in a single statement: between two, somebody could come to wait for the
 * first whom the second has to wait for.
 */
export async function updateQueueSettings(db: Db, id: Id, change: QueueChange, author: Author) {
  const { settings, isRekeying } = change;
  const rekeying = isRekeying ? sql`, ${lookedAtAnew(change)}` : empty;
  await db.rows(sql`
    update queues set (name, description, status, reactivation_threshold, reactivation_unit, manual_processing_time,
        manual_processing_time_unit, disallow_duplicate, unique_by, duplicate_scope, auto_retry_limit, lapse_limit,
        processing_orders, display_columns, expiry, retry_back_off)
      = (${join(valuesOf(settings))}), ${pauseBy(settings.status, author)}, ${changedBy(author)} ${rekeying}
    where id = ${id}`);
}

/** In the order in which the statements above name their columns. */
function valuesOf(settings: QueueSettings): unknown[] {
  const { expiry, retryBackOff } = settings;
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
    expiry ? stringifyJson(expiry) : null,
    retryBackOff ? stringifyJson(retryBackOff) : null,
  ];
}

export function selectQueue(db: Db, id: Id): Promise<StoredQueue | undefined> {
  return db.row(sql`select ${queueColumns} from queues q where q.id = ${id}`);
}

export async function selectLapseLimit(db: Db, id: Id): Promise<number | undefined> {
  const row = await db.row<{ lapseLimit: number }>(sql`
    select lapse_limit as "lapseLimit" from queues where id = ${id}`);
  return row?.lapseLimit;
}

/** Waits until nobody writes items of the queue, and keeps it so until the transaction ends. */
export async function lockOutWriters(db: Db, id: Id): Promise<void> {
  await db.rows(sql`select from queues where id = ${id} for update`);
}

/** Items by what may still become of them, from the tallies: the queue may hold very many that are done. */
export async function countOpenItems(db: Db, id: Id): Promise<{ waiting: number; open: number }> {
  const row = await db.row<{ waiting: number; open: number }>(sql`
    select coalesce(sum(new), 0)::bigint as waiting, coalesce(sum(new + in_progress + deferred), 0)::bigint as open
    from queue_tallies where queue_id = ${id}`);
  return row ?? { waiting: 0, open: 0 };
}

/** Deletes a queue that holds no items, with all that belongs to it; what happened in it stays on record. */
export async function deleteQueueRow(db: Db, id: Id): Promise<void> {
  await db.rows(sql`
    with t as (delete from queue_tallies where queue_id = ${id}),
      h as (delete from work_item_hashes where queue_id = ${id})
    delete from queues where id = ${id}`);
}

/** Which queues a list is about; those in the archive only where it asks for them. */
export const queueShelves = { current: raw('q.archived_on is null'), all: raw('true') };

/** The queues that a user may see: where the user is member or has a consumer role, or all of the tenant. */
function scopeOf({ id, tenantId, permissions }: Pick<Actor, 'id' | 'tenantId' | 'permissions'>): Sql {
  if (permissions.has('manageAllQueues')) return sql`q.tenant_id = ${tenantId}`;
  return sql`q.tenant_id = ${tenantId} and q.id in (${queuesOf(id)})`;
}

/** Queues that the user may see: all on the shelf, and those of them that match a condition. */
export async function countQueues(
  db: Db,
  actor: Actor,
  { where, shelf }: { where: Sql; shelf: Sql },
): Promise<{ total: number; totalFilter: number }> {
  const [counts] = await db.rows<{ total: number; totalFilter: number }>(sql`
    select count(*) as total, count(*) filter (where ${where}) as "totalFilter"
    from queues q where ${scopeOf(actor)} and ${shelf}`);
  return counts ?? { total: 0, totalFilter: 0 };
}

export function selectQueues(
  db: Db,
  actor: Actor,
  query: ListQuery & { shelf: Sql },
): Promise<Schemas['Queue'][]> {
  const { where, shelf, orderBy, limit, offset } = query;
  return db.rows(sql`
    select ${queueColumns} from queues q
    where ${scopeOf(actor)} and ${shelf} and ${where} order by ${orderBy} limit ${limit} offset ${offset}`);
}
