import type { Id, Schemas } from '@millrace/api';
import { raw, sql, type Db, type Sql } from '../db.ts';
import type { Field, ListQuery } from '../lists.ts';
import type { Actor } from '../operation.ts';
import type { Known, PoolSettings, PoolStanding } from './rules.ts';
import { poolsOfUser } from './visible.sql.ts';

const poolColumns = raw(`p.id, p.name, p.description, p.scheme, p.time_slice_seconds as "timeSliceSeconds",
  array(select d.device_id from pool_devices d where d.pool_id = p.id order by d.device_id) as "deviceIds",
  array(select o.user_id from pool_owners o where o.pool_id = p.id order by o.user_id) as "ownerIds",
  array(select c.role_id from pool_consumers c where c.pool_id = p.id order by c.role_id) as "consumerRoleIds",
  (select count(*) from pool_devices d where d.pool_id = p.id) as "deviceCount",
  p.created_by as "createdBy", p.created_on as "createdOn", p.updated_by as "updatedBy", p.updated_on as "updatedOn",
  p.version`);

/** What pools can be filtered and sorted by. */
export const poolFields: Record<string, Field> = {
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

export const poolId: Sql = raw('p.id');

type User = Pick<Actor, 'id' | 'tenantId'>;

/** The ids of the pools that a user owns, as SQL. */
function poolsOwnedBy(userId: Id): Sql {
  return sql`select o.pool_id from pool_owners o where o.user_id = ${userId}`;
}

/** Why a user may have to do with a pool; undefined when the tenant has no such pool. */
export async function selectPoolStandings(db: Db, user: User, id: Id): Promise<PoolStanding[] | undefined> {
  const row = await db.row<{ standings: PoolStanding[] }>(sql`
    select array(
      select 'OWNER' from pool_owners o where o.pool_id = p.id and o.user_id = ${user.id}
      union select 'CONSUMER' from pool_consumers c join user_roles ur on ur.role_id = c.role_id
       where c.pool_id = p.id and ur.user_id = ${user.id}) as standings
    from pools p where p.id = ${id} and p.tenant_id = ${user.tenantId}`);
  return row?.standings;
}

export function selectPool(db: Db, id: Id): Promise<Schemas['Pool'] | undefined> {
  return db.row(sql`select ${poolColumns} from pools p where p.id = ${id}`);
}

function inScope(user: User, seesAll: boolean): Sql {
  if (seesAll) return sql`p.tenant_id = ${user.tenantId}`;
  return sql`p.tenant_id = ${user.tenantId} and p.id in (${poolsOfUser(user.id)})`;
}

/** Pools that the user may see: how many, and how many of them match a condition. */
export async function countPools(db: Db, user: User, seesAll: boolean, where: Sql) {
  const row = await db.row<{ total: number; totalFilter: number }>(sql`
    select count(*) as total, count(*) filter (where ${where}) as "totalFilter"
    from pools p where ${inScope(user, seesAll)}`);
  return row ?? { total: 0, totalFilter: 0 };
}

export function selectPools(
  db: Db,
  user: User,
  seesAll: boolean,
  query: ListQuery,
): Promise<Schemas['Pool'][]> {
  const { where, orderBy, limit, offset } = query;
  return db.rows(sql`
    select ${poolColumns} from pools p
    where ${inScope(user, seesAll)} and ${where} order by ${orderBy} limit ${limit} offset ${offset}`);
}

/**
 * Which of the ids that a pool is to name are of the tenant. Of the devices those that the user may give away: any, or
 * those of the pools that the user owns. They are held against deletion.
 */
export async function selectKnown(
  db: Db,
  user: User,
  managesAll: boolean,
  { deviceIds, ownerIds, consumerRoleIds }: Known,
): Promise<Known> {
  const row = await db.row<Known>(sql`
    select
      array(select d.id from devices d
        where d.tenant_id = ${user.tenantId} and d.id = any(${deviceIds}::bigint[])
          and (${managesAll} or exists (
            select from pool_devices pd where pd.device_id = d.id and pd.pool_id in (${poolsOwnedBy(user.id)})))
        for key share of d) as "deviceIds",
      array(select u.id from users u
        where u.tenant_id = ${user.tenantId} and u.id = any(${ownerIds}::bigint[])) as "ownerIds",
      array(select r.id from roles r
        where r.tenant_id = ${user.tenantId} and r.id = any(${consumerRoleIds}::bigint[])) as "consumerRoleIds"`);
  return row ?? { deviceIds: [], ownerIds: [], consumerRoleIds: [] };
}

/** Who writes, and when. */
export interface Author {
  readonly actorId: Id;
  readonly now: Date;
}

/** Stores a pool without its lists; answers its id. */
export async function insertPool(
  db: Db,
  tenantId: Id,
  { name, description, scheme, timeSliceSeconds }: PoolSettings,
  { actorId, now }: Author,
): Promise<Id> {
  const [row] = await db.rows<{ id: Id }>(sql`
    insert into pools (tenant_id, name, description, scheme, time_slice_seconds, created_by, created_on, updated_by,
      updated_on)
    values (${tenantId}, ${name}, ${description}, ${scheme}, ${timeSliceSeconds}, ${actorId}, ${now}, ${actorId}, ${now})
    returning id`);
  return (row as { id: Id }).id;
}

/** Changes a pool without its lists, one version up. */
export async function updatePoolSettings(
  db: Db,
  id: Id,
  { name, description, scheme, timeSliceSeconds }: PoolSettings,
  { actorId, now }: Author,
): Promise<void> {
  await db.rows(sql`
    update pools set name = ${name}, description = ${description}, scheme = ${scheme},
      time_slice_seconds = ${timeSliceSeconds}, version = version + 1, updated_by = ${actorId}, updated_on = ${now}
    where id = ${id}`);
}

/** Holds a pool: its changes come one after the other, and nobody binds an automation to it meanwhile. */
export async function lockPool(db: Db, id: Id): Promise<void> {
  await db.rows(sql`select from pools where id = ${id} for update`);
}

/** Deletes a pool to which nothing is bound, with its lists. */
export async function deletePoolRow(db: Db, id: Id): Promise<void> {
  await db.rows(sql`delete from pools where id = ${id}`);
}

const tableByList = {
  deviceIds: { table: raw('pool_devices'), column: raw('device_id') },
  ownerIds: { table: raw('pool_owners'), column: raw('user_id') },
  consumerRoleIds: { table: raw('pool_consumers'), column: raw('role_id') },
} as const;

/** Makes a list of the pool hold these ids and no others. */
export async function saveList(db: Db, id: Id, list: keyof Known, ids: readonly Id[]): Promise<void> {
  const { table, column } = tableByList[list];
  await db.rows(sql`
    with gone as (delete from ${table} where pool_id = ${id} and ${column} <> all(${ids}::bigint[]))
    insert into ${table} (pool_id, ${column}) select ${id}, unnest(${ids}::bigint[]) on conflict do nothing`);
}
