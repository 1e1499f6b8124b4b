import type { Id } from '@millrace/api';
import { hex, join, named, raw, sql, type Db, type Sql } from '../../engine/db.ts';
import { jsonLists } from '../../engine/json/write.ts';
import type { Attribute, QueueDefinition } from '../../engine/operation.ts';
import { isMarked, maskText } from '../../records/sensitive.rules.ts';
import { attributeText, recordBytes, recordText } from '../../records/stored.ts';
import type { Item } from './rules.ts';

// Lists are sent as JSON texts: these are written natively at once, while an array of texts would be escaped element by element.
/** A row in the JSON form for statements. */
export const asRow = (row: object) =>
  'sortKey' in row ? { ...row, sortKey: hex(row.sortKey as Buffer) } : row;

/** An item in the form for rules. Its output may be large, and no rule reads it. */
export const itemState =
  raw(`id, status, version, coalesce(model_version, 0) as "modelVersion", priority, sort_key as "sortKey", retry_count as "retryCount", lapse_count as "lapseCount",
  not_before as "notBefore", expires_on as "expiresOn", claimed_by as "claimedBy", device_id as "deviceId",
  automation_id as "automationId", lease_expires_on as "leaseExpiresOn", lease_seconds as "leaseSeconds",
  point_of_no_return_on as "pointOfNoReturnOn", cancel_requested_on as "cancelRequestedOn", cancel_requested_by as "cancelRequestedBy", cancel_reason as "cancelReason",
  case when cancel_requested_by is not null then (select u.username from users u where u.id = cancel_requested_by) end
    as canceller,
  started_on as "startedOn", ended_on as "endedOn", result, result_text as "resultText",
  failure_kind as "failureKind", reported_by as "reportedBy", reported_version as "reportedVersion",
  reported_status as "reportedStatus", tags, batch_id as "batchId", remedy_id as "remedyId", progress, comment, error`);

/** Locks items, always in the order of their ids so that two transactions never wait for each other. */
export function lockItems(db: Db, queueId: Id, ids: readonly Id[]): Promise<Item[]> {
  const statement = sql`
    select ${itemState} from work_items where queue_id = ${queueId} and id = any(${ids}::bigint[])
    order by id for no key update`;
  return db.rows<Item>(named('lockItems', statement));
}

// The members of an item that are not columns, by their names in the contract; `i` is the item, `d` its data.
const itemMembers: Readonly<Record<string, string>> = {
  id: 'i.id',
  queueId: 'i.queue_id',
  json: 'd.json',
  modelVersion: 'coalesce(i.model_version, 0)',
  status: 'i.status',
  result: 'i.result',
  version: 'i.version',
  priority: 'i.priority',
  retryCount: 'i.retry_count',
  lapseCount: 'i.lapse_count',
  deviceId: 'i.device_id',
  startTime: 'i.started_on',
  endTime: 'i.ended_on',
  automationId: 'i.automation_id::text',
  deviceUserId: 'i.run_as_user_id',
  resultText: 'i.result_text',
  tags: 'i.tags',
  batchId: 'i.batch_id',
  comment: 'i.comment',
  error: 'i.error',
  errorSignature: 'i.error_signature',
  output: 'i.output',
  progress: 'i.progress',
  failureKind: 'i.failure_kind',
  leaseExpiresOn: 'i.lease_expires_on',
  expiresOn: 'i.expires_on',
  pointOfNoReturnOn: 'i.point_of_no_return_on',
  cancelRequestedOn: 'i.cancel_requested_on',
  cancelRequestedBy: 'i.cancel_requested_by',
  cancelReason: 'i.cancel_reason',
  deferredUntil: "case when i.status = 'DEFERRED' then i.not_before end",
  notBefore: "case when i.status = 'NEW' then i.not_before end",
  createdBy: 'i.created_by',
  createdOn: 'i.created_on',
  updatedBy: 'i.updated_by',
  updatedOn: 'i.updated_on',
};

/** The columns of an item under their names in the contract, or only some of them; `i` is the item, `d` its data. */
export function itemColumns(
  { displayColumns, attributes }: Pick<QueueDefinition, 'displayColumns' | 'attributes'>,
  only?: ReadonlySet<string>,
): Sql {
  const isAsked = (name: string) => only === undefined || only.has(name);
  const members = Object.entries(itemMembers).map(([name, column]) => ({ name, column: raw(column) }));
  const columns = displayColumns.map((attribute, index) => ({
    name: `col${index + 1}`,
    column: columnShown(attributes, attribute),
  }));
  const asked = [...members, ...columns].filter(({ name }) => isAsked(name));
  return join(asked.map(({ name, column }) => sql`${column} as ${raw(`"${name}"`)}`));
}

