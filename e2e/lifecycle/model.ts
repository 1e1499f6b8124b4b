/**
 * The life of a work item as the documents tell it, written a second time and without the server's code: what each call
 * should answer, and what the item should be afterwards.
 */

export const retryLimit = 1;

export type Consumer = 'first consumer' | 'second consumer';
export type Actor = Consumer | 'owner' | 'millrace';
export type Status = 'NEW' | 'IN_PROGRESS' | 'COMPLETE' | 'FAILED' | 'DEFERRED';

/** What a consumer may say of its item. */
export type Says = 'COMPLETE' | 'BUSINESS' | 'SYSTEM' | 'DEFERRED';
/** Reports go in many at once, or one as an update. */
export type Way = 'finishWorkItems' | 'updateWorkItem';

export type Action =
  | { readonly name: 'claim'; readonly by: Consumer }
  | { readonly name: 'heartbeat'; readonly by: Consumer; readonly version: number }
  | { readonly name: 'progress'; readonly by: Consumer; readonly version: number }
  | Report
  | { readonly name: 'repair'; readonly version: number; readonly to: Repair; readonly priority: number }
  | { readonly name: 'delete' | 'lapse' | 'due' };

export interface Report {
  readonly name: 'report';
  readonly by: Consumer;
  readonly version: number;
  readonly says: Says;
  readonly way: Way;
}

/** What a person makes of an item; EDIT leaves the status as it is. */
export type Repair = 'COMPLETE' | 'FAILED' | 'DEFERRED' | 'EDIT';

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
  /** Since when it stands in line among items of its priority. */
  readonly arrivedOn: string;
  readonly retryCount: number;
  readonly failureKind?: 'BUSINESS' | 'SYSTEM' | undefined;
  /** Who holds it, or held it last. */
  readonly holder?: Consumer;
  /** The last report that counted. */
  readonly counted?: Report;
  readonly timeline: readonly Happening[];
}

/** What a call answers about an item, and the item afterwards. */
export interface Step {
  readonly code: string;
  readonly item: Item;
}

export function created(item: Pick<Item, 'id' | 'priority' | 'arrivedOn'>, isDeferred: boolean): Item {
  const status = isDeferred ? 'DEFERRED' : 'NEW';
  const timeline = [{ operation: 'createWorkItems', by: 'owner', to: status }] as const;
  return { ...item, status, version: 0, retryCount: 0, timeline };
}

/** The items that wait, as claims will find them. */
export function inLine(items: readonly Item[]): Item[] {
  return items.filter(({ status }) => status === 'NEW').toSorted(comesBefore);
}

function comesBefore(one: Item, other: Item): number {
  if (one.priority !== other.priority) return other.priority - one.priority;
  if (one.arrivedOn !== other.arrivedOn) return one.arrivedOn < other.arrivedOn ? -1 : 1;
  return one.id - other.id;
}

export function step(item: Item, action: Action): Step {
  const { status } = item;
  if (status === 'GONE') return { code: action.name === 'heartbeat' ? 'LEASE_LOST' : 'NOT_FOUND', item };
  switch (action.name) {
    case 'claim':
      return moved(item, 'IN_PROGRESS', by('claimWorkItems', action.by), { holder: action.by });
    case 'heartbeat':
      return { code: isHeld(item, action) ? 'OK' : 'LEASE_LOST', item };
    case 'progress':
      if (!isHeld(item, action)) return { code: 'STATUS_CONFLICT', item };
      return moved(item, 'IN_PROGRESS', by('updateWorkItem', action.by));
    case 'report':
      return reported(item, action);
    case 'repair':
      return repaired(item, action);
    case 'delete':
      if (status === 'IN_PROGRESS') return { code: 'STATUS_CONFLICT', item };
      return {
        code: 'OK',
        item: noted({ ...item, status: 'GONE' }, { ...by('deleteWorkItem', 'owner'), from: status }),
      };
    case 'lapse':
      return moved(item, 'NEW', by('returnLapsedItems', 'millrace'));
    case 'due':
      return moved(item, 'NEW', by('promoteDueItems', 'millrace'));
  }
}

type Cause = Pick<Happening, 'operation' | 'by'>;

function by(operation: string, actor: Actor): Cause {
  return { operation, by: actor };
}

function isHeld(item: Item, grant: { readonly by: Consumer; readonly version: number }): boolean {
  return item.status === 'IN_PROGRESS' && item.holder === grant.by && item.version === grant.version;
}

function reported(item: Item, report: Report): Step {
  if (isRepeated(item, report)) return { code: 'OK', item };
  if (!isHeld(item, report)) return { code: 'LATE_REPORT', item: noted(item, by('lateReport', report.by)) };
  const { says } = report;
  const cause = by(report.way, report.by);
  if (says === 'COMPLETE' || says === 'DEFERRED') return moved(item, says, cause, { counted: report });
  if (says === 'SYSTEM' && item.retryCount < retryLimit) {
    return moved(item, 'NEW', cause, { counted: report, retryCount: item.retryCount + 1 });
  }
  return moved(item, 'FAILED', cause, { counted: report, failureKind: says });
}

/** The same report is one with the same status, whatever else it says. */
function isRepeated({ counted }: Item, report: Report): boolean {
  return (
    counted?.by === report.by &&
    counted.version === report.version &&
    statusOf[counted.says] === statusOf[report.says]
  );
}

const statusOf = { COMPLETE: 'COMPLETE', BUSINESS: 'FAILED', SYSTEM: 'FAILED', DEFERRED: 'DEFERRED' };

function repaired(item: Item, { version, to, priority }: Extract<Action, { name: 'repair' }>): Step {
  if (item.version !== version) return { code: 'VERSION_CONFLICT', item };
  const { status, failureKind } = item;
  if (status === 'GONE' || status === 'COMPLETE' || status === 'IN_PROGRESS') {
    return { code: 'STATUS_CONFLICT', item };
  }
  const next = to === 'EDIT' ? status : to;
  // Who gives up an item that has failed already leaves the record of how it failed.
  const kind = next !== 'FAILED' ? undefined : status === 'FAILED' ? failureKind : 'BUSINESS';
  return moved(item, next, by('updateWorkItem', 'owner'), { priority, failureKind: kind });
}

/** Every change raises the version; what is only noted does not. */
function moved(item: Item, to: Status, cause: Cause, more: Partial<Item> = {}): Step {
  const from = item.status === 'GONE' ? undefined : item.status;
  const after = noted(item, { ...cause, from, to });
  return {
    code: 'OK',
    item: { ...after, status: to, version: item.version + 1, failureKind: undefined, ...more },
  };
}

function noted(item: Item, happening: Happening): Item {
  return { ...item, timeline: [...item.timeline, happening] };
}
