/** Whether a history is one that a work queue may have: pure, so that its own tests can show it every kind of lie. */
import { notesOf, type FinalItem, type Grant, type Happening, type History, type Says } from './record.ts';

/** A promise that was broken, and how. */
export interface Violation {
  readonly promise: Kept;
  readonly what: string;
}

export type Kept = keyof typeof promises;

const promises = {
  'every acknowledged create is kept': keptCreates,
  'every create happens once': singleCreates,
  'an item has one live lease at a time': singleLeases,
  'fences only rise': risingFences,
  'only the holder is believed': believedHolders,
  'an accepted report takes effect': effectiveReports,
  'a refused report changes nothing': harmlessRefusals,
  'what is over stays over': lastingEnds,
  'retries stay within the limit': boundedRetries,
  'events explain every item': explainedItems,
  'counts equal reality': trueCounts,
  'everything comes to an end': endedItems,
};

export const promiseNames = Object.keys(promises) as Kept[];

/** Everything that is wrong with the history; nothing when all promises were kept. */
export function check(history: History): Violation[] {
  return Object.entries(promises).flatMap(([promise, find]) =>
    find(history).map((what) => ({ promise: promise as Kept, what })),
  );
}

/** All that clients and events say of the items of these violations, for whoever has to find out what happened. */
export function evidence(history: History, violations: readonly Violation[]): string {
  const ids = new Set(violations.slice(0, 5).map(({ what }) => Number(/item (\d+)/.exec(what)?.[1])));
  const notes = history.logs.flat().filter((note) => 'id' in note && ids.has(note.id));
  const timelines = [...history.timelines].filter(([id]) => ids.has(id));
  return [...notes, ...timelines].map((line) => JSON.stringify(line)).join('\n');
}

function keptCreates(history: History): string[] {
  const keys = new Map(history.items.map(({ id, key }) => [id, key]));
  return notesOf(history, 'created')
    .filter(({ id, key }) => keys.get(id) !== key)
    .map(({ id, key }) => `item ${id} was acknowledged for ${key}; there is ${keys.get(id) ?? 'none'}`);
}

function singleCreates(history: History): string[] {
  const asked = new Set(notesOf(history, 'creating').flatMap(({ keys }) => keys));
  const seen = new Set<string>();
  return history.items.flatMap(({ id, key }) => {
    if (!asked.has(key)) return [`item ${id} has the key ${key}, which nobody has sent`];
    if (seen.has(key)) return [`item ${id} has the key ${key} of another item`];
    seen.add(key);
    return [];
  });
}

/** No two answers give the same right, and each right comes from the claim that made its version. */
function singleLeases(history: History): string[] {
  const seen = new Set<string>();
  return notesOf(history, 'granted').flatMap((grant) => {
    const right = `item ${grant.id} at version ${grant.version}`;
    if (seen.has(right)) return [`${right} was granted twice`];
    seen.add(right);
    return isHolder(history, grant) ? [] : [`${right} was granted to ${grant.by}, and no event says so`];
  });
}

function isHolder({ timelines }: History, { id, version, by }: Grant): boolean {
  const claim = changesOf(timelines.get(id))[version];
  return claim?.operation === 'claimWorkItems' && claim.by === by;
}

/** What changed the item, in order: the index of a change is the version that it made. */
function changesOf(timeline: readonly Happening[] = []): Happening[] {
  return timeline.filter(({ operation }) => operation !== 'lateReport');
}

/** The versions that a client is told of an item rise, and no change of an item is without a version of its own. */
function risingFences(history: History): string[] {
  const toldBack = history.logs.flatMap((log) => {
    const last = new Map<number, number>();
    return notesOf({ ...history, logs: [log] }, 'granted').flatMap(({ id, version }) => {
      const before = last.get(id) ?? -1;
      last.set(id, version);
      return version > before ? [] : [`item ${id} was granted at version ${version} after ${before}`];
    });
  });
  const acceptedBack = notesOf(history, 'accepted')
    .filter(({ version, versionAfter }) => versionAfter <= version)
    .map(({ id, version, versionAfter }) => `item ${id} went from version ${version} to ${versionAfter}`);
  const uncounted = history.items
    .filter(({ id, version }) => changesOf(history.timelines.get(id)).length !== version + 1)
    .map(({ id, version }) => `item ${id} has version ${version}, and another number of changes`);
  return [...toldBack, ...acceptedBack, ...uncounted];
}

/** Reports and heartbeats are accepted from holders only, as the events know them. */
function believedHolders(history: History): string[] {
  const told = notesOf(history, 'accepted', 'kept')
    .filter((grant) => !isHolder(history, grant))
    .map(({ note, by, id, version }) => `${by} was ${note} for item ${id} at version ${version}`);
  const happened = [...history.timelines].flatMap(([id, timeline]) => {
    const changes = changesOf(timeline);
    return changes
      .filter((change, index) => isReport(change) && changes[index - 1]?.by !== change.by)
      .map(({ by }) => `a report by ${by} changed item ${id}, which ${by} did not hold`);
  });
  return [...told, ...happened];
}

function isReport({ operation }: Happening): boolean {
  return operation === 'finishWorkItems';
}

