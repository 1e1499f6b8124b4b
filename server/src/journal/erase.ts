import { sign } from 'node:crypto';
import type { Id } from '@millrace/api';
import { sql, type Db } from '../engine/db.ts';
import { jsonLists } from '../engine/json/write.ts';
import type { Context } from '../engine/operation.ts';
import { eventHash } from './canonical.ts';
import { erasureDigest, erasureText, type Erasure } from './erasure.rules.ts';
import { recordTenantEvents } from './journal.ts';

/** An event to be erased. */
export interface Erased {
  readonly queueId: Id;
  /** 0 for an event without an item. */
  readonly itemId: Id;
  readonly id: Id;
  /** The rest of its contents; without it nothing is left of the event. */
  readonly left?: { readonly changes?: object | undefined; readonly reason?: string | undefined };
}

/** The rule by which events are erased, as it will be recorded. */
export interface Erasing {
  readonly operation: string;
  readonly actorId: Id;
  readonly reason: string;
}

export type ErasingContext = Pick<Context, 'db' | 'now' | 'wake' | 'recordKey'>;

/**
 * Erases events of a tenant, or changes their contents, some thousand at most, so that their seals still prove all others: the hash of each
 * stays, an event records their number, the reason and a digest of them, and the server signs the former and the new hash of each. Deleting
 * or changing events in any other way breaks the seals on them.
 */
export async function eraseEvents(
  context: ErasingContext,
  tenantId: Id,
  events: readonly Erased[],
  rule: Erasing,
): Promise<void> {
  const { db } = context;
  const erasures: Erasure[] = [];
  for (const queueId of new Set(events.map((event) => event.queueId))) {
    const ofQueue = events.filter((event) => event.queueId === queueId);
    const where = { tenantId, queueId };
    for (const event of ofQueue.filter(({ left }) => !left))
      erasures.push(...(await deleteEvent(db, where, event)));
    const changed = ofQueue.filter(({ left }) => left);
    for await (const list of jsonLists(changed, rowOf))
      erasures.push(...(await updateEvents(db, where, list)));
  }
  if (erasures.length > 0) await recordErasures(context, tenantId, erasures, rule);
}

/** Records erasures, by an event and by a signature on each. @returns the id of the event */
export async function recordErasures(
  context: ErasingContext,
  tenantId: Id,
  erasures: readonly Erasure[],
  { changes, ...rule }: Erasing & { readonly changes?: object },
): Promise<Id> {
  const digest = erasureDigest(erasures);
  const event = { ...rule, changes: { erased: erasures.length, digest, ...changes } };
  await recordTenantEvents(context, tenantId, [event]);
  const list = await signed(context, tenantId, erasures);
  await insertErasures(context.db, tenantId, list);
  return (list[0] as SignedErasure).by;
}

const rowOf = ({ id, itemId, left }: Erased) => ({ id, itemId, ...left });

type Where = Pick<Erased, 'queueId'> & { readonly tenantId: Id };

function deleteEvent(db: Db, { tenantId, queueId }: Where, { itemId, id }: Erased): Promise<Erasure[]> {
  return db.rows<Erasure>(sql`
    delete from events e
    where e.tenant_id = ${tenantId} and e.queue_id = ${queueId} and e.item_id = ${itemId} and e.id = ${id}
    returning e.id, encode(${eventHash}, 'hex') as before`);
}

function updateEvents(db: Db, { tenantId, queueId }: Where, list: string): Promise<Erasure[]> {
  return db.rows<Erasure>(sql`
    with r as materialized (
      select * from json_to_recordset(${list}::json) as r (id bigint, "itemId" bigint, changes json, reason text)),
    former as materialized (
      select e.id, e.item_id, encode(${eventHash}, 'hex') as before
      from r join events e on e.queue_id = ${queueId} and e.item_id = r."itemId" and e.id = r.id
      where e.tenant_id = ${tenantId} order by e.item_id, e.id for update of e)
    update events e set changes = r.changes, reason = r.reason from r join former f on f.id = r.id
    where e.queue_id = ${queueId} and e.item_id = f.item_id and e.id = f.id
    returning e.id, f.before, encode(${eventHash}, 'hex') as hash`);
}

interface SignedErasure extends Erasure {
  readonly by: Id;
  readonly keyId: string;
  readonly signature: string;
}

/** Signs erasures. The event that records them is the newest of this transaction. */
async function signed(
  context: ErasingContext,
  tenantId: Id,
  erasures: readonly Erasure[],
): Promise<SignedErasure[]> {
  const key = await context.recordKey(context);
  const place = await context.db.row<{ tenant: string; by: Id }>(sql`
    select t.uuid as tenant, e.id as by from tenants t, lateral (
      select id from events where queue_id = 0 and item_id = 0 and tenant_id = t.id and tx = pg_current_xact_id()
        and changes ->> 'digest' = ${erasureDigest(erasures)} order by id desc limit 1) e
    where t.id = ${tenantId}`);
  const { tenant, by } = place as { tenant: string; by: Id };
  return erasures.map((erasure) => {
    const text = erasureText({ tenant, by, keyId: key.id }, erasure);
    const signature = sign(null, Buffer.from(text), key.privateKey).toString('base64');
    return { ...erasure, by, keyId: key.id, signature };
  });
}

async function insertErasures(db: Db, tenantId: Id, erasures: readonly SignedErasure[]): Promise<void> {
  for await (const list of jsonLists(erasures))
    await db.rows(sql`
      insert into audit_erasures (tenant_id, erased_by, event_id, before, hash, key_id, signature)
      select ${tenantId}, r.by, r.id, decode(r.before, 'hex'), decode(r.hash, 'hex'), r."keyId", decode(r.signature, 'base64')
      from json_to_recordset(${list}::json) as r (id bigint, by bigint, before text, hash text, "keyId" text, signature text)`);
}
