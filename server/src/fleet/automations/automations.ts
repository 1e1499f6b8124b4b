import type { Id, Schemas } from '@millrace/api';
import { membershipsIn, queuesOfUser, withMemberships } from '../../access/members/membership.ts';
import { seesAllQueues } from '../../access/users/permissions.ts';
import { join, raw, sql, type Db, type Sql } from '../../engine/db.ts';
import { Refusal, registerConstraints } from '../../engine/errors.ts';
import { listQuery, pageOf, type ListQuery } from '../../engine/lists/lists.ts';
import type { Field } from '../../engine/lists/values.ts';
import {
  authorOf,
  type Actor,
  type Author,
  type Context,
  type PlainOperation,
} from '../../engine/operation.ts';
import { refuseExcess, refuseLookalike, type Kind } from '../../engine/quotas.ts';
import { poolWakeUp } from '../../engine/wake-ups.ts';
import { changedMembers, recordOfQueue } from '../../journal/journal.ts';
import { poolCapabilities, poolCapabilitiesIn, poolsOfUser, seesAllDevices } from '../pools/pools.ts';
import type { NamedAutomation, PoolCapability } from '../pools/rules.ts';
import {
  changedAutomation,
  heldBy,
  mayChange,
  newAutomation,
  refuseBinding,
  refuseChange,
  refuseRunAs,
  refuseSecond,
  refuseUnknownUsers,
  refuseWhileRunning,
  type AutomationSettings,
  type Held,
  type Use,
} from './rules.ts';

type Automation = Schemas['Automation'];

export const createAutomation: PlainOperation<'createAutomation'> = async (context, { body }) => {
  const { db, actor } = context;
  const settings = newAutomation(body);
  await lockQueue(db, actor.tenantId, settings.queueId);
  refuseBinding(settings, await useOf(context, settings));
  refuseRunAs(settings, [], actor);
  await refuseConflicts(context, settings, undefined);
  const stored = { ...settings, ...heldBy(undefined, settings, holder(context)) };
  const id = await insertAutomation(db, actor.tenantId, stored, authorOf(context));
  await refuseExcess(db, automationsOfTenant(actor.tenantId));
  await refuseNamesake(context, settings.name);
  await saveRunAsUsers(db, id, settings.runAsUserIds);
  wakeDevices(context, settings.poolId);
  // In the record of the queue, where people look for the fate of its items.
  await recordOfQueue(context, settings.queueId, {
    operation: 'createAutomation',
    changes: { automationId: id, ...settings },
  });
  return findAutomation(context, id);
};

const automationsOfTenant = (tenantId: Id): Kind => ({
  things: 'automations in this tenant',
  rows: sql`automations where tenant_id = ${tenantId}`,
  quota: 10_000,
  wayOut: 'Delete those that nobody needs first.',
});

function refuseNamesake({ db, actor }: Context, name: string): Promise<void> {
  return refuseLookalike(db, automationsOfTenant(actor.tenantId).rows, raw('name'), name);
}

export const updateAutomation: PlainOperation<'updateAutomation'> = async (context, { path, body }) => {
  const { db, actor } = context;
  const current = await findChangeable(context, path.id);
  const settings = changedAutomation(current, body);
  if (settings.poolId !== current.poolId) refuseBinding(settings, await useOf(context, settings));
  refuseRunAs(settings, current.runAsUserIds, actor);
  await refuseConflicts(context, settings, current.id);
  const stored = { ...settings, ...heldBy(current, settings, holder(context)) };
  await updateAutomationSettings(db, current.id, stored, authorOf(context));
  if (settings.name !== current.name) await refuseNamesake(context, settings.name);
  await saveRunAsUsers(db, current.id, settings.runAsUserIds);
  wakeDevices(context, settings.poolId);
  const changes = { automationId: current.id, ...changedMembers(current, settings) };
  await recordOfQueue(context, current.queueId, {
    operation: 'updateAutomation',
    reason: body.statusReason,
    changes,
  });
  return findAutomation(context, current.id);
};

export const deleteAutomation: PlainOperation<'deleteAutomation'> = async (context, { path }) => {
  const { db } = context;
  const { id, name, queueId, poolId } = await findChangeable(context, path.id);
  await lockOutGrants(db, { id, poolId });
  refuseWhileRunning(id, await countRuns(db, id));
  await recordOfQueue(context, queueId, {
    operation: 'deleteAutomation',
    changes: { automationId: id, name },
  });
  await deleteAutomationRow(db, id);
};

