import type { Id, Schemas } from '@millrace/api';
import { sql, type Reader } from '../engine/db.ts';
import { Refusal } from '../engine/errors.ts';
import type { PlainOperation } from '../engine/operation.ts';
import { refuseContradictions, viewOf } from './events.ts';
import { isVisible, matches, scanned, type View } from './feed.ts';
import { earlierOf, laterOf, type Position } from './rules.ts';
import { selectPlaces, selectRange, selectSpanOfBatch } from './times.ts';

/** Events that are counted one by one, the newest of the range. */
const countedSingly = 20_000;

export const countEvents: PlainOperation<'countEvents'> = async (context, { query }) => {
  refuseContradictions(query);
  const { db, now } = context;
  const grid = gridOf(query, now);
  const [first = 0] = grid.starts;
  const from = new Date(query.from ?? first);
  const within = { from: from.toISOString(), until: grid.until.toISOString() };
  const view = await viewOf(context, { ...query, ...within });
  const newest = await countNewest(db, view, grid);
  // The span that was not counted to its beginning is among the older ones.
  const older = grid.starts.filter((start) => start <= newest.after);
  const ends = [...grid.starts, grid.until.getTime()].slice(1, older.length + 1);
  const edges = [from.getTime(), ...ends].map((time) => new Date(time));
  const estimates = older.length > 0 ? await countOlder(db, view, edges) : [];
  const list = grid.starts.map((start, index) => ({
    from: new Date(start).toISOString(),
    ...(estimates[index] ?? { count: newest.counts.get(start) ?? 0 }),
  }));
  return { step: grid.step, from: new Date(first).toISOString(), until: within.until, list };
};

/** The newest events by spans, and the time in milliseconds after which these are all. */
interface Newest {
  readonly after: number;
  readonly counts: ReadonlyMap<number, number>;
}

async function countNewest(db: Reader, view: View, { step }: Grid): Promise<Newest> {
  const [range, batch] = [await selectRange(db, view), await selectSpanOfBatch(db, view.filter)];
  const stretch = {
    after: laterOf(range.after, batch.after),
    before: earlierOf(range.before, batch.before),
    isBackwards: true,
  };
  const rows = await db.rows<{ from?: Date; count: number; last?: Date }>(sql`
    with s as materialized (${scanned(view, stretch, countedSingly)})
    select null::timestamptz as "from", count(*)::int as count, (select at from s order by tx, id limit 1) as last from s
    union all
    select date_bin(make_interval(secs => ${step}), s.at, '1970-01-01Z'), count(*)::int, null from s
    where ${isVisible(view)} and ${matches(view.filter)} group by 1`);
  const looked = rows.find(({ from }) => from === undefined);
  const isAll = (looked?.count ?? 0) < countedSingly;
  const counts = new Map(rows.flatMap(({ from, count }) => (from ? [[from.getTime(), count] as const] : [])));
  return { after: isAll ? -Infinity : (looked?.last?.getTime() ?? -Infinity), counts };
}

/** The counts between each two neighbours of some times, as far as the first events there tell. */
async function countOlder(db: Reader, view: View, edges: readonly Date[]) {
  const places = await selectPlaces(db, view.tenantId, edges);
  const samples = await selectSamples(db, view, places);
  return samples.map(countIn);
}

function selectSamples(db: Reader, view: View, places: readonly Position[]): Promise<Sample[]> {
  const { tenantId, filter } = view;
  const [begins, ends] = [places.slice(0, -1), places.slice(1)];
  const txs = (list: readonly Position[]) => list.map(({ tx }) => tx);
  const ids = (list: readonly Position[]) => list.map(({ id }) => id);
  return db.rows<Sample>(sql`
    select c.*, p.end_id as "end" from unnest(${txs(begins)}::text[], ${ids(begins)}::bigint[], ${txs(ends)}::text[], ${ids(ends)}::bigint[])
      with ordinality as p (tx, id, end_tx, end_id, turn)
    cross join lateral (
      select count(*)::int as looked, min(s.id) as first, max(s.id) as last,
        count(*) filter (where (${filter.itemId}::bigint is null or s.item_id = ${filter.itemId}::bigint)
          and ${isVisible(view)} and ${matches(filter)})::int as matched
      from (
        select * from events e where e.tenant_id = ${tenantId}
          and (e.tx, e.id) > (p.tx::xid8, p.id) and (e.tx, e.id) <= (p.end_tx::xid8, p.end_id)
        order by e.tx, e.id limit ${sampled}) s) c
    order by p.turn`);
}

/** Lengths of spans in seconds; each holds the ones before it whole, but for a week, which holds days. */
const steps = [1, 5, 15, 60, 300, 900, 3600, 21_600, 86_400, 604_800] as const;
const mostSpans = 120;
const day = 86_400;
const mostDays = 800;

/** A time range cut into spans that begin at whole multiples of their length, the first and last of which may reach out of it. */
interface Grid {
  /** Seconds of a span. */
  readonly step: number;
  readonly from: Date;
  readonly until: Date;
  /** When each span begins, in milliseconds. */
  readonly starts: readonly number[];
}

interface Wanted {
  readonly from?: string | undefined;
  readonly until?: string | undefined;
}

/**
 * The spans to count in: of the last day unless told otherwise, as short as so many allow.
 * @throws Refusal when nothing of the range is over yet, or it is too long
 */
export function gridOf(wanted: Wanted, now: Date): Grid {
  const until = new Date(Math.min(Date.parse(wanted.until ?? now.toISOString()), now.getTime()));
  const from = wanted.from === undefined ? new Date(until.getTime() - day * 1000) : new Date(wanted.from);
  if (from >= until) throw invalid(`must be before ${until.toISOString()}, where the counts end`);
  if (until.getTime() - from.getTime() > mostDays * day * 1000)
    throw invalid(`must be within ${mostDays} days of ${until.toISOString()}, where the counts end`);
  const step = steps.find((one) => startsOf(from, until, one).length <= mostSpans) ?? 604_800;
  return { step, from, until, starts: startsOf(from, until, step) };
}

function startsOf(from: Date, until: Date, step: number): number[] {
  const first = Math.floor(from.getTime() / (1000 * step));
  const count = Math.ceil(until.getTime() / (1000 * step)) - first;
  // Many more than are wanted need not be written out.
  const written = Math.min(count, mostSpans + 1);
  return Array.from({ length: written }, (_, index) => (first + index) * 1000 * step);
}

function invalid(message: string): Refusal {
  return new Refusal('INVALID_REQUEST', `from ${message}.`, { details: [{ field: 'from', message }] });
}

/** The findings of a look through the first events of a span. */
interface Sample {
  readonly looked: number;
  readonly matched: number;
  /** Ids of the first and last event that were looked at; unset where there were none. */
  readonly first?: Id;
  readonly last?: Id;
  /** The id of the last event of the span. */
  readonly end: Id;
}

/** Events of a span that were looked through when it has more than were counted one by one. */
export const sampled = 250;

type Count = Omit<Schemas['EventCounts']['list'][number], 'from'>;

/**
 * How many events of a span match. Where it has more than were looked through, as many in a hundred of the rest are taken to; how many the rest
 * are, the ids tell, which count the events of all tenants.
 */
export function countIn({ looked, matched, first, last, end }: Sample): Count {
  if (looked < sampled || first === undefined || last === undefined) return { count: matched };
  const [passed, all] = [Number(last) - Number(first) + 1, Number(end) - Number(first) + 1];
  return { count: Math.round(matched * Math.max(1, all / passed)), isEstimated: true };
}