/** The value of an attribute as shown in a column. */
function columnShown(attributes: readonly Attribute[], name: string): Sql {
  const attribute = attributes.find((one) => one.name === name);
  if (!attribute || !isMarked(attribute)) return attributeText(attributes, name);
  return sql`(case when ${recordText(attribute)} is not null then ${raw(`'${maskText}'`)} end)`;
}

// The bytes of an item besides its long members.
const restBytes = 500;

/**
 * The approximate bytes of an answer for an item `i` with its data `d`, or for some of its members; display columns repeat parts of the
 * data.
 */
export function itemBytes(
  { displayColumns }: Pick<QueueDefinition, 'displayColumns'>,
  only?: ReadonlySet<string>,
): Sql {
  const isAsked = (name: string) => only === undefined || only.has(name);
  const hasColumns = displayColumns.some((_, index) => isAsked(`col${index + 1}`));
  const long = [
    ...(isAsked('json') ? [recordBytes] : []),
    ...(hasColumns ? [recordBytes] : []),
    ...(isAsked('output') ? [sql`coalesce(octet_length(i.output::text), 0)`] : []),
    ...(isAsked('error') ? [sql`coalesce(octet_length(i.error), 0)`] : []),
    ...(isAsked('comment') ? [sql`coalesce(octet_length(i.comment), 0)`] : []),
  ];
  return join([...long, raw(String(restBytes))], ' + ');
}

/** The items as they are, without locks. */
export function readItems(db: Db, queueId: Id, ids: readonly Id[]): Promise<Item[]> {
  const statement = sql`
    select ${itemState} from work_items where queue_id = ${queueId} and id = any(${ids}::bigint[]) order by id`;
  return db.rows<Item>(named('readItems', statement));
}

/** Extends leases on locked items. Neither version nor time of change is touched: the item counts as unchanged. */
export async function saveLeases(db: Db, queueId: Id, items: readonly Item[]): Promise<void> {
  const leases = items.map(({ id, leaseExpiresOn, leaseSeconds, progress, pointOfNoReturnOn }) => {
    return { id, leaseExpiresOn, leaseSeconds, progress, pointOfNoReturnOn };
  });
  for await (const list of jsonLists(leases)) await db.write(savingLeases(queueId, list));
}

function savingLeases(queueId: Id, leases: string) {
  const statement = sql`
    with lease as materialized (
      select found.place, l.* from json_to_recordset(${leases}::json)
        as l (id bigint, "leaseExpiresOn" timestamptz, "leaseSeconds" real, progress json, "pointOfNoReturnOn" timestamptz)
      cross join lateral (
        select ctid as place from work_items w where w.queue_id = ${queueId} and w.id = l.id offset 0) found)
    update work_items i set lease_expires_on = lease."leaseExpiresOn",
      lease_seconds = lease."leaseSeconds", progress = lease.progress,
      point_of_no_return_on = lease."pointOfNoReturnOn"
    from lease where i.ctid = lease.place`;
  return named('saveLeases', statement);
}

/** An item, and the newest output of its bot, if there is any. */
interface LogTail {
  readonly id: Id;
  readonly logTail?: string | undefined;
}

/** Replaces the newest output of bots for their items; of several for one item, the last is kept. */
export async function saveLogTails(db: Db, queueId: Id, logs: readonly LogTail[], now: Date): Promise<void> {
  const tails = new Map(logs.filter(({ logTail }) => logTail !== undefined).map((log) => [log.id, log]));
  // In the order of the ids, so that two transactions never wait for each other.
  const list = [...tails.values()].toSorted((one, other) => (one.id < other.id ? -1 : 1));
  for await (const some of jsonLists(list, ({ id, logTail }) => ({ id, tail: logTail })))
    await db.write(savingLogTails(queueId, some, now));
}

function savingLogTails(queueId: Id, tails: string, now: Date) {
  const statement = sql`
    insert into work_item_logs (queue_id, item_id, tail, updated_on)
    select ${queueId}, l.id, l.tail, ${now}
    from json_to_recordset(${tails}::json) as l (id bigint, tail text) order by l.id
    on conflict (queue_id, item_id) do update set tail = excluded.tail, updated_on = excluded.updated_on`;
  return named('saveLogTails', statement);
}

/** The number of items of a queue that a job takes at once; small enough to hold nobody up. */
export const portion = 500;
