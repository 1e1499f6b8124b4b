/**
 * The life of a work item by the documents, written a second time and without the server's code: the answer of each call, and the item
 * afterwards.
 */

import type { Action, Actor, Answer, ByHolder, ByPerson, Consumer, Repair, Report } from './actions.ts';

export const retryLimit = 1;
export const lapseLimit = 2;

export type Status = 'NEW' | 'IN_PROGRESS' | 'COMPLETE' | 'FAILED' | 'DEFERRED';

/** A line of the timeline. */
export interface Happening {
  readonly operation: string;
  readonly by: Actor;
  readonly from?: Status | undefined;
  readonly to?: Status | undefined;
}

export interface Item {
  readonly id: number;
  readonly status: Status | 'GONE';
  readonly version: number;
  readonly priority: number;
  /** The time from which it waits in line among items of its priority. */
  readonly arrivedOn: string;
  readonly retryCount: number;
  /** Lease expiries since a holder reported on it. */
  readonly expiries: number;
  readonly failureKind?: 'BUSINESS' | 'SYSTEM' | 'IN_DOUBT' | undefined;
  /** Past the point of no return. */
  readonly isPassed: boolean;
  /** Somebody asked for it to be cancelled. */
  readonly isCancelled: boolean;
  /** Waits until it may be tried again. */
  readonly isDelayed: boolean;
  /** The consumer that holds it, or held it last. */
  readonly holder?: Consumer;
  /** The last report that counted. */
  readonly counted?: Report;
  /** Reports that came too late. */
  readonly late: readonly Report[];
  readonly timeline: readonly Happening[];
}

/** The answer of a call about an item, and the item afterwards. */
export interface Step {
  readonly code: string;
  readonly item: Item;
  /** The seconds after which it goes to the end of the line; when left out, it keeps its position. */
  readonly arrivesIn?: number;
}

const untouched = { isPassed: false, isCancelled: false, isDelayed: false };

export function created(item: Pick<Item, 'id' | 'priority' | 'arrivedOn'>, isDeferred: boolean): Item {
  const status = isDeferred ? 'DEFERRED' : 'NEW';
  const timeline = [{ operation: 'createWorkItems', by: 'owner', to: status }] as const;
  return { ...item, ...untouched, status, version: 0, retryCount: 0, expiries: 0, late: [], timeline };
}

/** The waiting items, in the order of claims. */
export function inLine(items: readonly Item[]): Item[] {
  return items.filter(({ status, isDelayed }) => status === 'NEW' && !isDelayed).toSorted(comesBefore);
}

function comesBefore(one: Item, other: Item): number {
  if (one.priority !== other.priority) return other.priority - one.priority;
  if (one.arrivedOn !== other.arrivedOn) return one.arrivedOn < other.arrivedOn ? -1 : 1;
  return one.id - other.id;
}

/** @param backOff the seconds that an item waits before a retry. */
export function step(item: Item, action: Action, backOff: number): Step {
  if (item.status === 'GONE') {
    const isLease = action.name === 'heartbeat' || action.name === 'pass';
    return { code: isLease ? 'LEASE_LOST' : 'NOT_FOUND', item };
  }
  if (action.name === 'claim') {
    return moved(item, 'IN_PROGRESS', by('claimWorkItems', action.by), { holder: action.by });
  }
  if (action.name === 'expire') return expired(item, by('returnLapsedItems', 'millrace'));
  if (action.name === 'due') return due(item);
  return 'by' in action ? byHolder(item, action, backOff) : byPerson(item, action);
}

/** An item that waits for its retry is NEW all along. */
function due(item: Item): Step {
  if (item.isDelayed) return { code: 'OK', item: { ...item, isDelayed: false } };
  return moved(item, 'NEW', by('promoteDueItems', 'millrace'));
}

function byPerson(item: Item, action: ByPerson): Step {
  if (!('version' in action)) {
    return action.name === 'cancel' ? cancelled(item) : removed(item, item.status as Status);
  }
  return item.version === action.version ? repaired(item, action) : { code: 'VERSION_CONFLICT', item };
}

