import type { Id } from '@millrace/api';
import { sql, type Db, type Sql } from '../db.ts';

/** What an update of a queue sets to have all its items looked at anew, from the first on, if wanted for their expiry as well. */
export const lookedAtAnew = ({ renewsExpiry }: { readonly renewsExpiry: boolean }): Sql => sql`
  rekey_after = 0, rekey_horizon = null, rekey_until = null, renews_expiry = renews_expiry or ${renewsExpiry}`;

export async function startRekeying(db: Db, queueId: Id): Promise<void> {
  await db.rows(sql`update queues set ${lookedAtAnew({ renewsExpiry: false })} where id = ${queueId}`);
}

/** A queue whose items are being brought to its present order. */
export interface Rekeying {
  readonly id: Id;
  /** Items up to this id are done. */
  readonly after: Id;
  /** The last one to be done; unknown before those who write by the former order are over. */
  readonly until?: Id;
  /** Whether it was noted which transactions may still write by the former order. */
  readonly isMarked: boolean;
  /** Whether those are over, so that the items they wrote can be seen. */
  readonly isClear: boolean;
  /** Whether its items get its present expiry as well. */
  readonly renewsExpiry: boolean;
}

/** Some queues to be worked on, locked against changes; those that another server works on are skipped. */
export function lockQueuesToRekey(db: Db): Promise<Rekeying[]> {
  return db.rows<Rekeying>(sql`
    select id, rekey_after as "after", rekey_until as "until", rekey_horizon is not null as "isMarked",
      coalesce(rekey_horizon <= pg_snapshot_xmin(pg_current_snapshot()), false) as "isClear",
      renews_expiry as "renewsExpiry"
    from queues where rekey_after is not null order by id limit 10 for no key update skip locked`);
}

/** Notes that all transactions that have begun until now may still write by the former order. */
export async function markWriters(db: Db, queueId: Id): Promise<void> {
  await db.rows(sql`
    update queues set rekey_horizon = pg_snapshot_xmax(pg_current_snapshot()) where id = ${queueId}`);
}

/** Notes up to which item the queue is done, and which is the last. */
export async function saveRekeyed(
  db: Db,
  queueId: Id,
  { after, until }: { after: Id; until: Id },
): Promise<void> {
  await db.rows(sql`update queues set rekey_after = ${after}, rekey_until = ${until} where id = ${queueId}`);
}

/** Notes that all items of the queue are where they belong. */
export async function endRekeying(db: Db, queueId: Id): Promise<void> {
  await db.rows(sql`
    update queues set rekey_after = null, rekey_horizon = null, rekey_until = null, renews_expiry = false where id = ${queueId}`);
}
