import type { Id, Schemas } from '@millrace/api';
import { empty, named, raw, sql, type Db, type Reader, type Sql } from '../engine/db.ts';
import type { Author, QueueDefinition } from '../engine/operation.ts';
import type { Vault } from '../engine/vault.ts';
import { hasSensitive } from '../records/sealed.ts';
import type { QueueSettings } from './settings.ts';

/** The lock of a transaction on the queue of its operation. */
export type Hold = keyof typeof lockByHold;

// Two transactions that both have a weaker lock than they need wait for each other: an operation that may change the queue takes the
// stronger one from the start.
const lockByHold = {
  none: empty,
  /** It cannot be deleted, and the data that its items carry for it do not change. */
  kept: raw('for key share of q'),
  /** The same, but no row is found while a change locks out all writers of its items. */
  keptAtOnce: raw('for key share of q skip locked'),
  /** Nobody else changes it or its members; work on items goes on. */
  changed: raw('for no key update of q'),
} as const;

/**
 * The queue for operations on its items.
 * @param where with the vault, unless values of items do not matter
 */
export async function selectQueueDefinition(
  { db, vault }: { readonly db: Reader; readonly vault: Vault | undefined },
  queueId: Id,
  hold: Hold,
): Promise<QueueDefinition | undefined> {
  const statement = sql`
    select q.id, q.tenant_id as "tenantId", q.model_id as "modelId", q.name, q.status,
      q.archived_on is not null as archived, q.disallow_duplicate as "disallowDuplicate",
      q.unique_by as "uniqueBy", q.duplicate_scope as "duplicateScope",
      q.auto_retry_limit as "autoRetryLimit", q.lapse_limit as "lapseLimit", q.processing_orders as "processingOrders",
      q.display_columns as "displayColumns", q.indexed_columns as "indexedColumns",
      q.searched_attributes as "searchedAttributes", q.expiry,
      q.retry_back_off as "retryBackOff", q.intake_format as "intakeFormat", q.attributes,
      q.model_version as "modelVersion", q.names_since as "namesSince"
    from queues q where q.id = ${queueId} ${lockByHold[hold]}`;
  const queue = await db.row<QueueDefinition>(named(`selectQueueDefinition ${hold}`, statement));
  if (!queue || !vault || !hasSensitive(queue)) return queue;
  return { ...queue, sealer: await vault.sealerOf(db, queue.tenantId) };
}

// A time inside JSON, in the same form as from the driver.
const instant = (column: string) => `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

const pause = `case when q.paused_on is not null then json_strip_nulls(json_build_object('by', q.paused_by,
    'byName', (select u.username from users u where u.id = q.paused_by), 'on', ${instant('q.paused_on')},
    'reason', q.pause_reason, 'until', ${instant('q.paused_until')})) end`;

const ownerNames = `array(select u.username from queue_members o join users u on u.id = o.user_id
    where o.queue_id = q.id and o.role = 'OWNER' order by u.username limit 10)`;

/** The members of a queue as the contract names them. */
export const queueColumns =
  raw(`q.id, q.name, q.description, q.status, ${pause} as pause, ${ownerNames} as "ownerNames", q.archived_on is not null as archived,
  nullif(q.rekey_after is not null, false) as rekeying, q.model_id as "workItemModelId",
  q.reactivation_threshold as "reactivationThreshold", q.reactivation_unit as "reactivationUnit",
  q.manual_processing_time as "manualProcessingTime", q.manual_processing_time_unit as "manualProcessingTimeUnit",
  q.disallow_duplicate as "disallowDuplicate", q.unique_by as "uniqueBy", q.duplicate_scope as "duplicateScope",
  q.auto_retry_limit as "autoRetryLimit", q.lapse_limit as "lapseLimit",
  q.processing_orders as "workItemProcessingOrders", q.display_columns as "displayColumns",
  q.indexed_columns as "indexedColumns", q.searched_attributes as "searchedAttributes", q.expiry,
  q.retry_back_off as "retryBackOff", q.intake_format as "intakeFormat", q.version,
  q.created_by as "createdBy", q.created_on as "createdOn", q.updated_by as "updatedBy", q.updated_on as "updatedOn"`);

/** A queue as stored: everything in the contract; the settings are always there. */
export type StoredQueue = QueueSettings &
  Required<Pick<Schemas['Queue'], 'id' | 'workItemModelId' | 'version' | 'archived'>> &
  Pick<Schemas['Queue'], 'pause' | 'ownerNames'>;

/** Waits until nobody writes items of the queue, and keeps writers out until the transaction ends. */
export async function lockOutWriters(db: Db, id: Id): Promise<void> {
  await db.rows(sql`select from queues where id = ${id} for update`);
}

/** The columns set by every change of a queue. */
export const changedBy = ({ actorId, now }: Author): Sql =>
  sql`version = version + 1, updated_by = ${actorId}, updated_on = ${now}`;

export const noPause = raw('paused_by = null, paused_on = null, pause_reason = null, paused_until = null');

/** The reason and the end of a pause. */
export interface Pause {
  readonly reason?: string | undefined;
  readonly until?: Date | undefined;
}

export const pausedNow = ({ reason, until }: Pause, { actorId, now }: Author) => sql`
  paused_by = ${actorId}, paused_on = ${now}, pause_reason = ${reason ?? null}, paused_until = ${until ?? null}`;

/** The columns of an update of a queue that has its items reordered from the first on; optionally their expiry is renewed as well. */
export const reordered = ({ renewsExpiry }: { readonly renewsExpiry: boolean }): Sql => sql`
  rekey_after = 0, rekey_horizon = null, rekey_until = null, renews_expiry = renews_expiry or ${renewsExpiry}`;
