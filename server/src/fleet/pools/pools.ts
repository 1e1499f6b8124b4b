import type { Id, Schemas } from '@millrace/api';
import { raw, sql, type Db, type Sql } from '../../engine/db.ts';
import { Refusal } from '../../engine/errors.ts';
import { listQuery, pageOf } from '../../engine/lists/lists.ts';
import type { Field } from '../../engine/lists/values.ts';
import type { Actor, Context, PlainOperation } from '../../engine/operation.ts';

export const getPool: PlainOperation<'getPool'> = async (context, { path }) =>
  findPool(context, path.id, 'view');

export const listPools: PlainOperation<'listPools'> = async ({ db, actor }, { body }) => {
  const query = listQuery(body, poolFields, poolTieBreak);
  const seesAll = seesAllDevices(actor);
  const page = await pageOf(db, query, sql`pools p where ${inScope(actor, seesAll)}`);
  const { where, orderBy, limit, offset } = query;
  const rest = sql`${inScope(actor, seesAll)} and ${where} order by ${orderBy} limit ${limit} offset ${offset}`;
  return { page, list: await selectPools(db, actor, rest) };
};

/** Whether a user may see all devices and pools of the tenant. */
export function seesAllDevices({ permissions }: Pick<Actor, 'permissions'>): boolean {
  return permissions.has('viewDevices') || permissions.has('manageDevices');
}

/** The fields by which pools can be filtered and sorted. */
const poolFields: Record<string, Field> = {
  id: { column: raw('p.id'), type: 'id' },
  name: { column: raw('p.name'), type: 'text' },
  scheme: { column: raw('p.scheme'), type: ['ROUND_ROBIN', 'PRIORITY', 'FAIR'] },
  deviceCount: {
    column: raw('(select count(*) from pool_devices d where d.pool_id = p.id)'),
    type: 'integer',
  },
  createdOn: { column: raw('p.created_on'), type: 'time' },
  updatedOn: { column: raw('p.updated_on'), type: 'time' },
};

const poolTieBreak: Sql = raw('p.id');

type User = Pick<Actor, 'id' | 'tenantId'>;

/** The ids of the pools that a user owns or consumes, as SQL. */
export function poolsOfUser(userId: Id): Sql {
  return sql`
    select o.pool_id from pool_owners o where o.user_id = ${userId}
    union all
    select c.pool_id from pool_consumers c join user_roles ur on ur.role_id = c.role_id where ur.user_id = ${userId}`;
}

function inScope(user: User, seesAll: boolean): Sql {
  if (seesAll) return sql`p.tenant_id = ${user.tenantId}`;
  return sql`p.tenant_id = ${user.tenantId} and p.id in (${poolsOfUser(user.id)})`;
}

/** Pools with a user's capabilities for each of them. @param rest the SQL after `where` */
async function selectPools(db: Db, actor: Actor, rest: Sql): Promise<Schemas['Pool'][]> {
  const rows = await db.rows<Schemas['Pool'] & { memberships: PoolMembership[] }>(sql`
    select ${poolColumns}, ${membershipsOf(actor.id)} as memberships from pools p where ${rest}`);
  return rows.map(({ memberships, ...pool }) => ({
    ...pool,
    capabilities: [...poolCapabilitiesOf([...memberships, ...membershipsByPermission(actor)])],
  }));
}

type Where = Pick<Context, 'db' | 'actor'>;

/** A pool; the caller must already be known to see it. @throws Refusal NOT_FOUND */
export async function readPool({ db, actor }: Where, id: Id): Promise<Schemas['Pool']> {
  const [pool] = await selectPools(db, actor, sql`p.id = ${id}`);
  if (pool) return pool;
  throw noPool(id);
}

function noPool(id: Id): Refusal {
  return new Refusal('NOT_FOUND', `There is no pool ${id} for you. POST /v4/wlm/pools/list lists those.`);
}

/** The capabilities of the caller in a pool; none when the tenant has no such pool. */
export async function poolCapabilities({ db, actor }: Where, id: Id): Promise<ReadonlySet<PoolCapability>> {
  const memberships = await selectPoolMemberships(db, actor, id);
  return poolCapabilitiesOf(memberships ? [...memberships, ...membershipsByPermission(actor)] : []);
}

function membershipsByPermission({ permissions }: Actor): PoolMembership[] {
  return [
    ...(permissions.has('viewDevices') ? ['VIEWER' as const] : []),
    ...(permissions.has('manageDevices') ? ['POOL_ADMIN' as const] : []),
  ];
}