/** An automation that the caller may change; changes of automations of one queue come one after the other. */
async function findChangeable(context: Context, id: Id): Promise<Automation> {
  const { queueId } = await findAutomation(context, id);
  await lockQueue(context.db, context.actor.tenantId, queueId);
  const automation = await findAutomation(context, id);
  refuseChange(automation, await useOf(context, automation));
  return automation;
}

async function useOf(
  context: Context,
  { queueId, poolId }: Pick<Automation, 'queueId' | 'poolId'>,
): Promise<Use> {
  const [queue, pool] = await Promise.all([
    membershipsIn(context, queueId),
    poolCapabilities(context, poolId),
  ]);
  return { queue, pool };
}

/** Refuses run-as users that do not exist, and a second ACTIVE automation of the queue. */
async function refuseConflicts(
  { db, actor }: Context,
  settings: AutomationSettings,
  id: Id | undefined,
): Promise<void> {
  const { queueId, runAsUserIds, status } = settings;
  refuseUnknownUsers(settings, await selectUserIds(db, actor.tenantId, runAsUserIds));
  if (status === 'ACTIVE') refuseSecond(queueId, await selectActive(db, queueId, id));
}

const holder = ({ actor, now }: Context) => ({ statusBy: actor.id, statusOn: now.toISOString() });

// More than the devices of any pool.
const all = 10_000;

/** Wakes waiting devices of the pool: there may be work for them now. */
function wakeDevices({ wake }: Context, poolId: Id): void {
  wake(poolWakeUp(poolId), all);
}

export const getAutomation: PlainOperation<'getAutomation'> = async (context, { path }) => {
  const automation = await findAutomation(context, path.id);
  return { ...automation, capabilities: capabilitiesBy(context.actor, await useOf(context, automation)) };
};

export const listAutomations: PlainOperation<'listAutomations'> = async (context, { body }) => {
  const { db, actor } = context;
  const query = listQuery(body, automationFields, automationTieBreak);
  const scope = scopeOf(actor);
  const page = await pageOf(db, query, sql`automations a where ${inScope(scope)}`);
  return { page, list: await withCapabilities(context, await selectAutomations(db, scope, query)) };
};

/** Automations with the caller's capabilities for each of them. */
async function withCapabilities(
  context: Pick<Context, 'db' | 'actor'>,
  automations: readonly Automation[],
): Promise<Automation[]> {
  const queues = await withMemberships(
    context,
    automations.map(({ queueId: id }) => ({ id })),
  );
  const pools = await poolCapabilitiesIn(
    context,
    automations.map(({ poolId }) => poolId),
  );
  return automations.map((automation, index) => {
    const [queue = [], pool = new Set<PoolCapability>()] = [queues[index]?.memberships, pools[index]];
    return { ...automation, capabilities: capabilitiesBy(context.actor, { queue, pool }) };
  });
}

function capabilitiesBy({ permissions }: Actor, use: Use): ('view' | 'edit')[] {
  return permissions.has('runAutomations') && mayChange(use) ? ['view', 'edit'] : ['view'];
}

/** The fields by which automations can be filtered and sorted. */
/** Whether an automation `a` has run-as users, all of them disabled. */
const areDisabled = `coalesce((select bool_and(u.disabled) from automation_run_as_users r join users u on u.id = r.user_id
  where r.automation_id = a.id), false)`;

const automationFields: Record<string, Field> = {
  id: { column: raw('a.id'), type: 'id' },
  name: { column: raw('a.name'), type: 'text' },
  queueId: { column: raw('a.queue_id'), type: 'id' },
  poolId: { column: raw('a.pool_id'), type: 'id' },
  botName: { column: raw('a.bot_name'), type: 'text' },
  priority: { column: raw('a.priority'), type: 'integer' },
  weight: { column: raw('a.weight'), type: 'integer' },
  status: { column: raw('a.status'), type: ['ACTIVE', 'PAUSED', 'STOPPED'] },
  runAsUsersDisabled: { column: raw(areDisabled), type: 'boolean' },
  createdOn: { column: raw('a.created_on'), type: 'time' },
  updatedOn: { column: raw('a.updated_on'), type: 'time' },
};

const automationTieBreak: Sql = raw('a.id');

function selectAutomations(
  db: Db,
  scope: AutomationScope,
  query: ListQuery,
): Promise<Schemas['Automation'][]> {
  const { where, orderBy, limit, offset } = query;
  return db.rows(sql`
    select ${automationColumns} from automations a
    where ${inScope(scope)} and ${where} order by ${orderBy} limit ${limit} offset ${offset}`);
}

/** Locks a queue of the tenant, so that its automations are changed one after the other. */
async function lockQueue(db: Db, tenantId: Id, queueId: Id): Promise<void> {
  await db.rows(sql`select from queues where id = ${queueId} and tenant_id = ${tenantId} for no key update`);
}

