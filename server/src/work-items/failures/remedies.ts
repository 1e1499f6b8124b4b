import { signatureOf, stringifyJson, type Id } from '@millrace/api';
import { sql, type Db } from '../../engine/db.ts';
import type { Context, QueueContext } from '../../engine/operation.ts';
import { eraseEvents, type Erasing } from '../../journal/erase.ts';
import type { Item } from '../item/rules.ts';
import { keyOf, type Cause } from './clusters.ts';

/** The cause of a failed item; undefined for another one. */
function causeOf({ failureKind, error }: Item): Cause | undefined {
  return failureKind && { signature: signatureOf(error), failureKind };
}

/**
 * Records that items, in their state before, are restarted by a batch, so that their clusters can show the outcome. Returns the remedy of
 * each item, by its id.
 */
export async function noteRemedies(
  { db, queue, actor, now }: QueueContext,
  batchId: Id,
  items: readonly Item[],
): Promise<ReadonlyMap<Id, Id>> {
  const causes = new Map<string, Cause & { restarted: number }>();
  for (const item of items) {
    const cause = causeOf(item);
    if (!cause) continue;
    const { restarted = 0 } = causes.get(keyOf(cause)) ?? {};
    causes.set(keyOf(cause), { ...cause, restarted: restarted + 1 });
  }
  if (causes.size === 0) return new Map();
  const rows = await db.rows<Cause & { id: Id }>(sql`
    insert into remedies (queue_id, error_signature, failure_kind, batch_id, restarted, created_by, created_on)
    select ${queue.id}, c.signature, c."failureKind", ${batchId}, c.restarted, ${actor.id}, ${now}
    from json_to_recordset(${stringifyJson([...causes.values()])}::json) as c (signature text, "failureKind" text, restarted int)
    on conflict (queue_id, batch_id, error_signature, failure_kind)
    do update set restarted = remedies.restarted + excluded.restarted
    returning id, error_signature as signature, failure_kind as "failureKind"`);
  const remedies = new Map(rows.map((row) => [keyOf(row), row.id]));
  return new Map(
    items.flatMap((item) => {
      const cause = causeOf(item);
      const remedy = cause && remedies.get(keyOf(cause));
      return remedy === undefined ? [] : [[item.id, remedy] as const];
    }),
  );
}

/** The signatures of the failures of items, both present ones and those from before a restart. */
export async function selectSignatures(db: Db, queueId: Id, itemIds: readonly Id[]): Promise<string[]> {
  const rows = await db.rows<{ signature: string }>(sql`
    with items as materialized (
      select error_signature, remedy_id from work_items where queue_id = ${queueId} and id = any(${itemIds}::bigint[]))
    select error_signature as signature from items where error_signature is not null
    union select r.error_signature from items i
    join remedies r on r.queue_id = ${queueId} and r.id = i.remedy_id`);
  return rows.map(({ signature }) => signature);
}

/** Forgets notes and remedies for causes without failed items in the queue, in events as well: their signatures may name somebody. */
export async function forgetCauses(
  context: Context,
  { tenantId, queueId }: { readonly tenantId: Id; readonly queueId: Id },
  signatures: readonly string[],
  erasing: Erasing,
): Promise<void> {
  const { db } = context;
  if (signatures.length === 0) return;
  const rows = await db.rows<{ signature: string }>(sql`
    select s.signature from unnest(${signatures}::text[]) as s (signature) where not exists (
      select from work_items w
      where w.queue_id = ${queueId} and w.status = 'FAILED' and w.error_signature = s.signature)`);
  const gone = rows.map(({ signature }) => signature);
  const isGone = sql`queue_id = ${queueId} and error_signature = any(${gone}::text[])`;
  await db.write(sql`delete from remedies where ${isGone}`);
  await db.write(sql`delete from failure_notes where ${isGone}`);
  for (;;) {
    const notes = await selectNotes(db, queueId, gone);
    if (notes.length === 0) return;
    const erased = notes.map(({ id, failureKind }) => ({
      ...{ queueId, itemId: 0, id },
      left: { changes: { failureKind } },
    }));
    await eraseEvents(context, tenantId, erased, erasing);
  }
}

const notesAtOnce = 500;

/** Events of the queue with notes about causes. */
function selectNotes(db: Db, queueId: Id, signatures: readonly string[]) {
  return db.rows<{ id: Id; failureKind: string }>(sql`
    select e.id, e.changes ->> 'failureKind' as "failureKind" from events e
    where e.queue_id = ${queueId} and e.item_id = 0 and e.operation = 'noteFailureCluster'
      and e.changes ->> 'signature' = any(${signatures}::text[])
    order by e.id limit ${notesAtOnce}`);
}