const endOf: Record<Says, readonly string[]> = {
  COMPLETE: ['COMPLETE'],
  BUSINESS: ['FAILED'],
  SYSTEM: ['NEW', 'FAILED'],
  DEFERRED: ['DEFERRED'],
};

/** The change after the claim is the accepted report. */
function effectiveReports(history: History): string[] {
  return notesOf(history, 'accepted').flatMap(({ by, id, version, says }) => {
    const next = changesOf(history.timelines.get(id))[version + 1];
    const isEffect = next && isReport(next) && next.by === by && endOf[says].includes(next.to ?? '');
    return isEffect ? [] : [`${says} by ${by} was accepted for item ${id} at version ${version}`];
  });
}

/** Of reports that were sent once: after a lost answer the first one may have counted. */
function harmlessRefusals(history: History): string[] {
  const sent = notesOf(history, 'reporting').map(nameOf);
  const sentAgain = new Set(sent.filter((name, index) => sent.indexOf(name) !== index));
  return notesOf(history, 'refused')
    .filter((report) => !sentAgain.has(nameOf(report)))
    .flatMap(({ by, id, version }) => {
      const next = changesOf(history.timelines.get(id))[version + 1];
      const isEffect = next !== undefined && isReport(next) && next.by === by;
      return isEffect ? [`the report of ${by} on item ${id} at version ${version} was refused`] : [];
    });
}

function nameOf({ by, id, version }: Grant): string {
  return `${by} ${id} ${version}`;
}

function lastingEnds(history: History): string[] {
  const items = new Map(history.items.map((item) => [item.id, item]));
  return notesOf(history, 'accepted')
    .filter(({ says }) => says === 'COMPLETE' || says === 'BUSINESS')
    .filter(({ id, version, says }) => {
      const item = items.get(id);
      return item?.version !== version + 1 || !endOf[says].includes(item.status);
    })
    .map(({ id, says }) => `item ${id} was accepted as ${says} and is ${printed(items.get(id))}`);
}

function printed(item: FinalItem | undefined): string {
  return item ? `${item.status} at version ${item.version}` : 'not there';
}

function boundedRetries(history: History): string[] {
  return history.items.flatMap(({ id, retryCount }) => {
    const retries = changesOf(history.timelines.get(id)).filter((one) => isReport(one) && one.to === 'NEW');
    if (retries.length > history.retryLimit) return [`item ${id} was tried again ${retries.length} times`];
    return retries.length === retryCount ? [] : [`item ${id} counts ${retryCount} of ${retries.length}`];
  });
}

/** What each operation may do, from which status to which; the clients of these histories need nothing else. */
const steps: Record<string, readonly string[]> = {
  createWorkItems: ['nothing to NEW', 'nothing to DEFERRED'],
  claimWorkItems: ['NEW to IN_PROGRESS'],
  finishWorkItems: ['COMPLETE', 'FAILED', 'NEW', 'DEFERRED'].map((to) => `IN_PROGRESS to ${to}`),
  returnLapsedItems: ['IN_PROGRESS to NEW'],
  promoteDueItems: ['DEFERRED to NEW'],
};

function explainedItems({ items, timelines }: History): string[] {
  const ids = new Set(items.map(({ id }) => id));
  const ghosts = [...timelines.keys()].filter((id) => !ids.has(id));
  const gaps = items.flatMap(({ id, status }) => {
    const changes = changesOf(timelines.get(id));
    const end = changes.at(-1)?.to;
    const breaks = changes.flatMap(({ operation, from, to }, index) => {
      const before = changes[index - 1]?.to;
      const step = `${from ?? 'nothing'} to ${to ?? 'nothing'}`;
      if (from === before && steps[operation]?.includes(step)) return [];
      return [`item ${id} was ${before ?? 'not there'}, then ${operation} led from ${step}`];
    });
    return end === status ? breaks : [...breaks, `item ${id} is ${status}, its events end with ${end}`];
  });
  return [...ghosts.map((id) => `item ${id} has events and is not there`), ...gaps];
}

const statuses = ['NEW', 'IN_PROGRESS', 'COMPLETE', 'FAILED', 'DEFERRED'];

function trueCounts({ items, timelines, counts, finished }: History): string[] {
  const ends = [...timelines.values()].flatMap(changesOf).filter(isReport);
  const inStatus = (status: string) => items.filter((item) => item.status === status).length;
  const endedIn = (status: string) => ends.filter(({ to }) => to === status).length;
  const pairs = [
    ...statuses.map((status) => ({ name: status, counted: counts[status], real: inStatus(status) })),
    { name: 'finished COMPLETE', counted: finished.complete, real: endedIn('COMPLETE') },
    { name: 'finished FAILED', counted: finished.failed, real: endedIn('FAILED') },
  ];
  return pairs
    .filter(({ counted, real }) => counted !== real)
    .map(({ name, counted, real }) => `${name} is counted ${counted}, and there are ${real}`);
}

function endedItems({ items }: History): string[] {
  return items
    .filter(({ status }) => status !== 'COMPLETE' && status !== 'FAILED')
    .map(({ id, status }) => `item ${id} is left ${status}`);
}
