import type { Id, Schemas } from '@millrace/api';
import type { Sql } from '../db.ts';
import { Refusal } from '../errors.ts';
import type { Actor, Context } from '../operation.ts';
import { poolCapabilitiesOf, type PoolCapability, type PoolStanding } from './rules.ts';
import { selectPool, selectPoolStandings } from './sql.ts';
import { poolsOfUser } from './visible.sql.ts';

type Where = Pick<Context, 'db' | 'actor'>;

/** What the caller may do with a pool; nothing when the tenant has no such pool. */
export async function poolCapabilities({ db, actor }: Where, id: Id): Promise<ReadonlySet<PoolCapability>> {
  const standings = await selectPoolStandings(db, actor, id);
  return poolCapabilitiesOf(standings ? [...standings, ...standingsByPermission(actor)] : []);
}

function standingsByPermission({ permissions }: Actor): PoolStanding[] {
  return [
    ...(permissions.has('viewDevices') ? ['VIEWER' as const] : []),
    ...(permissions.has('manageDevices') ? ['POOL_ADMIN' as const] : []),
  ];
}

/** A pool of which it is known that the caller may see it. @throws Refusal NOT_FOUND */
export async function readPool({ db }: Pick<Where, 'db'>, id: Id): Promise<Schemas['Pool']> {
  const pool = await selectPool(db, id);
  if (pool) return pool;
  throw noPool(id);
}

function noPool(id: Id): Refusal {
  return new Refusal('NOT_FOUND', `There is no pool ${id} for you. POST /v4/wlm/pools/list lists those.`);
}

/** A pool with which the caller may do this. @throws Refusal NOT_FOUND, or FORBIDDEN when it may be seen. */
export async function findPool(context: Where, id: Id, capability: PoolCapability): Promise<Schemas['Pool']> {
  const capabilities = await poolCapabilities(context, id);
  if (!capabilities.has('view')) throw noPool(id);
  if (capabilities.has(capability)) return readPool(context, id);
  throw new Refusal(
    'FORBIDDEN',
    `You may not ${capability} pool ${id}. Ask one of its owners, or a pool admin.`,
  );
}

/** Whether somebody may see all devices and pools of the tenant. */
export function seesAllDevices({ permissions }: Pick<Actor, 'permissions'>): boolean {
  return permissions.has('viewDevices') || permissions.has('manageDevices');
}

/** The ids of the pools that the caller owns or consumes, as SQL. */
export function visiblePools({ id }: Pick<Actor, 'id'>): Sql {
  return poolsOfUser(id);
}
