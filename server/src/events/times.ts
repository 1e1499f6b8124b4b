import { toId, type Id } from '@millrace/api';
import { named, raw, sql, type Reader, type Sql } from '../engine/db.ts';
import type { Filter, View } from './feed.ts';
import type { Position } from './rules.ts';

/**
 * An event has the time at which its transaction began, and the place in the feed of that transaction's first write, or of the event that
 * it follows: the place is later than the time by at most the length of the transaction.
 */
const longestTransactionMs = 10 * 60_000;

/** The stretch of the feed that contains all events of the time range; the filter removes the others in it. */
export async function selectRange(
  db: Reader,
  { tenantId, filter: { from, until, itemId } }: View,
): Promise<{ after?: Position | undefined; before?: Position | undefined }> {
  // An item has few events.
  if (itemId !== undefined) return {};
  const [after, before] = await Promise.all([
    from === undefined ? undefined : selectPlace(db, tenantId, shifted(from, -longestTransactionMs)),
    until === undefined ? undefined : selectPlace(db, tenantId, shifted(until, longestTransactionMs)),
  ]);
  // The end of the range includes the last event before the time, and the beginning comes after the last one before its own.
  return { after, before: before && { ...before, id: toId(String(BigInt(before.id) + 1n)) } };
}

/**
 * The stretch of the feed that contains all events of a batch, from the events of the batch itself, which are among the few of its queue.
 * Its end is known once the batch is complete; its beginning, unless a bulk action had changed items before the batch's first event.
 */
export async function selectSpanOfBatch(
  db: Reader,
  { queueIds = [], batchId }: Filter,
): Promise<{ after?: Position; before?: Position }> {
  const [queueId, ...others] = queueIds;
  if (queueId === undefined || others.length > 0 || batchId === undefined) return {};
  const [span] = await db.rows<Span>(sql`
    select min(e.tx)::text as first, max(e.tx)::text as last,
      (array_agg(e.operation order by e.tx, e.id))[1] in ('createBatch', 'createWorkItemsFromFile') as "isWhole",
      (array_agg(e.operation order by e.tx desc, e.id desc)
        filter (where e.operation in ('completeBatch', 'reopenBatch')))[1] = 'completeBatch' as "isComplete"
    from events e where e.queue_id = ${queueId} and e.item_id = 0 and e.batch_id = ${batchId}`);
  const { first, last, isWhole, isComplete } = span ?? {};
  return {
    ...(first !== undefined && isWhole && { after: { tx: first, id: 0 } }),
    ...(last !== undefined && isComplete && { before: { tx: String(BigInt(last) + 1n), id: 0 } }),
  };
}

interface Span {
  readonly first?: string;
  readonly last?: string;
  readonly isWhole?: boolean;
  readonly isComplete?: boolean;
}

function shifted(time: string, milliseconds: number): Date {
  return new Date(new Date(time).getTime() + milliseconds);
}

async function selectPlace(db: Reader, tenantId: Id, time: Date): Promise<Position | undefined> {
  const [place] = await selectPlaces(db, tenantId, [time]);
  return place;
}

/**
 * The last event in the feed before each time, as a position, by halving: an index by time would cost every change some of its speed.
 * Each half is one look at the index of the feed. After a restore the events of the past count as one transaction, within which
 * their ids are halved likewise.
 */
export function selectPlaces(db: Reader, tenantId: Id, times: readonly Date[]): Promise<Position[]> {
  return db.rows<Position>(
    named(
      'selectPlacesOfTimes',
      sql`
    select p.tx, p.id from unnest(${times}::timestamptz[]) with ordinality as w (time, turn) cross join lateral (
      with recursive ${halving(raw('by_tx'), {
        low: raw('0'),
        high: raw('pg_snapshot_xmin(pg_current_snapshot())::text::numeric'),
        probe: sql`select e.tx::text::numeric as place, e.at from events e
          where e.tenant_id = ${tenantId} and e.tx >= h.middle::text::xid8 order by e.tx, e.id limit 1`,
      })},
      last_before as (
        select e.tx, e.id from events e
        where e.tenant_id = ${tenantId} and e.tx < (select low::text::xid8 from by_tx where low >= high)
        order by e.tx desc, e.id desc limit 1),
      ${halving(raw('by_id'), {
        low: raw('0'),
        high: raw('(select id + 1 from last_before)'),
        probe: sql`select e.id::numeric as place, e.at from events e
          where e.tenant_id = ${tenantId} and e.tx = (select tx from last_before) and e.id >= h.middle::bigint
          order by e.id limit 1`,
      })}
      select coalesce(l.tx::text, t.low::text) as tx, coalesce(i.low - 1, 0)::bigint as id
      from by_tx t left join last_before l on true left join by_id i on i.low >= i.high where t.low >= t.high) p
    order by w.turn`,
    ),
  );
}

interface Halving {
  readonly low: Sql;
  readonly high: Sql;
  /** The first event at or after the middle `h.middle`. */
  readonly probe: Sql;
}

/** Halves what lies between two places until it is one: the first behind which an event is not before the time `w.time`. */
function halving(name: Sql, { low, high, probe }: Halving): Sql {
  return sql`${name} (low, high) as (
      select ${low}::numeric, ${high}::numeric
      union all
      select case when p.at < w.time then p.place + 1 else h.low end, case when p.at < w.time then h.high else h.middle end
      from (select b.low, b.high, trunc((b.low + b.high) / 2) as middle from ${name} b where b.low < b.high) h
        left join lateral (${probe}) p on true)`;
}
