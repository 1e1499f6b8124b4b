/** Checks whether a history is one that Millrace may have: pure, so that its own tests can show it every kind of lie. */
import { keptCreates, singleCreates, wholeUploads } from './promises/creates.ts';
import { boundedSlots, fittingDevices, knownRunAs, singleRunAs } from './promises/devices.ts';
import { keptPasses, lastingCancels, nothingTwice } from './promises/unresolved.ts';
import { endedItems, explainedItems, trueCounts } from './promises/ends.ts';
import { completeFeed, sameTimelines } from './promises/feed.ts';
import { effectiveHolds, singleAutomations } from './promises/holds.ts';
import { believedHolders, fullLeases, risingFences, singleLeases } from './promises/leases.ts';
import { honestCounts, keptRights } from './promises/people.ts';
import { effectiveReports, harmlessRefusals, keptEvidence, lastingEnds } from './promises/reports.ts';
import { boundedLeaseExpiries, boundedRetries, fairCounts } from './promises/retries.ts';
import type { History } from './record.ts';
import { caseOf } from './timelines.ts';

/** A promise that was broken, and how. */
export interface Violation {
  readonly promise: Kept;
  readonly what: string;
}

export type Kept = keyof typeof promises;

const promises = {
  'every acknowledged create is kept': keptCreates,
  'every create happens once': singleCreates,
  'a file is there as a whole or not at all': wholeUploads,
  'an item has one live lease at a time': singleLeases,
  'a lease is good until it has run out': fullLeases,
  'fences only rise': risingFences,
  'only the holder is believed': believedHolders,
  'an accepted report takes effect': effectiveReports,
  'a refused report changes nothing': harmlessRefusals,
  'a late report is kept as evidence': keptEvidence,
  'what is over stays over': lastingEnds,
  'retries stay within the limit': boundedRetries,
  'only failures of the item count': fairCounts,
  'lease expiries stay within the limit': boundedLeaseExpiries,
  'what cannot be undone is not done again': nothingTwice,
  'the point of no return is on record': keptPasses,
  'a cancelled item is not tried again': lastingCancels,
  'a device runs no more than its slots': boundedSlots,
  'a run-as user is in one item at a time': singleRunAs,
  'a device works as a user of the automation': knownRunAs,
  'a device gets only what it suits': fittingDevices,
  'what is held grants nothing': effectiveHolds,
  'a queue has one active automation': singleAutomations,
  'people are told what they changed': honestCounts,
  'nobody does what they may not': keptRights,
  'the feed is complete and in order': completeFeed,
  'feed and timelines tell the same': sameTimelines,
  'events explain every item': explainedItems,
  'counts equal reality': trueCounts,
  'everything comes to an end': endedItems,
};

export const promiseNames = Object.keys(promises) as Kept[];

/** The violations in the history; none when all promises were kept. */
export function check(history: History): Violation[] {
  const known = caseOf(history);
  return Object.entries(promises).flatMap(([promise, find]) =>
    find(known).map((what) => ({ promise: promise as Kept, what })),
  );
}

/** The broken promises, after everything known of the things concerned, for a person who has to find out the cause. */
export function report(history: History): string {
  const violations = check(history);
  const first = violations.slice(0, 20);
  const named = new Set(first.slice(0, 5).flatMap(({ what }) => what.match(/\b[a-z]+ \d+/g) ?? []));
  const notes = history.logs.flat().filter((note) => {
    return ('id' in note && named.has(`item ${note.id}`)) || ('target' in note && named.has(note.target));
  });
  const events = history.record.filter(({ itemId, queueId, device }) =>
    itemId === undefined
      ? named.has(`queue ${queueId}`) || named.has(`device ${device}`)
      : named.has(`item ${itemId}`),
  );
  return [
    ...first.map(({ promise, what }) => `Broken: ${promise}. ${what}`),
    ...(violations.length > first.length ? [`and ${violations.length - first.length} more`] : []),
    ...[...notes, ...events].map((line) => JSON.stringify(line)),
  ].join('\n');
}
