import { statuses, type Id, type Schemas, type Status } from '@millrace/api';
import { empty, raw, sql, type Db, type Sql } from '../../engine/db.ts';
import type { Hits } from './indexed.ts';
import { countByStatus, dataOf, hasAtMost, rowsOf, statusesIn, sumOf, type Source } from './source.ts';

/** Number of items that match a filter. */
type Count = Pick<Schemas['ItemPage'], 'totalFilter' | 'isEstimated'>;

/** The items to count: those of a source that match a condition. */
interface Counting {
  readonly queueId: Id;
  readonly source: Source;
  readonly where: Sql;
  /** Whether the condition needs the data of items. */
  readonly needsData: boolean;
}

/** A list whose matches are counted. */
interface Countable extends Omit<Counting, 'source'> {
  readonly db: Db;
  readonly request: Schemas['WorkItemListRequest'];
  readonly counts: Readonly<Record<Status, number>>;
  /** The filter's conditions on ids. */
  readonly ids: Sql | undefined;
  readonly bounds: { readonly few: number; readonly counted: number };
}

interface Way {
  readonly whole?: Source;
  readonly hits?: Hits | undefined;
}

/** Counts the items that match, or estimates their number. @param way the way in which they are found */
export async function countOf(list: Countable, { whole, hits }: Way): Promise<Count> {
  const { db, queueId, where, needsData, counts, request, ids } = list;
  const { counted, few } = list.bounds;
  const known = countByStatus(request.filter, counts);
  if (known !== undefined) return { totalFilter: known };
  const counting = { queueId, where, needsData };
  if (hits) return countHits(db, counting, hits, counted);
  if (whole) return countAll(db, { ...counting, source: whole });
  const possible = { statuses: statusesIn(request.filter), condition: ids ?? sql`true` };
  if (ids && (await hasAtMost(db, queueId, possible, few)))
    return countAll(db, { ...counting, source: possible });
  const size = sumOf(counts, possible.statuses);
  return estimate(db, { ...counting, source: possible }, { most: counted, size, isCut: ids !== undefined });
}

/** The estimate, raised to the number of items that were found. */
export function atLeast(count: Count, found: number): Count {
  return count.isEstimated ? { ...count, totalFilter: Math.max(count.totalFilter ?? 0, found) } : count;
}

interface Sample {
  readonly looked: number;
  readonly matching: number;
}

/** Counts all matching items of the source, each one examined. */
async function countAll(db: Db, counting: Counting): Promise<Count> {
  const { matching } = await selectCounts(db, counting, rowsOf(counting.queueId, counting.source));
  return { totalFilter: matching };
}

/** Examines some of the hits of a column and extrapolates to all of them, unless every hit is known to match. */
async function countHits(
  db: Db,
  { queueId, where, needsData }: Omit<Counting, 'source'>,
  { among, count, isExact }: Hits,
  most: number,
): Promise<Count> {
  if (isExact) return { totalFilter: count };
  const source: Source = {
    statuses,
    condition: sql`true`,
    among: sql`select * from (${among}) h limit ${raw(String(most))}`,
  };
  const { looked, matching } = await selectCounts(
    db,
    { queueId, where, needsData, source },
    rowsOf(queueId, source),
  );
  if (looked === count) return { totalFilter: matching };
  return { totalFilter: looked === 0 ? 0 : Math.round((matching / looked) * count), isEstimated: true };
}

// The places where a sample is taken, several of them because neighbouring items are alike.
const probes = 10;

/**
 * Examines some items from all over the source, and extrapolates their share to all of it.
 * @param size number of items in the source over all ids; `isCut` when it has only a range of them
 */
async function estimate(
  db: Db,
  counting: Counting,
  { most, size, isCut }: { most: number; size: number; isCut: boolean },
): Promise<Count> {
  const { looked, matching } = await selectCounts(db, counting, sampleOf(counting, Math.ceil(most / probes)));
  const all = isCut ? size * (await selectShare(db, counting)) : size;
  return { totalFilter: looked === 0 ? 0 : Math.round((matching / looked) * all), isEstimated: true };
}

function sampleOf({ queueId, source }: Counting, each: number): Sql {
  const here = sql`i.id >= span.low + (span.high - span.low) / ${raw(String(probes))} * probe`;
  const bound = raw(`order by i.id limit ${each}`);
  return sql`
    select i.* from (select ${endOf(queueId, source, 'asc')} as low, ${endOf(queueId, source, 'desc')} as high offset 0) span
    cross join generate_series(0, ${raw(String(probes - 1))}) probe
    cross join lateral (select * from (${rowsOf(queueId, source, here, bound)}) i ${bound}) i`;
}

async function selectCounts(db: Db, { queueId, where, needsData }: Counting, rows: Sql): Promise<Sample> {
  const row = await db.row<Sample>(sql`
    select count(*)::int as looked, count(*) filter (where ${where})::int as matching
    from (${rows}) i ${needsData ? dataOf(queueId) : empty}`);
  return row as Sample;
}

/** The part of a source that a range of ids makes up, assuming equal density everywhere. */
async function selectShare(db: Db, { queueId, source }: Counting): Promise<number> {
  const width = (rows: Source) => sql`(${endOf(queueId, rows, 'desc')} - ${endOf(queueId, rows, 'asc')} + 1)`;
  const row = await db.row<{ share?: number }>(sql`
    select ${width(source)}::float8 / ${width({ ...source, condition: sql`true` })} as share`);
  return row?.share ?? 0;
}

/** The first or the last id of a source. */
function endOf(queueId: Id, source: Source, direction: 'asc' | 'desc'): Sql {
  const first = raw(`order by i.id ${direction} limit 1`);
  return sql`(select i.id from (${rowsOf(queueId, source, sql`true`, first)}) i ${first})`;
}
