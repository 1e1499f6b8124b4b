import type { Id, Schemas } from '@millrace/api';
import { empty, forAnswer, named, raw, sql, type Db, type Sql } from '../../engine/db.ts';
import {
  Idle,
  type BatchCall,
  type BatchContext,
  type BatchOperation,
  type QueueDefinition,
  type TenantContext,
} from '../../engine/operation.ts';
import { bytesBefore, portionBytes } from '../../engine/portions.ts';
import { refusalsOf } from '../../fleet/devices/runs.ts';
import { endDrainedCycles, journalOfRows } from '../../journal/journal.ts';
import { isFormer, withPresentNames } from '../../records/record.ts';
import { disclosed } from '../../records/sealed.ts';
import { saveRecords } from '../../records/stored.ts';
import { leaseFrom } from '../item/rules.ts';
import { itemBytes, itemColumns } from '../item/sql.ts';

export const claimWorkItems: BatchOperation<'claimWorkItems'> = async (context, calls) => {
  const { db, queue, now } = context;
  const nothing = new Idle({ list: [] }, [queue.id]);
  await noteClaim(db, queue.id, now);
  if (queue.status === 'INACTIVE') return calls.map(() => nothing);
  const refusals = await refusalsOf(db, calls.map(claimantOf));
  const slots = slotsOf(
    calls.filter((_, index) => !refusals[index]),
    now,
  );
  const items = await leaseItems(context, { slots, operation: 'claimWorkItems' });
  if (items.length < slots.length) await endDrainedCycles(db, [queue.id]);
  return calls.map(({ input }, index) => {
    const refusal = refusals[index];
    if (refusal) return refusal;
    const list = items.splice(0, input.body.count ?? 1);
    return list.length > 0 ? { list } : nothing;
  });
};

/** Leases the next items of a queue to devices, in the order of the slots; fewer where no more wait. */
export async function takeItems(
  context: ClaimContext,
  slots: readonly DeviceSlot[],
  operation: string,
): Promise<Schemas['WorkItem'][]> {
  const leased = slots.map(({ leaseSeconds, ...slot }) => ({
    ...slot,
    ...leaseFrom(context.now, leaseSeconds),
  }));
  return leaseItems(context, { slots: leased, operation });
}

/**
 * Leases one item like a claim, for the usual time.
 * @param itemId an item that is locked and can be claimed.
 */
export async function takeItem(
  context: ClaimContext,
  itemId: Id,
  holder: Pick<Slot, 'actorId' | 'deviceId'>,
  operation: string,
): Promise<void> {
  const { db, queue, now } = context;
  await noteClaim(db, queue.id, now);
  await leaseItems(context, { slots: [{ ...holder, ...leaseFrom(now) }], operation, itemId });
  // A consumer that takes items by their ids never finds the queue empty.
  await endDrainedCycles(db, [queue.id]);
}

type ClaimContext = Pick<BatchContext, 'db' | 'queue' | 'now' | 'wake' | 'marks'>;

/** A device's slot for an item, and the time of its lease without a heartbeat. */
type DeviceSlot = Omit<Slot, 'leaseExpiresOn' | 'leaseSeconds'> & {
  readonly leaseSeconds: number | undefined;
};

/** The number of items of a queue that can be claimed now, counted up to a limit: there may be very many. */
export function countClaimable(
  { db, now, marks }: Pick<TenantContext, 'db' | 'now' | 'marks'>,
  queueId: Id,
  limit: number,
): Promise<number> {
  return marks.look(queueId, async (start) => {
    const statement = sql`
      with ${walkFrom(queueId, start, { now, limit })}
      select (select count(*) from below)::int + count(*)::int as count, ${walked}
      from ready`;
    const [row] = await db.rows<Walk & { count: number }>(named('countClaimable', statement));
    return [row?.count ?? 0, foundBy(row)];
  });
}

function claimantOf({ actor, input }: BatchCall<'claimWorkItems'>) {
  return { userId: actor.id, deviceId: input.body.deviceId };
}

/** A slot for each item wanted by a call; the first caller is served in full before the next. */
function slotsOf(calls: readonly BatchCall<'claimWorkItems'>[], now: Date): Slot[] {
  return calls.flatMap(({ actor, input }) => {
    const { count = 1, deviceId, leaseSeconds } = input.body;
    const slot = { actorId: actor.id, deviceId, ...leaseFrom(now, leaseSeconds) };
    return Array.from({ length: count }, () => slot);
  });
}

/**
 * Leases the next items of a queue, in the order of the slots; fewer where no more wait, or where no more fit into one answer: then
 * consumers that wait for the others are woken at once.
 */
async function leaseItems(context: ClaimContext, claim: Claim): Promise<Schemas['WorkItem'][]> {
  const { db, queue, wake } = context;
  const { items, picked } = await claimItems(context, claim);
  if (items.length > 0) wake('events');
  if (picked > items.length) wake(queue.id, picked - items.length);
  const renamed = await renameGranted(db, queue, items);
  return queue.sealer ? renamed.map((item) => disclosed(queue, item)) : renamed;
}

