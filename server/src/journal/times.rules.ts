/** How many of some times fall into each bucket, by its number; empty ones are left out. */
export type Times = Readonly<Record<string, number>>;

/** The share of itself by which a percentile may be off. */
export const largestError = 0.05;

/** The end of each bucket, as a multiple of its beginning: then its middle is off by no more than the largest error. */
const ratio = (1 + largestError) / (1 - largestError);

/** The number of the bucket of a time in milliseconds. Number 0 has all up to one millisecond; each further one ends at `ratio ** number`. */
export function bucketOf(milliseconds: number): number {
  return milliseconds <= 1 ? 0 : Math.ceil(Math.log(milliseconds) / Math.log(ratio));
}

/** Counts times in milliseconds; undefined where there are none. */
export function timesOf(all: readonly number[]): Times | undefined {
  if (all.length === 0) return undefined;
  const counts: Record<string, number> = {};
  for (const milliseconds of all) {
    const bucket = bucketOf(milliseconds);
    counts[bucket] = (counts[bucket] ?? 0) + 1;
  }
  return counts;
}

/** Adds counts up; undefined where there are none. */
export function added(all: readonly (Times | undefined)[]): Times | undefined {
  const sum: Record<string, number> = {};
  for (const times of all)
    for (const [bucket, count] of Object.entries(times ?? {})) sum[bucket] = (sum[bucket] ?? 0) + count;
  return Object.keys(sum).length > 0 ? sum : undefined;
}

/**
 * The time in seconds that a share of the counted ones did not exceed, by nearest rank, to within the largest error; times of less than a
 * millisecond count as one.
 */
export function percentileOf(times: Times, share: number): number {
  const buckets = Object.entries(times)
    .map(([bucket, count]) => ({ bucket: Number(bucket), count }))
    .toSorted((one, other) => one.bucket - other.bucket);
  const rank = Math.ceil(share * buckets.reduce((sum, { count }) => sum + count, 0));
  let below = 0;
  const found = buckets.find(({ count }) => (below += count) >= rank);
  return rounded((found?.bucket ?? 0) === 0 ? 0.001 : middleOf(found?.bucket ?? 0) / 1000);
}

/** From which both ends of a bucket are off by the same share of themselves. */
function middleOf(bucket: number): number {
  return (2 * ratio ** bucket) / (ratio + 1);
}

/** More digits would only look exact. */
function rounded(seconds: number): number {
  return Number(seconds.toPrecision(4));
}
