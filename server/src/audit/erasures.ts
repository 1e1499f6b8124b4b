import type { Id } from '@millrace/api';
import { sql, type Reader } from '../engine/db.ts';
import { inSlices, mapped } from '../engine/slices.ts';
import { erasureDigest, erasureText, type Erasure } from '../journal/erasure.rules.ts';
import { isSignedBy, type Erasures, type Keys, type Problem, type ProvedErasure } from './seal.rules.ts';

/** The tenant whose record is read, and the keys that may sign. */
export interface Trail {
  readonly db: Reader;
  readonly tenantId: Id;
  readonly keys: Keys;
}

type Row = Erasure & { readonly erasedBy: Id; readonly keyId?: string; readonly signature?: Buffer };

/** The record of the erasure of events: the signed changes of each, and the problems of the record. */
export async function readErasures(
  trail: Trail,
  ids: readonly Id[],
): Promise<{ erasures: Erasures; problems: Problem[] }> {
  if (ids.length === 0) return { erasures: new Map(), problems: [] };
  const { db, tenantId, keys } = trail;
  const [row] = await db.rows<{ uuid: string }>(sql`select uuid from tenants where id = ${tenantId}`);
  const rows = await db.rows<Row>(sql`
    select event_id as id, erased_by as "erasedBy", encode(before, 'hex') as before, encode(hash, 'hex') as hash, key_id as "keyId",
      signature from audit_erasures
    where tenant_id = ${tenantId} and event_id = any(${ids}::bigint[]) order by of_former_kind desc, erased_by`);
  const problems: Problem[] = [];
  for (const erasedBy of new Set(rows.map((one) => one.erasedBy)))
    if (!(await isOnRecord(trail, erasedBy))) problems.push(unrecorded(erasedBy));
  const erasures = new Map<string, ProvedErasure[]>();
  const proofs = await inSlices(mapped(rows, (one) => proofOf(one, row?.uuid ?? '', keys)));
  for (const [index, one] of rows.entries()) {
    const proved = proofs[index];
    if (proved) erasures.set(String(one.id), [...(erasures.get(String(one.id)) ?? []), proved]);
    else problems.push(unsigned(one));
  }
  return { erasures, problems };
}

function proofOf(row: Row, tenant: string, keys: Trail['keys']): ProvedErasure | undefined {
  const { id, before, hash, erasedBy: by, keyId, signature } = row;
  if (keyId === undefined || signature === undefined) return undefined;
  const text = erasureText({ tenant, by, keyId }, { id, before, hash });
  if (!isSignedBy(keys.get(keyId), text, signature)) return undefined;
  return { by, before, hash, text, signature: signature.toString('base64') };
}

/** Whether the event that records an erasure agrees with it. */
async function isOnRecord({ db, tenantId }: Trail, erasedBy: Id): Promise<boolean> {
  const event = await db.row<{ digest?: string }>(sql`
    select changes ->> 'digest' as digest from events
    where queue_id = 0 and item_id = 0 and id = ${erasedBy} and tenant_id = ${tenantId}`);
  const together = await db.rows<Erasure>(sql`
    select event_id as id, encode(before, 'hex') as before, encode(hash, 'hex') as hash from audit_erasures
    where tenant_id = ${tenantId} and erased_by = ${erasedBy} order by event_id`);
  return event?.digest === erasureDigest(together);
}

const unrecorded = (erasedBy: Id): Problem => ({
  kind: 'ERASURE',
  eventId: erasedBy,
  message: `Events were erased as event ${erasedBy} is said to record, which is gone or names others.`,
});

const unsigned = ({ id, erasedBy }: Row): Problem => ({
  kind: 'ERASURE',
  eventId: id,
  message: `Event ${id} is said to be erased by event ${erasedBy}, and no known key has signed that.`,
});