/** Granted items under the present names of their attributes, which they keep while they are in progress. */
async function renameGranted<I extends Schemas['WorkItem'] & { id?: Id }>(
  db: Db,
  queue: QueueDefinition,
  granted: readonly I[],
): Promise<I[]> {
  const former = granted.filter(({ modelVersion = 0 }) => isFormer(queue, modelVersion));
  if (former.length === 0) return [...granted];
  const items = granted.map((item) => withPresentNames(queue, item));
  const ids = new Set(former.map(({ id }) => id));
  const renamed = items.filter(({ id }) => ids.has(id));
  const records = renamed.map(({ id = 0, json = {} }) => ({ id, json }));
  await saveRecords(db, queue, records, queue.modelVersion);
  return items;
}

/** The holder for a claimed item, and its lease. */
interface Slot {
  readonly actorId: Id;
  readonly deviceId?: Id | undefined;
  readonly leaseExpiresOn: Date;
  readonly leaseSeconds: number;
  /** The automation that sends the item to a device; `runAsUserId` is the user under whom its bot works. */
  readonly automationId?: Id | undefined;
  readonly runAsUserId?: Id | undefined;
}

/** Slots to be filled, and the operation that fills them. */
interface Claim {
  readonly slots: readonly Slot[];
  readonly operation: string;
  /** The wanted item, which is locked and can be claimed; the next ones when left out. */
  readonly itemId?: Id;
}

// Rows are joined by their place, for the reason given in item/save.ts. A row that changes between the snapshot and its lock has moved: it
// is not granted this time, and its lock ends with the transaction. A statement that must not miss a row has to lock it before.

/**
 * Leases the next items, one for each slot, in the order of claims, as many as fit into one answer, but at least one. Also returns the
 * number picked before that limit.
 */
async function claimItems({ db, queue, now, marks }: ClaimContext, claim: Claim) {
  const shape = columnsShape(queue);
  // Other records are parsed, to be renamed or opened.
  const isPassedOn = queue.namesSince === 0 && !queue.sealer;
  if (claim.itemId !== undefined) {
    const statement = claimStatement(queue, claim, now, thisItem(queue.id, claim.itemId));
    return grantedIn(await db.rows<Granted>(forAnswer(named(`claimItem ${shape}`, statement), isPassedOn)));
  }
  return marks.look(queue.id, async (start) => {
    const next = nextItems(queue.id, start, { now, limit: claim.slots.length });
    const statement = claimStatement(queue, claim, now, next);
    const rows = await db.rows<Granted>(forAnswer(named(`claimItems ${shape}`, statement), isPassedOn));
    const granted = grantedIn(rows);
    const taken = granted.items.map(({ id }) => id as Id);
    return [granted, foundBy(rows[0], taken)];
  });
}

/** Distinguishes the texts of a statement that reads display columns, which depend on former names of attributes and on their marks. */
function columnsShape({ attributes, displayColumns }: QueueDefinition): string {
  const shapeOf = (column: string) => {
    const { formerNames = [], sensitivity = '' } = attributes.find(({ name }) => name === column) ?? {};
    return `${formerNames.length}${sensitivity}`;
  };
  return displayColumns.map(shapeOf).join();
}

/** A row of the answer: a granted item, or none, beside the findings of the walk. */
type Granted = Schemas['WorkItem'] & Walk & { readonly turn?: number; readonly picked: number };

function grantedIn(rows: readonly Granted[]) {
  const items = rows.flatMap(({ turn, picked: _, passed: __, firstKey: ___, firstId: ____, ...item }) =>
    turn === undefined ? [] : [item],
  );
  return { items, picked: rows[0]?.picked ?? 0 };
}

/** @param picked the parts of the statement that lock the items, `picked`, and report the walk to them, `walk`. */
function claimStatement(queue: QueueDefinition, { slots, operation }: Claim, now: Date, picked: Sql): Sql {
  const [from, to] = [raw("'NEW'"), raw("'IN_PROGRESS'")];
  const granted = { source: raw('i'), actorId: raw('claimed_by'), deviceId: raw('device_id'), from, to };
  return sql`
    with ${picked},
    sized as materialized (
      select i.place, d.json, row_number() over (order by i.sort_key, i.id) as turn,
        ${bytesBefore(itemBytes(queue), sql`i.sort_key, i.id`)} as bytes_before
      from picked i cross join lateral (
        select json from work_item_data where queue_id = ${queue.id} and item_id = i.id offset 0) d),
    granted as materialized (
      select place, json as record, turn from sized where bytes_before < ${raw(String(portionBytes))}),
    i as (${leaseRows(slots, now)}),
    ${journalOfRows(queue.id, { ...granted, operation }, now)}
    select ${itemColumns(queue)}, i.turn, (select count(*) from picked)::int as picked, walk.*
    from walk left join (i cross join lateral (select i.record as json) d) on true order by i.turn`;
}

