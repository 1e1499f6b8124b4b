import type { Id, Output, Schemas } from '@millrace/api';
import { raw, sql, type Reader } from '../engine/db.ts';
import type { PlainOperation } from '../engine/operation.ts';
import { recordOfAccess } from '../journal/journal.ts';
import { hashOfSeal, leavesOf, type Leaf, type Seal } from './seal.rules.ts';

const usualLimit = 200;
const waitingShown = 10_000;

export const getAuditHead: PlainOperation<'getAuditHead'> = ({ db, actor }) => readHead(db, actor.tenantId);

/** The number and hash of a tenant's newest seal. */
export async function readHead(db: Reader, tenantId: Id): Promise<Output<'getAuditHead'>> {
  const [newest] = await selectSeals(db, tenantId, { order: 'desc', limit: 1 });
  const seal = newest && shown(newest);
  return {
    tenant: await selectTenant(db, tenantId),
    ...(seal && { head: `${seal.number}:${seal.hash}`, seal }),
    waiting: await countWaiting(db, tenantId),
    keys: await selectKeys(db),
  };
}

export const listAuditSeals: PlainOperation<'listAuditSeals'> = async ({ db, actor }, { query }) => {
  const { after, limit = usualLimit } = query;
  const seals = await selectSeals(db, actor.tenantId, { after, limit: limit + 1 });
  return { list: seals.slice(0, limit).map(shown), isMore: seals.length > limit };
};

export const rotateSealingKey: PlainOperation<'rotateSealingKey'> = async (context) => {
  const { db, now } = context;
  const rows = await db.rows<{ id: string }>(
    sql`update sealing_keys set retired_on = ${now} where retired_on is null returning id`,
  );
  const retired = rows.map(({ id }) => id).toSorted();
  await recordOfAccess(context, { operation: 'rotateSealingKey', changes: { retired } });
  return { retired };
};

/** A seal as it is stored. */
export interface StoredSeal {
  readonly seal: Seal;
  readonly signature: Buffer;
}

interface SealsWanted {
  /** Seals with greater numbers than this. */
  readonly after?: number | undefined;
  readonly order?: 'asc' | 'desc';
  readonly limit: number;
}

type SealRow = Omit<Seal, 'sealedOn'> & { readonly sealedOn: Date; readonly signature: Buffer };

export async function selectSeals(
  db: Reader,
  tenantId: Id,
  { after = 0, order = 'asc', limit }: SealsWanted,
): Promise<StoredSeal[]> {
  const rows = await db.rows<SealRow>(sql`
    select t.uuid as tenant, s.number, s.first_tx::text || '-' || s.first_id as first,
      s.last_tx::text || '-' || s.last_id as last, s.events, encode(s.root, 'hex') as root,
      encode(s.previous, 'hex') as previous, s.sealed_on as "sealedOn", s.key_id as "keyId", s.signature
    from audit_seals s join tenants t on t.id = s.tenant_id
    where s.tenant_id = ${tenantId} and s.number > ${after} order by s.number ${raw(order)} limit ${limit}`);
  return rows.map(({ signature, sealedOn, ...row }) => ({
    seal: { ...row, sealedOn: sealedOn.toISOString() },
    signature,
  }));
}

function shown({ seal, signature }: StoredSeal): Schemas['AuditSeal'] {
  const { tenant: _, ...members } = seal;
  return { ...members, hash: hashOfSeal(seal), signature: signature.toString('base64') };
}

async function selectTenant(db: Reader, tenantId: Id): Promise<string> {
  const row = await db.row<{ uuid: string }>(sql`select uuid from tenants where id = ${tenantId}`);
  return row?.uuid ?? '';
}

export function selectKeys(db: Reader): Promise<Output<'getAuditHead'>['keys']> {
  return db.rows(sql`
    select id, public_key as "publicKey", created_on as "createdOn", retired_on as "retiredOn" from sealing_keys
    order by created_on, id`);
}

async function countWaiting(db: Reader, tenantId: Id): Promise<number> {
  const row = await db.row<{ count: number }>(sql`
    select count(*) as count from (
      select from events e where e.tenant_id = ${tenantId}
        and (e.tx, e.id) > (coalesce((select tx from audit_chains where tenant_id = ${tenantId}), '0'),
          coalesce((select event_id from audit_chains where tenant_id = ${tenantId}), 0))
      limit ${waitingShown}) waiting`);
  return Number(row?.count);
}

/** The stored form of a seal's events: their ids and hashes. */
export interface Leaves {
  readonly ids: Id[];
  readonly hashes: Buffer;
}

export async function selectLeaves(db: Reader, tenantId: Id, number: number): Promise<Leaf[]> {
  const row = await db.row<Leaves>(sql`
    select event_ids as ids, event_hashes as hashes from audit_seals where tenant_id = ${tenantId} and number = ${number}`);
  return row ? leavesOf(row.ids, row.hashes) : [];
}
