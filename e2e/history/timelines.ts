import type { Grant, Happening, History } from './record.ts';

/** A history with its events by item, as promises look at it. */
export interface Case extends History {
  /** By the id of the item, in the order of the record. */
  readonly events: ReadonlyMap<number, readonly Happening[]>;
  /** The events that changed the item: the position of a change is the version that it made. */
  readonly changes: ReadonlyMap<number, readonly Happening[]>;
}

export function caseOf(history: History): Case {
  const events = byKey(
    history.record.filter(({ itemId }) => itemId !== undefined),
    ({ itemId }) => itemId as number,
  );
  const changes = new Map([...events].map(([id, list]) => [id, list.filter(isChange).map(withArrival)]));
  return { ...history, events, changes };
}

/** Lists by a common key, each in its former order. */
export function byKey<K, T>(list: readonly T[], keyOf: (one: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const one of list) {
    const group = groups.get(keyOf(one)) ?? [];
    groups.set(keyOf(one), group);
    group.push(one);
  }
  return groups;
}

/** A late report, a request to cancel and the point of no return are none: they leave status and version as they are. */
function isChange(event: Happening): boolean {
  const { operation, from, to } = event;
  return (
    operation !== 'lateReport' && !(from === 'IN_PROGRESS' && to === 'IN_PROGRESS') && !isDeparture(event)
  );
}

/** Two events tell of one change when an item is moved: it leaves a queue and arrives in another one. */
export function isDeparture({ changes }: Happening): boolean {
  return changes?.['movedTo'] !== undefined;
}

/** An item arrives with the status that it left with. */
function withArrival(event: Happening): Happening {
  return event.changes?.['movedFrom'] === undefined ? event : { ...event, from: event.to };
}

export function isPass({ operation, to }: Happening): boolean {
  return operation === 'heartbeatWorkItems' && to === 'IN_PROGRESS';
}

export function isCancel(event: Happening): boolean {
  const { operation, from, to } = event;
  return operation !== 'lateReport' && from === 'IN_PROGRESS' && to === 'IN_PROGRESS' && !isPass(event);
}

/** Whether an event is a grant; taking an item by its id is one as well. */
export function isGrant({ operation, from, to }: Happening): boolean {
  const isTake = operation === 'updateWorkItem' && from === 'NEW' && to === 'IN_PROGRESS';
  return operation === 'claimWorkItems' || operation === 'requestWork' || isTake;
}

export function isReport({ operation }: Happening): boolean {
  return operation === 'finishWorkItems';
}

/** Whether a person removed the item. */
export function isGone(changes: readonly Happening[] = []): boolean {
  const last = changes.at(-1);
  return last !== undefined && last.to === undefined;
}

export function transitionOf({ changes }: Happening): unknown {
  return changes?.['transition'];
}

/** The change from which the right comes. */
export function originOf(
  { changes }: Case,
  { id, version }: Pick<Grant, 'id' | 'version'>,
): Happening | undefined {
  return changes.get(id)?.[version];
}

/** The change that ended the right. */
export function endOf(known: Case, { id, version }: Pick<Grant, 'id' | 'version'>): Happening | undefined {
  return originOf(known, { id, version: version + 1 });
}

/** The events of the item while the right was good. */
export function meanwhile(known: Case, grant: Pick<Grant, 'id' | 'version'>): Happening[] {
  const [from, until] = [
    originOf(known, grant)?.id ?? 0,
    endOf(known, grant)?.id ?? Number.POSITIVE_INFINITY,
  ];
  return (known.events.get(grant.id) ?? []).filter(({ id }) => id > from && id < until);
}

/** Whether the user of the right was granted the item by the claim that made the version. */
export function isHolder(known: Case, grant: Grant): boolean {
  const origin = originOf(known, grant);
  return origin !== undefined && isGrant(origin) && origin.by === grant.by;
}
