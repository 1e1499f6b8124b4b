import type { Id } from '@millrace/api';
import { sql, type Db, type Reader } from '../engine/db.ts';
import { recordErasures, type ErasingContext } from '../journal/erase.ts';
import { formerDigest, type Erasure } from '../journal/erasure.rules.ts';
import { millrace } from '../journal/journal.ts';

const operation = 'signErasures';
// Each is of some thousand events at most.
const recordsAtOnce = 10;

/** An event that records erasures of the former kind, as stored in the database. */
interface Former {
  readonly tenantId: Id;
  readonly erasedBy: Id;
}

/** Events that record erasures of the former kind; some at a time, the oldest first. */
export function selectFormer(db: Reader): Promise<Former[]> {
  return db.rows<Former>(sql`
    select distinct tenant_id as "tenantId", erased_by as "erasedBy" from audit_erasures
    where of_former_kind and signature is null order by tenant_id, erased_by limit ${recordsAtOnce}`);
}

/**
 * Signs erasures from before the version that signs each of them, by the rule of that time: an event records the new hash of each erased
 * event, and the seal has the original one. The last erasure of a tenant ends this for good, so that nothing can be added later to be
 * signed.
 */
export async function signFormer(context: ErasingContext, former: readonly Former[]): Promise<void> {
  for (const { tenantId, erasedBy } of former) {
    const trail = { db: context.db, tenantId };
    const erasures = await selectErasures(trail, erasedBy);
    const isRight = !(await isOver(trail)) && (await readDigest(trail, erasedBy)) === formerDigest(erasures);
    if (isRight) await replace(context, { tenantId, erasedBy }, erasures);
    else await leaveUnsigned(trail, erasedBy);
  }
}

interface Trail {
  readonly db: Db;
  readonly tenantId: Id;
}

type FormerErasure = Omit<Erasure, 'before'> & { readonly before?: string };

/** The events erased then, each with its hash before: as an earlier erasure left it, or as it was sealed. */
function selectErasures({ db, tenantId }: Trail, erasedBy: Id): Promise<FormerErasure[]> {
  return db.rows<FormerErasure>(sql`
    select a.event_id as id, encode(a.hash, 'hex') as hash, encode(coalesce(
      (select p.hash from audit_erasures p where p.tenant_id = a.tenant_id and p.event_id = a.event_id
        and p.of_former_kind and p.signature is not null order by p.erased_by desc limit 1),
      (select substring(s.event_hashes from 32 * array_position(s.event_ids, a.event_id) - 31 for 32) from audit_seals s
        where s.tenant_id = a.tenant_id and a.event_id between s.lowest_id and s.highest_id and a.event_id = any(s.event_ids) limit 1),
      a.hash), 'hex') as before
    from audit_erasures a where a.tenant_id = ${tenantId} and a.erased_by = ${erasedBy} order by a.event_id`);
}

async function readDigest({ db, tenantId }: Trail, erasedBy: Id): Promise<string | undefined> {
  const event = await db.row<{ digest?: string }>(sql`
    select changes ->> 'digest' as digest from events
    where queue_id = 0 and item_id = 0 and id = ${erasedBy} and tenant_id = ${tenantId}`);
  return event?.digest;
}

async function isOver({ db, tenantId }: Trail): Promise<boolean> {
  const event = await db.row(sql`
    select id from events where queue_id = 0 and item_id = 0 and tenant_id = ${tenantId} and operation = ${operation}
      and changes ->> 'isLast' = 'true' limit 1`);
  return event !== undefined;
}

/** Replaces records of the former kind by signed ones. */
async function replace(
  context: ErasingContext,
  { tenantId, erasedBy }: Former,
  erasures: readonly FormerErasure[],
): Promise<void> {
  const { db } = context;
  await db.write(sql`delete from audit_erasures where tenant_id = ${tenantId} and erased_by = ${erasedBy}`);
  const left = await db.row(sql`
    select event_id from audit_erasures where tenant_id = ${tenantId} and of_former_kind and signature is null limit 1`);
  // An event that was never sealed, and is gone, needs no excuse.
  const known = erasures.flatMap(({ before, ...one }) => (before === undefined ? [] : [{ ...one, before }]));
  if (known.length === 0) return;
  const reason = `Event ${erasedBy} recorded this before erasures were signed.`;
  const rule = { operation, actorId: millrace, reason, changes: { isLast: left === undefined } };
  const by = await recordErasures(context, tenantId, known, rule);
  await db.write(
    sql`update audit_erasures set of_former_kind = true where tenant_id = ${tenantId} and erased_by = ${by}`,
  );
}

/** A verification reports erasures that cannot be signed. */
function leaveUnsigned({ db, tenantId }: Trail, erasedBy: Id): Promise<void> {
  return db.write(sql`
    update audit_erasures set of_former_kind = false where tenant_id = ${tenantId} and erased_by = ${erasedBy}`);
}
