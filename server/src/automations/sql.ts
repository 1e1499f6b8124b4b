import type { Id, Schemas } from '@millrace/api';
import { raw, sql, type Db, type Sql } from '../db.ts';
import type { Field, ListQuery } from '../lists.ts';
import type { AutomationSettings, NamedAutomation } from './rules.ts';

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

/** Holds the queue, so that its automations are changed one after the other. */
export async function lockQueue(db: Db, queueId: Id): Promise<void> {
  await db.rows(sql`select from queues where id = ${queueId} for no key update`);
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
  settings: AutomationSettings,
  { actorId, now }: Author,
): Promise<Id> {
  const { name, description, queueId, poolId, botName, labels, priority, weight } = settings;
  const { status, statusReason } = settings;
  const isHeld = status !== 'ACTIVE';
  const [row] = await db.rows<{ id: Id }>(sql`
    insert into automations (tenant_id, name, description, queue_id, pool_id, bot_name, labels, priority, weight, status,
      status_reason, status_by, status_on, created_by, created_on, updated_by, updated_on)
    values (${tenantId}, ${name}, ${description}, ${queueId}, ${poolId}, ${botName}, ${labels}, ${priority}, ${weight},
      ${status}, ${statusReason}, ${isHeld ? actorId : null}, ${isHeld ? now : null}, ${actorId}, ${now}, ${actorId},
      ${now})
    returning id`);
  return (row as { id: Id }).id;
}

/** Makes the automation have these run-as users and no others. */
export async function saveRunAsUsers(db: Db, id: Id, userIds: readonly Id[]): Promise<void> {
  await db.rows(sql`
    with gone as (
      delete from automation_run_as_users where automation_id = ${id} and user_id <> all(${userIds}::bigint[]))
    insert into automation_run_as_users (automation_id, user_id) select ${id}, unnest(${userIds}::bigint[])
    on conflict do nothing`);
}
