import type { Id, Schemas } from '@millrace/api';
import { membershipsIn, queuesOfUser, withMemberships } from '../../access/members/membership.ts';
import { capabilitiesOf, type Membership } from '../../access/members/rules.ts';
import { seesAllQueues } from '../../access/users/permissions.ts';
import { raw, sql, type Db, type Sql } from '../../engine/db.ts';
import { Refusal } from '../../engine/errors.ts';
import { listQuery, pageOf, type ListQuery } from '../../engine/lists/lists.ts';
import type { Field } from '../../engine/lists/values.ts';
import type { Actor, Context, PlainOperation } from '../../engine/operation.ts';
import {
  poolCapabilities,
  poolCapabilitiesIn,
  poolsOfUser,
  seesAllDevices,
  type PoolCapability,
} from '../pools/pools.ts';

type Automation = Schemas['Automation'];

export async function useOf(
  context: Context,
  { queueId, poolId }: Pick<Automation, 'queueId' | 'poolId'>,
): Promise<Use> {
  const [queue, pool] = await Promise.all([
    membershipsIn(context, queueId),
    poolCapabilities(context, poolId),
  ]);
  return { queue, pool };
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

/** Whether an automation `a` has run-as users, all of them disabled. */
const areDisabled = `coalesce((select bool_and(u.disabled) from automation_run_as_users r join users u on u.id = r.user_id
  where r.automation_id = a.id), false)`;

/** The fields by which automations can be filtered and sorted. */
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

/** The caller's memberships of a queue, and capabilities in a pool. */
export interface Use {
  readonly queue: readonly Membership[];
  readonly pool: ReadonlySet<PoolCapability>;
}

/** Whether a caller may change an automation: one who could have created it, or who owns its queue or pool. */
export function mayChange({ queue, pool }: Use): boolean {
  const inQueue = capabilitiesOf(queue);
  const mayCreate = (inQueue.has('edit') || inQueue.has('process')) && pool.has('use');
  return mayCreate || inQueue.has('edit') || pool.has('edit');
}
