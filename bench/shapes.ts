// Measures the shapes that the item tables could have had: see docs/decisions/0002-shape-of-the-item-tables.md, 0006-event-feed.md
// for what the feed adds, 0001-group-commit.md for what one round trip would save, and 0014-reads-at-scale.md for what the indexes of lists cost.
// It drops and makes the schemas `shapes` and `depth0` to `depth3` in the database it is given.
import { details, feed, leases, narrow, outputs, payload, reads, trips } from './shapes/cycles.ts';
import { dead, ready } from './shapes/ready.ts';
import { depth, json, named, sweep } from './shapes/scans.ts';

const all: Record<string, (url: string, repeats: number) => Promise<void>> = {
  named,
  payload,
  outputs,
  leases,
  sweep,
  ready,
  dead,
  json,
  details,
  feed,
  depth,
  reads,
  narrow,
  trips,
};

const [url, ...sections] = process.argv.slice(2);
if (url === undefined) {
  throw new Error(`usage: tsx bench/shapes.ts DATABASE_URL [${Object.keys(all).join('|')} ...]`);
}
for (const name of sections.length > 0 ? sections : Object.keys(all)) {
  const start = performance.now();
  await all[name]?.(url, 3);
  console.log(`\n(${name}: ${((performance.now() - start) / 1000).toFixed(0)} s)`);
}
