import { notesOf } from '../record.ts';
import { isGrant, isHolder, isReport, originOf, type Case } from '../timelines.ts';

/** No two answers give the same right, and each right comes from the grant that made its version. */
export function singleLeases(known: Case): string[] {
  const seen = new Set<string>();
  return notesOf(known, 'granted').flatMap((grant) => {
    const right = `item ${grant.id} at version ${grant.version}`;
    if (seen.has(right)) return [`${right} was granted twice`];
    seen.add(right);
    const isOnRecord = isHolder(known, grant) && originOf(known, grant)?.device === grant.device;
    return isOnRecord ? [] : [`${right} was granted to ${grant.by}, and no event says so`];
  });
}

/** Nobody loses a lease by silence before it has run out. */
export function fullLeases({ record }: Case): string[] {
  return record
    .filter(({ operation }) => operation === 'returnLapsedItems')
    .filter(({ changes, at }) => !(Date.parse(String(changes?.['leaseExpiresOn'])) <= at + 1))
    .map(({ itemId }) => `item ${itemId} was taken from its holder before the lease had run out`);
}

/** The versions that somebody is told of an item rise, and no change of an item is without a version of its own. */
export function risingFences(known: Case): string[] {
  const grantedBack = known.logs.flatMap((log) => {
    const last = new Map<number, number>();
    return notesOf({ logs: [log] }, 'granted').flatMap(({ id, version }) => {
      const before = last.get(id) ?? -1;
      last.set(id, version);
      return version > before ? [] : [`item ${id} was granted at version ${version} after ${before}`];
    });
  });
  const acceptedBack = notesOf(known, 'accepted')
    .filter(({ version, versionAfter }) => versionAfter <= version)
    .map(({ id, version, versionAfter }) => `item ${id} went from version ${version} to ${versionAfter}`);
  const uncounted = known.items
    .filter(({ id, version }) => known.changes.get(id)?.length !== version + 1)
    .map(({ id, version }) => `item ${id} has version ${version}, and another number of changes`);
  return [...grantedBack, ...acceptedBack, ...uncounted];
}

/** Reports and heartbeats are accepted from holders only, as the record knows them. */
export function believedHolders(known: Case): string[] {
  const unfounded = notesOf(known, 'accepted', 'kept', 'passed')
    .filter((grant) => !isHolder(known, grant))
    .map(({ note, by, id, version }) => `${by} was told ${note} of item ${id} at version ${version}`);
  const happened = [...known.changes].flatMap(([id, changes]) =>
    changes
      .filter((change, index) => {
        const before = changes[index - 1];
        return isReport(change) && !(before && isGrant(before) && before.by === change.by);
      })
      .map(({ by }) => `a report by ${by} changed item ${id}, which ${by} did not hold`),
  );
  return [...unfounded, ...happened];
}