/** The memberships of a user in the pool `p`, as SQL. */
function membershipsOf(userId: Id): Sql {
  return sql`array(
    select 'OWNER' from pool_owners o where o.pool_id = p.id and o.user_id = ${userId}
    union select 'CONSUMER' from pool_consumers c join user_roles ur on ur.role_id = c.role_id
     where c.pool_id = p.id and ur.user_id = ${userId})`;
}

/** The capabilities of the caller in each of these pools of the tenant, in the same order. */
export async function poolCapabilitiesIn(
  { db, actor }: Where,
  ids: readonly Id[],
): Promise<ReadonlySet<PoolCapability>[]> {
  const rows = await db.rows<{ memberships: PoolMembership[] }>(sql`
    select ${membershipsOf(actor.id)} as memberships
    from unnest(${ids}::bigint[]) with ordinality as p (id, place) order by p.place`);
  return rows.map(({ memberships }) =>
    poolCapabilitiesOf([...memberships, ...membershipsByPermission(actor)]),
  );
}

/** The memberships of a user in a pool; undefined when the tenant has no such pool. */
async function selectPoolMemberships(db: Db, user: User, id: Id): Promise<PoolMembership[] | undefined> {
  const row = await db.row<{ memberships: PoolMembership[] }>(sql`
    select ${membershipsOf(user.id)} as memberships from pools p where p.id = ${id} and p.tenant_id = ${user.tenantId}`);
  return row?.memberships;
}

/** A pool for which the caller has the capability. @throws Refusal NOT_FOUND, or FORBIDDEN when it may be seen. */
export async function findPool(context: Where, id: Id, capability: PoolCapability): Promise<Schemas['Pool']> {
  const capabilities = await poolCapabilities(context, id);
  if (!capabilities.has('view')) throw noPool(id);
  if (capabilities.has(capability)) return readPool(context, id);
  throw new Refusal(
    'FORBIDDEN',
    `You may not ${capability} pool ${id}. Ask one of its owners, or a pool admin.`,
  );
}

/** The automations of a queue, which cannot be deleted under them: the first few. */
export function automationsOf(db: Db, queueId: Id): Promise<NamedAutomation[]> {
  return selectBound(db, { queueId });
}

/** The queue or the pool that automations are bound to. */
type Binding = { readonly queueId: Id } | { readonly poolId: Id };

const namedAutomations = 10;

/** The first automations of a queue or of a pool. */
export function selectBound(db: Db, binding: Binding): Promise<NamedAutomation[]> {
  const isBound =
    'queueId' in binding ? sql`a.queue_id = ${binding.queueId}` : sql`a.pool_id = ${binding.poolId}`;
  return db.rows(
    sql`select a.id, a.name from automations a where ${isBound} order by a.id limit ${namedAutomations}`,
  );
}

const poolColumns = raw(`p.id, p.name, p.description, p.scheme, p.time_slice_seconds as "timeSliceSeconds",
  array(select d.device_id from pool_devices d where d.pool_id = p.id order by d.device_id) as "deviceIds",
  array(select o.user_id from pool_owners o where o.pool_id = p.id order by o.user_id) as "ownerIds",
  array(select c.role_id from pool_consumers c where c.pool_id = p.id order by c.role_id) as "consumerRoleIds",
  (select count(*) from pool_devices d where d.pool_id = p.id) as "deviceCount",
  p.created_by as "createdBy", p.created_on as "createdOn", p.updated_by as "updatedBy", p.updated_on as "updatedOn",
  p.version`);

/** A capability of a user for a pool. */
export type PoolCapability = 'view' | 'use' | 'edit';

/** The ground of a capability: as an owner, by a role that consumes the pool, or by a permission over all pools. */
export type PoolMembership = 'OWNER' | 'CONSUMER' | 'POOL_ADMIN' | 'VIEWER';

/** A user without a membership does not even see the pool. */
const capabilitiesByMembership: Record<PoolMembership, readonly PoolCapability[]> = {
  OWNER: ['view', 'use', 'edit'],
  CONSUMER: ['view', 'use'],
  POOL_ADMIN: ['view', 'use', 'edit'],
  VIEWER: ['view'],
};

/** The capabilities that memberships give together. */
export function poolCapabilitiesOf(memberships: readonly PoolMembership[]): ReadonlySet<PoolCapability> {
  return new Set(memberships.flatMap((membership) => capabilitiesByMembership[membership]));
}

/** Automations in words, for refusals. */
export function namesOfAutomations(automations: readonly NamedAutomation[]): string {
  const names = automations.map(({ id, name }) => `${id} "${name}"`).join(', ');
  return `${automations.length === 1 ? 'automation' : 'automations'} ${names}`;
}

/** An automation by the names that people know it by. */
export interface NamedAutomation {
  readonly id: Id;
  readonly name: string;
}
