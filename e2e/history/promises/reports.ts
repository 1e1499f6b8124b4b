import { notesOf, type Grant, type Says } from '../record.ts';
import { byKey, endOf, isCancel, isGone, isPass, isReport, meanwhile, type Case } from '../timelines.ts';

/** The status after a report; past the point of no return, or cancelled, an item does not go on as if nothing had been. */
const endsOf: Record<Says, (held: { isPassed: boolean; isCancelled: boolean }) => readonly string[]> = {
  COMPLETE: () => ['COMPLETE'],
  BUSINESS: () => ['FAILED'],
  SYSTEM: ({ isPassed, isCancelled }) => (isPassed || isCancelled ? ['FAILED'] : ['NEW', 'FAILED']),
  NEW: ({ isPassed, isCancelled }) => [isPassed || isCancelled ? 'FAILED' : 'NEW'],
  DEFERRED: ({ isCancelled }) => [isCancelled ? 'FAILED' : 'DEFERRED'],
};

/** The change after a grant is its accepted report. */
export function effectiveReports(known: Case): string[] {
  return notesOf(known, 'accepted').flatMap((grant) => {
    const { by, id, version, says } = grant;
    const next = endOf(known, grant);
    const events = meanwhile(known, grant);
    const ends = endsOf[says]({ isPassed: events.some(isPass), isCancelled: events.some(isCancel) });
    const isEffect = next && isReport(next) && next.by === by && ends.includes(next.to ?? '');
    return isEffect ? [] : [`${says} by ${by} was accepted for item ${id} at version ${version}`];
  });
}

/** Refusals of reports that were sent once: after a lost answer the first report may have counted. */
export function harmlessRefusals(known: Case): string[] {
  const sent = notesOf(known, 'reporting').map(nameOf);
  const sentOnce = new Set(sent.filter((name) => sent.indexOf(name) === sent.lastIndexOf(name)));
  const counted = notesOf(known, 'refused')
    .filter((report) => sentOnce.has(nameOf(report)))
    .filter((report) => {
      const next = endOf(known, report);
      return next !== undefined && isReport(next) && next.by === report.by;
    })
    .map(({ by, id, version }) => `the report of ${by} on item ${id} at version ${version} was refused`);
  const changing = known.record
    .filter(({ operation, from, to }) => operation === 'lateReport' && (from ?? to) !== undefined)
    .map(({ itemId }) => `a late report has changed item ${itemId}`);
  return [...counted, ...changing];
}

/** Each report refused as late is kept, once for a status: people need it to find out what really happened. */
export function keptEvidence(known: Case): string[] {
  const refused = byKey(
    notesOf(known, 'refused').filter(({ code }) => code === 'LATE_REPORT'),
    (report) => `${nameOf(report)} ${statusOf(report.says)}`,
  );
  return [...refused.values()].flatMap(([report]) => {
    const { by, id, version, says } = report as Grant & { says: Says };
    const kept = (known.events.get(id) ?? []).filter(
      ({ operation, by: reporter, changes }) =>
        operation === 'lateReport' &&
        reporter === by &&
        changes?.['version'] === version &&
        changes['status'] === statusOf(says),
    );
    const what = `the late report ${says} of ${by} on item ${id} at version ${version}`;
    return kept.length === 1 ? [] : [`${what} is on record ${kept.length} times`];
  });
}

function statusOf(says: Says): string {
  return says === 'BUSINESS' || says === 'SYSTEM' ? 'FAILED' : says;
}

function nameOf({ by, id, version }: Grant): string {
  return `${by} ${id} ${version}`;
}

const byPeople = ['updateWorkItemStatus', 'resolveWorkItem'];

/** Done items are only removed; failed ones come back by people only. */
export function lastingEnds(known: Case): string[] {
  const finals = new Map(known.items.map((item) => [item.id, item]));
  const undone = notesOf(known, 'accepted')
    .filter(({ id, version, says }) => {
      const item = finals.get(id);
      const isDone = item?.status === 'COMPLETE' && item.version === version + 1;
      return says === 'COMPLETE' && !isDone && !(item === undefined && isGone(known.changes.get(id)));
    })
    .map(({ id }) => `item ${id} was accepted as COMPLETE and is ${finals.get(id)?.status ?? 'not there'}`);
  const changed = [...known.changes].flatMap(([id, changes]) =>
    changes
      .filter(({ from, to, operation, by }) => {
        if (from === 'COMPLETE') return to !== undefined;
        return from === 'FAILED' && (by === 0 || !byPeople.includes(operation));
      })
      .map(({ operation, from }) => `item ${id} was ${from}, and changed by ${operation}`),
  );
  return [...undone, ...changed];
}