/** The ACTIVE automation of a queue, unless it is this one. */
function selectActive(db: Db, queueId: Id, other: Id | undefined): Promise<NamedAutomation | undefined> {
  return db.row(sql`
    select a.id, a.name from automations a
    where a.queue_id = ${queueId} and a.status = 'ACTIVE' and a.id is distinct from ${other}::bigint`);
}

/** The ids that belong to users of the tenant. */
async function selectUserIds(db: Db, tenantId: Id, ids: readonly Id[]): Promise<Id[]> {
  const rows = await db.rows<{ id: Id }>(
    sql`select id from users where tenant_id = ${tenantId} and id = any(${ids}::bigint[])`,
  );
  return rows.map(({ id }) => id);
}

registerConstraints({
  automations_name_unique: {
    code: 'NAME_TAKEN',
    message: 'An automation of this name exists already. Choose another name.',
  },
});

/** Stores an automation without its run-as users; returns its id. */
async function insertAutomation(
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
async function updateAutomationSettings(
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

/** In the order of the columns in the statements above. */
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

/** Locks an automation against grants of its items. Grants lock the pool first, and so does this: otherwise they would deadlock. */
async function lockOutGrants(db: Db, { id, poolId }: { id: Id; poolId: Id }): Promise<void> {
  await db.rows(sql`select from pools where id = ${poolId} for no key update`);
  await db.rows(sql`select from automations where id = ${id} for update`);
}

/** Items in progress by an automation. */
async function countRuns(db: Db, id: Id): Promise<number> {
  const row = await db.row<{ running: number }>(sql`
    select count(*) as running from runs where automation_id = ${id}`);
  return row?.running ?? 0;
}

async function deleteAutomationRow(db: Db, id: Id): Promise<void> {
  await db.rows(sql`delete from automations where id = ${id}`);
}

/** Replaces the run-as users of an automation. */
async function saveRunAsUsers(db: Db, id: Id, userIds: readonly Id[]): Promise<void> {
  await db.rows(sql`
    with gone as (
      delete from automation_run_as_users where automation_id = ${id} and user_id <> all(${userIds}::bigint[]))
    insert into automation_run_as_users (automation_id, user_id) select ${id}, unnest(${userIds}::bigint[])
    on conflict do nothing`);
}

/** An automation that the caller may see. @throws Refusal NOT_FOUND */
export async function findAutomation(
  { db, actor }: Pick<Context, 'db' | 'actor'>,
  id: Id,
): Promise<Schemas['Automation']> {
  const automation = await selectAutomation(db, scopeOf(actor), id);
  if (automation) return automation;
  throw new Refusal(
    'NOT_FOUND',
    `There is no automation ${id} for you. POST /v4/wlm/automations/list lists those.`,
  );
}

function selectAutomation(
  db: Db,
  scope: AutomationScope,
  id: Id,
): Promise<Schemas['Automation'] | undefined> {
  return db.row(sql`select ${automationColumns} from automations a where a.id = ${id} and ${inScope(scope)}`);
}

const automationColumns = raw(`a.id, a.name, a.description, a.queue_id as "queueId", a.pool_id as "poolId",
  a.bot_name as "botName", a.labels, a.priority, a.weight, a.status, a.status_reason as "statusReason",
  a.status_by as "statusBy", a.status_on as "statusOn",
  array(select r.user_id from automation_run_as_users r where r.automation_id = a.id order by r.user_id)
    as "runAsUserIds", ${areDisabled} as "runAsUsersDisabled",
  a.created_by as "createdBy", a.created_on as "createdOn", a.updated_by as "updatedBy", a.updated_on as "updatedOn",
  a.version`);

/** The automations that a user may see: those of the queues and of the pools that the user may see. */
export function scopeOf(actor: Actor): AutomationScope {
  const seesAll = seesAllDevices(actor) || seesAllQueues(actor.permissions);
  const [queues, pools] = seesAll ? [undefined, undefined] : [queuesOfUser(actor.id), poolsOfUser(actor.id)];
  return { tenantId: actor.tenantId, queues, pools };
}

/** The automations that a user may see: all of the tenant, or those of some queues and some pools. */
interface AutomationScope {
  readonly tenantId: Id;
  /** The ids of the queues and of the pools; undefined for all. */
  readonly queues: Sql | undefined;
  readonly pools: Sql | undefined;
}

export function inScope({ tenantId, queues, pools }: AutomationScope): Sql {
  if (!queues || !pools) return sql`a.tenant_id = ${tenantId}`;
  return sql`a.tenant_id = ${tenantId} and (a.queue_id in (${queues}) or a.pool_id in (${pools}))`;
}
