import { sign } from 'node:crypto';
import type { Id } from '@millrace/api';
import { raw, sql, type Db, type Reader } from '../engine/db.ts';
import type { Job } from '../engine/job-loop.ts';
import type { Log, SealingKey } from '../engine/operation.ts';
import { bytesBefore } from '../engine/portions.ts';
import { eventHash } from '../journal/canonical.ts';
import { recordErasures, type ErasingContext } from '../journal/erase.ts';
import { formerDigest, type Erasure } from '../journal/erasure.rules.ts';
import { millrace } from '../journal/journal.ts';
import { sealingKeyOf } from './keys.ts';
import { hashOf, hashOfSeal, noSeal, sealText, type Seal } from './seal.rules.ts';

/** Settings of the sealing of events. */
export interface Sealing {
  /** The file of the private key, made there when missing. */
  readonly keyFile: string;
  /** Longest wait of an event for others to be sealed with it. */
  readonly waitSeconds: number;
}

// A statement hashes this many within moments, however large their changes are.
const eventsOfSeal = 1000;
const bytesOfSeal = 16 * 1024 * 1024;
const sealsAtOnce = 10;
// After a large change there is much to seal. Sealing is never urgent: other work comes first.
const busyMs = 100;
// Only people can help a server that cannot have a key.
const keylessMs = 60_000;

const horizon = raw('pg_snapshot_xmin(pg_current_snapshot())');
// Any number will do, as long as every Millrace server takes the same.
const sealingLock = 7_455_704;

/**
 * Seals the events behind the horizon of the feed, where no further ones can appear. One server does it at a time, some thousand events in
 * one go; writers are not involved.
 */
export function sealEvents({ keyFile, waitSeconds }: Sealing): Job {
  const pauseMs = Math.min(Math.max(250 * waitSeconds, 1000), 15_000);
  return {
    name: 'sealEvents',
    run: async (context) => {
      const { db, now, log } = context;
      if (!(await tryLock(db))) return pauseMs;
      const due = await selectDue(db, new Date(now.getTime() - 1000 * waitSeconds));
      const former = await selectFormer(db);
      if (due.length + former.length === 0) return pauseMs;
      const key = await sealingKeyOf(context, keyFile).catch((error: Error) => {
        sayWaiting(log, keyFile, error);
        return undefined;
      });
      if (!key) return keylessMs;
      await signFormer({ ...context, recordKey: () => Promise.resolve(key) }, former);
      let left = sealsAtOnce;
      for (const chain of due) left -= await extend(db, chain, { key, now, most: left });
      return left === 0 || former.length > 0 ? busyMs : pauseMs;
    },
  };
}

function sayWaiting(log: Log, keyFile: string, error: Error): void {
  log.error(
    { job: 'sealEvents', err: error },
    `Events wait to be sealed: there is no key in ${keyFile}, or it cannot be used. Let the server write there, or set MILLRACE_SEALING_KEY_FILE.`,
  );
}

/** The end of a tenant's seals: the newest seal, and the place in the feed up to which events are sealed. */
interface Chain {
  readonly tenantId: Id;
  readonly tenant: string;
  /** Of the newest seal; 0 for none. */
  readonly number: number;
  readonly head: string;
  readonly tx: string;
  readonly eventId: Id;
}

interface Extension {
  readonly key: SealingKey;
  readonly now: Date;
  readonly most: number;
}

/** Adds seals for the events that wait for one. @returns their number */
async function extend(db: Db, start: Chain, { key, now, most }: Extension): Promise<number> {
  let chain = start;
  for (let seals = 0; seals < most; seals += 1) {
    const events = await selectUnsealed(db, chain);
    if (events.length === 0) return seals;
    const seal = sealOf(chain, events, { keyId: key.id, now });
    const signature = sign(null, Buffer.from(sealText(seal)), key.privateKey);
    chain = after(chain, seal, events);
    await insertSeal(db, chain.tenantId, { seal, signature, events });
    await saveChain(db, chain);
    if (events.length < eventsOfSeal) return seals + 1;
  }
  return most;
}

/** An event to be sealed. */
interface Unsealed {
  readonly id: Id;
  readonly tx: string;
  readonly hash: Buffer;
}

function sealOf(chain: Chain, events: readonly Unsealed[], by: { keyId: string; now: Date }): Seal {
  return {
    tenant: chain.tenant,
    number: chain.number + 1,
    first: placeOf(events[0]),
    last: placeOf(events.at(-1)),
    events: events.length,
    root: hashOf(Buffer.concat(events.map(({ hash }) => hash))),
    previous: chain.head,
    sealedOn: by.now.toISOString(),
    keyId: by.keyId,
  };
}

function placeOf(event: Unsealed | undefined): string {
  return `${event?.tx}-${event?.id}`;
}

function after(chain: Chain, seal: Seal, events: readonly Unsealed[]): Chain {
  const { tx, id } = events.at(-1) as Unsealed;
  return { ...chain, number: seal.number, head: hashOfSeal(seal), tx, eventId: id };
}