function byHolder(item: Item, action: ByHolder, backOff: number): Step {
  switch (action.name) {
    case 'heartbeat':
      return { code: isHeld(item, action) ? 'OK' : 'LEASE_LOST', item };
    case 'pass':
      return passed(item, action);
    case 'progress':
      if (!isHeld(item, action)) return { code: 'STATUS_CONFLICT', item };
      return moved(item, 'IN_PROGRESS', by('updateWorkItem', action.by));
    case 'report':
      return reported(item, action, backOff);
  }
}

function removed(item: Item, from: Status): Step {
  if (from === 'IN_PROGRESS') return { code: 'STATUS_CONFLICT', item };
  // Nothing that is gone waits for its time.
  const gone: Item = { ...item, ...untouched, status: 'GONE' };
  return { code: 'OK', item: noted(gone, { ...by('deleteWorkItem', 'owner'), from }) };
}

type Cause = Pick<Happening, 'operation' | 'by'>;

function by(operation: string, actor: Actor): Cause {
  return { operation, by: actor };
}

function isHeld(item: Item, grant: { readonly by: Consumer; readonly version: number }): boolean {
  return item.status === 'IN_PROGRESS' && item.holder === grant.by && item.version === grant.version;
}

/** A holder may pass the point of no return, unless it is to stop. */
function passed(item: Item, grant: { readonly by: Consumer; readonly version: number }): Step {
  if (!isHeld(item, grant)) return { code: 'LEASE_LOST', item };
  if (item.isPassed || item.isCancelled) return { code: 'OK', item };
  return { code: 'OK', item: { ...running(item, by('heartbeatWorkItems', grant.by)), isPassed: true } };
}

function cancelled(item: Item): Step {
  if (item.status !== 'IN_PROGRESS') return { code: 'STATUS_CONFLICT', item };
  if (item.isCancelled) return { code: 'OK', item };
  return { code: 'OK', item: { ...running(item, by('cancelWorkItem', 'owner')), isCancelled: true } };
}

/** A change of an item that runs on, whose version stays as it is. */
function running(item: Item, cause: Cause): Item {
  return noted(item, { ...cause, from: 'IN_PROGRESS', to: 'IN_PROGRESS' });
}

function reported(item: Item, report: Report, backOff: number): Step {
  if (isRepeated(item, report)) return { code: 'OK', item };
  if (!isHeld(item, report)) return late(item, report);
  const { says } = report;
  const cause = by(report.way, report.by);
  const counted = { counted: report, expiries: 0 };
  if (says === 'COMPLETE') return moved(item, says, cause, counted);
  if (says === 'BUSINESS') return moved(item, 'FAILED', cause, { ...counted, failureKind: says });
  if (says === 'DEFERRED' && !item.isCancelled) return moved(item, says, cause, counted);
  if (says !== 'SYSTEM' || item.isPassed || item.isCancelled) return taken(item, cause, counted);
  if (item.retryCount >= retryLimit) return moved(item, 'FAILED', cause, { ...counted, failureKind: says });
  const waits = { retryCount: item.retryCount + 1, isDelayed: backOff > 0 };
  return { ...moved(item, 'NEW', cause, { ...counted, ...waits }), arrivesIn: backOff };
}

/** An attempt that does not count, unless nobody may try again. */
function taken(item: Item, cause: Cause, more: Partial<Item> = {}): Step {
  if (item.isPassed)
    return moved(item, 'FAILED', cause, { ...more, failureKind: 'IN_DOUBT', isPassed: true });
  if (item.isCancelled) return moved(item, 'FAILED', cause, { ...more, failureKind: 'BUSINESS' });
  return moved(item, 'NEW', cause, more);
}

/** An item whose lease expires too often in a row fails. */
function expired(item: Item, cause: Cause): Step {
  const expiries = item.expiries + 1;
  if (item.isPassed || item.isCancelled) return taken(item, cause);
  if (expiries < lapseLimit) return moved(item, 'NEW', cause, { expiries });
  return moved(item, 'FAILED', cause, { expiries, failureKind: 'SYSTEM' });
}

/**
 * A late report is kept once for a reporter, version and status, and only from consumers that had the item once: new items have the version
 * 0.
 */
