import type { Id, Schemas } from '@millrace/api';
import { join, raw, sql, type Db, type Sql } from '../db.ts';
import type { Field, ListQuery } from '../lists.ts';
import type { AutomationSettings, Held, NamedAutomation } from './rules.ts';

const automationColumns = raw(`a.id, a.name, a.description, a.queue_id as "queueId", a.pool_id as "poolId",
  a.bot_name as "botName", a.labels, a.priority, a.weight, a.status, a.status_reason as "statusReason",
  a.status_by as "statusBy", a.status_on as "statusOn",
  array(select r.user_id from automation_run_as_users r where r.automation_id = a.id order by r.user_id)
    as "runAsUserIds",
  a.created_by as "createdBy", a.created_on as "createdOn", a.updated_by as "updatedBy", a.updated_on as "updatedOn",
  a.version`);

/** What automations can be filtered and sorted by. */
export const automationFields: Record<string, Field> = {
  id: { column: raw('a.id'), type: 'id' },
  name: { column: raw('a.name'), type: 'text' },
  queueId: { column: raw('a.queue_id'), type: 'id' },
  poolId: { column: raw('a.pool_id'), type: 'id' },
  botName: { column: raw('a.bot_name'), type: 'text' },
  priority: { column: raw('a.priority'), type: 'integer' },
  weight: { column: raw('a.weight'), type: 'integer' },
  status: { column: raw('a.status'), type: ['ACTIVE', 'PAUSED', 'STOPPED'] },
  createdOn: { column: raw('a.created_on'), type: 'time' },
  updatedOn: { column: raw('a.updated_on'), type: 'time' },
};

export const automationId: Sql = raw('a.id');

/** Which automations somebody may see: all of the tenant, or those of some queues and some pools. */
export interface AutomationScope {
  readonly tenantId: Id;
  /** The ids of the queues and of the pools; undefined for all. */
  readonly queues: Sql | undefined;
  readonly pools: Sql | undefined;
}

function inScope({ tenantId, queues, pools }: AutomationScope): Sql {
  if (!queues || !pools) return sql`a.tenant_id = ${tenantId}`;
  return sql`a.tenant_id = ${tenantId} and (a.queue_id in (${queues}) or a.pool_id in (${pools}))`;
}

export function selectAutomation(
  db: Db,
  scope: AutomationScope,
  id: Id,
): Promise<Schemas['Automation'] | undefined> {
  return db.row(sql`select ${automationColumns} from automations a where a.id = ${id} and ${inScope(scope)}`);
}

/** Automations in scope: how many, and how many of them match a condition. */
export async function countAutomations(db: Db, scope: AutomationScope, where: Sql) {
  const row = await db.row<{ total: number; totalFilter: number }>(sql`
    select count(*) as total, count(*) filter (where ${where}) as "totalFilter"
    from automations a where ${inScope(scope)}`);
  return row ?? { total: 0, totalFilter: 0 };
}

export function selectAutomations(
  db: Db,
  scope: AutomationScope,
  query: ListQuery,
): Promise<Schemas['Automation'][]> {
  const { where, orderBy, limit, offset } = query;
  return db.rows(sql`
    select ${automationColumns} from automations a
    where ${inScope(scope)} and ${where} order by ${orderBy} limit ${limit} offset ${offset}`);
}

/** Holds a queue of the tenant, so that its automations are changed one after the other. */
export async function lockQueue(db: Db, tenantId: Id, queueId: Id): Promise<void> {
  await db.rows(sql`select from queues where id = ${queueId} and tenant_id = ${tenantId} for no key update`);
}

/** The ACTIVE automation of a queue, if it is another than this one. */
export function selectActive(
  db: Db,
  queueId: Id,
  other: Id | undefined,
): Promise<NamedAutomation | undefined> {
  return db.row(sql`
    select a.id, a.name from automations a
    where a.queue_id = ${queueId} and a.status = 'ACTIVE' and a.id is distinct from ${other}::bigint`);
}