async function tryLock(db: Db): Promise<boolean> {
  const row = await db.row<{ taken: boolean }>(
    sql`select pg_try_advisory_xact_lock(${sealingLock}) as taken`,
  );
  return row?.taken ?? false;
}

/**
 * The chains of tenants with an event that has waited since a time, or with enough events for a full seal; some at a time, the oldest
 * first.
 */
function selectDue(db: Db, since: Date): Promise<Chain[]> {
  return db.rows<Chain>(sql`
    select t.id as "tenantId", t.uuid as tenant, coalesce(c.number, 0) as number,
      coalesce(encode(c.head, 'hex'), ${noSeal}) as head, coalesce(c.tx, '0')::text as tx, coalesce(c.event_id, 0) as "eventId"
    from tenants t left join audit_chains c on c.tenant_id = t.id,
      lateral (select e.at from events e where e.tenant_id = t.id
        and (e.tx, e.id) > (coalesce(c.tx, '0'), coalesce(c.event_id, 0)) and e.tx < ${horizon}
        order by e.tx, e.id limit 1) oldest
    where oldest.at <= ${since} or exists (
      select from events e where e.tenant_id = t.id
        and (e.tx, e.id) > (coalesce(c.tx, '0'), coalesce(c.event_id, 0)) and e.tx < ${horizon}
      order by e.tx, e.id offset ${eventsOfSeal - 1})
    order by oldest.at limit ${sealsAtOnce}`);
}

/** The oldest unsealed events, in the order of the feed; hashes are made only of those that fit into one seal. */
function selectUnsealed(db: Db, { tenantId, tx, eventId }: Chain): Promise<Unsealed[]> {
  return db.rows<Unsealed>(sql`
    select e.id, e.tx::text as tx, ${eventHash} as hash
    from (
      select s.*, ${bytesBefore(raw('pg_column_size(s.changes)'), raw('s.tx, s.id'))} as bytes_before from (
        select * from events where tenant_id = ${tenantId} and (tx, id) > (${tx}::xid8, ${eventId}::bigint) and tx < ${horizon}
        order by tx, id limit ${eventsOfSeal}) s) e
    where e.bytes_before < ${bytesOfSeal} order by e.tx, e.id`);
}

interface Made {
  readonly seal: Seal;
  readonly signature: Buffer;
  readonly events: readonly Unsealed[];
}

async function insertSeal(db: Db, tenantId: Id, { seal, signature, events }: Made): Promise<void> {
  const [first, last] = [events[0], events.at(-1)] as [Unsealed, Unsealed];
  const ids = events.map(({ id }) => id);
  await db.rows(sql`
    insert into audit_seals (tenant_id, number, first_tx, first_id, last_tx, last_id, events, root, previous, sealed_on,
      key_id, signature, event_ids, event_hashes, lowest_id, highest_id)
    select ${tenantId}, ${seal.number}, ${first.tx}::xid8, ${first.id}, ${last.tx}::xid8, ${last.id}, ${seal.events},
      decode(${seal.root}, 'hex'), decode(${seal.previous}, 'hex'), ${seal.sealedOn}, ${seal.keyId}, ${signature}::bytea,
      ${ids}::bigint[], ${Buffer.concat(events.map(({ hash }) => hash))}::bytea,
      (select min(id) from unnest(${ids}::bigint[]) id), (select max(id) from unnest(${ids}::bigint[]) id)`);
}

async function saveChain(db: Db, { tenantId, number, head, tx, eventId }: Chain): Promise<void> {
  await db.rows(sql`
    insert into audit_chains (tenant_id, number, head, tx, event_id)
    values (${tenantId}, ${number}, decode(${head}, 'hex'), ${tx}::xid8, ${eventId})
    on conflict (tenant_id) do update set number = excluded.number, head = excluded.head, tx = excluded.tx,
      event_id = excluded.event_id`);
}

const operation = 'signErasures';
// Each is of some thousand events at most.
const recordsAtOnce = 10;

/** An event that records erasures of the former kind, as stored in the database. */
interface Former {
  readonly tenantId: Id;
  readonly erasedBy: Id;
}

/** Events that record erasures of the former kind; some at a time, the oldest first. */
function selectFormer(db: Reader): Promise<Former[]> {
  return db.rows<Former>(sql`
    select distinct tenant_id as "tenantId", erased_by as "erasedBy" from audit_erasures
    where of_former_kind and signature is null order by tenant_id, erased_by limit ${recordsAtOnce}`);
}

/**
 * Signs erasures from before the version that signs each of them, by the rule of that time: an event records the new hash of each erased
 * event, and the seal has the original one. The last erasure of a tenant ends this for good, so that nothing can be added later to be
 * signed.
 */
async function signFormer(context: ErasingContext, former: readonly Former[]): Promise<void> {
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