function late(item: Item, report: Report): Step {
  const hadIt = item.timeline.some((one) => isGrant(one) && one.by === report.by);
  if (!hadIt || report.version === 0) return { code: 'STATUS_CONFLICT', item };
  const isKept = item.late.some((one) => isSame(one, report));
  const kept = { ...item, late: [...item.late, report] };
  return { code: 'LATE_REPORT', item: isKept ? item : noted(kept, by('lateReport', report.by)) };
}

function isGrant({ from, to }: Happening): boolean {
  return from !== 'IN_PROGRESS' && to === 'IN_PROGRESS';
}

/** Reports with the same status are the same, whatever else they say. */
function isRepeated({ counted }: Item, report: Report): boolean {
  return counted !== undefined && isSame(counted, report);
}

function isSame(one: Report, { by: reporter, version, says }: Report): boolean {
  if (one.by !== reporter || one.version !== version) return false;
  return one.says === says || [one.says, says].every((word) => word === 'BUSINESS' || word === 'SYSTEM');
}

type Repairing = Exclude<ByPerson, { readonly name: 'cancel' | 'delete' }>;

function repaired(item: Item, action: Repairing): Step {
  const { status, failureKind, isDelayed } = item;
  const refused = { code: 'STATUS_CONFLICT', item };
  switch (action.name) {
    case 'release':
      if (status === 'DEFERRED') return moved(item, 'NEW', by('releaseWorkItem', 'owner'));
      if (!isDelayed) return refused;
      return { ...moved(item, 'NEW', by('releaseWorkItem', 'owner')), arrivesIn: 0 };
    case 'restart':
      if (status !== 'FAILED' || failureKind === 'IN_DOUBT') return refused;
      return {
        ...moved(item, 'NEW', by('restartWorkItem', 'owner'), { retryCount: 0, expiries: 0 }),
        arrivesIn: 0,
      };
    case 'resolve':
      return failureKind === 'IN_DOUBT' ? answered(item, action.answer, 'resolveWorkItem') : refused;
    case 'repair':
      if (status === 'COMPLETE' || status === 'IN_PROGRESS') return refused;
      if (failureKind === 'IN_DOUBT' && action.to !== 'EDIT')
        return settled(item, action.to, action.priority);
      return changed(item, action.to, action.priority);
  }
}

function answered(item: Item, answer: Answer, operation: string, more: Partial<Item> = {}): Step {
  if (answer === 'PARTLY')
    return moved(item, 'FAILED', by(operation, 'owner'), { ...more, failureKind: 'BUSINESS' });
  return moved(item, answer === 'DONE' ? 'COMPLETE' : 'NEW', by(operation, 'owner'), {
    ...more,
    expiries: 0,
  });
}

/** A status for an item in doubt is an answer, if it can be one. */
function settled(item: Item, to: Exclude<Repair, 'EDIT'>, priority: number): Step {
  if (to === 'DEFERRED') return { code: 'STATUS_CONFLICT', item };
  return answered(item, to === 'COMPLETE' ? 'DONE' : 'PARTLY', 'updateWorkItem', { priority });
}

function changed(item: Item, to: Repair, priority: number): Step {
  const { status, failureKind, isDelayed, isPassed } = item;
  const isEdit = to === 'EDIT' || to === status;
  const next = to === 'EDIT' ? (status as Status) : to;
  // Giving up an already failed item leaves the record of how it failed.
  const kind = next !== 'FAILED' ? undefined : status === 'FAILED' ? failureKind : 'BUSINESS';
  const kept = isEdit ? { isDelayed, isPassed } : {};
  return moved(item, next, by('updateWorkItem', 'owner'), { ...kept, priority, failureKind: kind });
}

/** Every change raises the version; a note alone does not. */
function moved(item: Item, to: Status, cause: Cause, more: Partial<Item> = {}): Step {
  const from = item.status === 'GONE' ? undefined : item.status;
  const after = noted(item, { ...cause, from, to });
  // Progress is noted while the work goes on.
  const { isPassed, isCancelled } = item;
  const marks = from === 'IN_PROGRESS' && to === from ? { ...untouched, isPassed, isCancelled } : untouched;
  return {
    code: 'OK',
    item: { ...after, ...marks, status: to, version: item.version + 1, failureKind: undefined, ...more },
  };
}

function noted(item: Item, happening: Happening): Item {
  return { ...item, timeline: [...item.timeline, happening] };
}