/** The next items from the low-water mark on, and the known ones below it. */
function nextItems(queueId: Id, start: Start, bounds: { now: Date; limit: number }): Sql {
  return sql`${walkFrom(queueId, start, { ...bounds, lock: raw('for no key update skip locked') })},
    picked as materialized (select * from below union all select * from ready),
    walk as materialized (select ${walked} from ready)`;
}

/** An item that is locked already. */
const thisItem = (queueId: Id, itemId: Id) => sql`
  picked as materialized (select ${pickedColumns} from work_items where queue_id = ${queueId} and id = ${itemId}),
  walk as materialized (select 0 as passed)`;

const pickedColumns = raw('ctid as place, id, sort_key, output, error, comment');

/** Leases the granted items, each to the slot of its turn. */
function leaseRows(slots: readonly Slot[], now: Date): Sql {
  const actorIds = slots.map(({ actorId }) => actorId);
  return sql`
    update work_items i set status = 'IN_PROGRESS', version = i.version + 1, started_on = ${now},
      lease_expires_on = (${slots.map((slot) => slot.leaseExpiresOn.toISOString())}::timestamptz[])[granted.turn],
      lease_seconds = (${slots.map((slot) => slot.leaseSeconds)}::real[])[granted.turn],
      device_id = ${idOf(slots, 'deviceId')}, automation_id = ${idOf(slots, 'automationId')},
      run_as_user_id = ${idOf(slots, 'runAsUserId')},
      claimed_by = (${actorIds}::bigint[])[granted.turn], updated_by = (${actorIds}::bigint[])[granted.turn],
      updated_on = ${now}
    from granted
    where i.ctid = granted.place
    returning i.*, granted.record, granted.turn::int`;
}

// Stands for a missing id: with a null among them, PostgreSQL would walk the list for each element.
const none = 0;

/** The id under this name in the slot of the granted item, or null. */
const idOf = (slots: readonly Slot[], name: 'deviceId' | 'automationId' | 'runAsUserId') =>
  sql`nullif((${slots.map((slot) => slot[name] ?? none)}::bigint[])[granted.turn], ${none})`;

/** The start of a look at the claimable items of a queue. */
type Start = Parameters<Parameters<TenantContext['marks']['look']>[1]>[0];

/** The findings of a look on its way. */
interface Walk {
  readonly passed: number;
  readonly firstKey?: Buffer;
  readonly firstId?: Id;
}

function foundBy({ passed = 0, firstKey, firstId }: Partial<Walk> = {}, taken: readonly Id[] = []) {
  const first = firstKey && firstId !== undefined ? { sortKey: firstKey, id: firstId } : undefined;
  return { first, taken, passed };
}

const open = (now: Date) => sql`not_before is null and (expires_on is null or expires_on > ${now})`;
const readyIndex = raw("'work_items_ready'::regclass");

/**
 * The next claimable items of a queue, as parts of a statement: `below` has the known ones below its low-water mark, each looked up by its
 * id, and `ready` those from the mark on, in the order of the index. PostgreSQL counts the entries that it walks over; the count is read
 * where the walk begins.
 */
function walkFrom(
  queueId: Id,
  { from, below }: Start,
  { now, limit, lock = empty }: { now: Date; limit: number; lock?: Sql },
): Sql {
  // With the index's own comparison, the planner might look for the ids in the index of ready items, and walk over all of it.
  const isNew = raw(`status || '' = 'NEW'`);
  const mark = raw('((select sort_key from mark), (select id from mark))');
  return sql`
    mark as materialized (
      select ${from.sortKey}::bytea as sort_key, ${from.id}::bigint as id,
        pg_stat_get_xact_tuples_returned(${readyIndex}) as walked),
    below as materialized (
      select ${pickedColumns} from work_items
      where queue_id = ${queueId} and id = any(${below}::bigint[]) and ${isNew} and ${open(now)}
        and (sort_key, id) < ${mark}
      order by sort_key, id limit ${limit} ${lock}),
    ready as materialized (
      select ${pickedColumns} from work_items
      where queue_id = ${queueId} and status = 'NEW' and ${open(now)} and (sort_key, id) >= ${mark}
      order by sort_key, id limit ${limit} - (select count(*) from below) ${lock})`;
}

/** The columns of a walk, from the items that it found; evaluated after all of them were found. */
const walked = sql`
  (pg_stat_get_xact_tuples_returned(${readyIndex}) - (select walked from mark) - count(*))::int as passed,
  (array_agg(sort_key order by sort_key, id))[1] as "firstKey", (array_agg(id order by sort_key, id))[1] as "firstId"`;

/**
 * Notes that consumers ask for items of a queue; once in some seconds, as they may ask all the time. Explanations of why nothing moves use
 * it to tell whether there is a consumer.
 */
async function noteClaim(db: Db, queueId: Id, now: Date): Promise<void> {
  const statement = sql`
    insert into queue_claims (queue_id, asked_on) select ${queueId}, ${now}
    where not exists (select from queue_claims
      where queue_id = ${queueId} and asked_on > ${now}::timestamptz - interval '20 seconds')
    on conflict (queue_id) do update set asked_on = excluded.asked_on`;
  await db.write(named('noteClaim', statement));
}