/** Which of these ids are users of the tenant. */
export async function selectUserIds(db: Db, tenantId: Id, ids: readonly Id[]): Promise<Id[]> {
  const rows = await db.rows<{ id: Id }>(
    sql`select id from users where tenant_id = ${tenantId} and id = any(${ids}::bigint[])`,
  );
  return rows.map(({ id }) => id);
}

/** Who writes, and when. */
export interface Author {
  readonly actorId: Id;
  readonly now: Date;
}

/** Stores an automation without its run-as users; answers its id. */
export async function insertAutomation(
  db: Db,
  tenantId: Id,
  settings: AutomationSettings & Held,
  { actorId, now }: Author,
): Promise<Id> {
  const [row] = await db.rows<{ id: Id }>(sql`
    insert into automations (tenant_id, name, description, queue_id, pool_id, bot_name, labels, priority, weight, status,
      status_reason, status_by, status_on, created_by, created_on, updated_by, updated_on)
    values (${tenantId}, ${join(valuesOf(settings))}, ${actorId}, ${now}, ${actorId}, ${now})
    returning id`);
  return (row as { id: Id }).id;
}

/** Changes an automation without its run-as users, one version up. */
export async function updateAutomationSettings(
  db: Db,
  id: Id,
  settings: AutomationSettings & Held,
  { actorId, now }: Author,
): Promise<void> {
  await db.rows(sql`
    update automations set (name, description, queue_id, pool_id, bot_name, labels, priority, weight, status,
        status_reason, status_by, status_on) = (${join(valuesOf(settings))}), version = version + 1,
      updated_by = ${actorId}, updated_on = ${now}
    where id = ${id}`);
}

/** In the order in which the statements above name their columns. */
function valuesOf(settings: AutomationSettings & Held): unknown[] {
  return [
    settings.name,
    settings.description,
    settings.queueId,
    settings.poolId,
    settings.botName,
    settings.labels,
    settings.priority,
    settings.weight,
    settings.status,
    settings.statusReason ?? null,
    settings.statusBy ?? null,
    settings.statusOn ?? null,
  ];
}

/** Holds an automation against grants of its items. They hold the pool before it, and so does this. */
export async function lockOutGrants(db: Db, { id, poolId }: { id: Id; poolId: Id }): Promise<void> {
  await db.rows(sql`select from pools where id = ${poolId} for no key update`);
  await db.rows(sql`select from automations where id = ${id} for update`);
}

/** Items in progress by an automation. */
export async function countRuns(db: Db, id: Id): Promise<number> {
  const row = await db.row<{ running: number }>(sql`
    select count(*) as running from runs where automation_id = ${id}`);
  return row?.running ?? 0;
}

export async function deleteAutomationRow(db: Db, id: Id): Promise<void> {
  await db.rows(sql`delete from automations where id = ${id}`);
}

/** What automations are bound to. */
export type Binding = { readonly queueId: Id } | { readonly poolId: Id };

/** The automations of a queue or of a pool, so many at most. */
export function selectBound(db: Db, binding: Binding, limit: number): Promise<NamedAutomation[]> {
  const isBound =
    'queueId' in binding ? sql`a.queue_id = ${binding.queueId}` : sql`a.pool_id = ${binding.poolId}`;
  return db.rows(sql`select a.id, a.name from automations a where ${isBound} order by a.id limit ${limit}`);
}

/** Makes the automation have these run-as users and no others. */
export async function saveRunAsUsers(db: Db, id: Id, userIds: readonly Id[]): Promise<void> {
  await db.rows(sql`
    with gone as (
      delete from automation_run_as_users where automation_id = ${id} and user_id <> all(${userIds}::bigint[]))
    insert into automation_run_as_users (automation_id, user_id) select ${id}, unnest(${userIds}::bigint[])
    on conflict do nothing`);
}
