/**
 * The life of a work item, as data: each transition with the statuses it starts from, its further conditions, and the status it leads to.
 * The server's rules, docs/lifecycle.md and the tests read these tables.
 */

export const statuses = ['NEW', 'IN_PROGRESS', 'COMPLETE', 'FAILED', 'DEFERRED'] as const;
export type Status = (typeof statuses)[number];

/** Whether an item of this status is done: nothing happens to it any more unless a person brings it back. */
export function isOver(status: Status): boolean {
  return status === 'COMPLETE' || status === 'FAILED';
}

/** The facts about an item that decide which transitions may happen to it. */
export interface Facts {
  readonly status: Status;
  readonly notBefore?: unknown;
  readonly pointOfNoReturnOn?: unknown;
  readonly cancelRequestedOn?: unknown;
  readonly failureKind?: string | undefined;
}

interface Condition {
  readonly holds: (item: Facts) => boolean;
  readonly meaning: string;
}

const isPastReturn = ({ pointOfNoReturnOn }: Facts) => pointOfNoReturnOn !== undefined;
const isCancelled = ({ cancelRequestedOn }: Facts) => cancelRequestedOn !== undefined;
const isInDoubt = ({ failureKind }: Facts) => failureKind === 'IN_DOUBT';

/** Facts that a transition may need besides the status. */
export const guards = {
  returnable: { holds: (item) => !isPastReturn(item), meaning: 'before the point of no return' },
  pastReturn: { holds: isPastReturn, meaning: 'after the point of no return' },
  cancelled: { holds: isCancelled, meaning: 'a person asked for it to be cancelled' },
  notCancelled: { holds: (item) => !isCancelled(item), meaning: 'nobody asked for it to be cancelled' },
  inDoubt: { holds: isInDoubt, meaning: 'its failureKind is IN_DOUBT' },
  notInDoubt: { holds: (item) => !isInDoubt(item), meaning: 'its failureKind is not IN_DOUBT' },
  ready: { holds: ({ notBefore }) => notBefore === undefined, meaning: 'it does not wait for a retry' },
  delayed: {
    holds: ({ status, notBefore }) => status === 'DEFERRED' || notBefore !== undefined,
    meaning: 'it is deferred, or waits for a retry',
  },
} as const satisfies Record<string, Condition>;

export type Guard = keyof typeof guards;

/** The causer of a transition: a producer, the consumer that holds the lease, a person, or Millrace itself. */
export type Cause = 'producer' | 'holder' | 'person' | 'millrace';

export interface Transition {
  readonly by: readonly Cause[];
  /** Statuses in which it may happen; none for an item that does not exist yet. */
  readonly from: readonly Status[];
  /** Facts that must hold as well. */
  readonly when?: readonly Guard[];
  /** The status it leads to; SAME keeps the status, GONE removes the item. */
  readonly to: Status | 'SAME' | 'GONE';
  readonly meaning: string;
}

export const transitions = {
  create: { by: ['producer'], from: [], to: 'NEW', meaning: 'put into the queue' },
  createDeferred: {
    by: ['producer'],
    from: [],
    to: 'DEFERRED',
    meaning: 'put into the queue, parked until a time',
  },
  claim: { by: ['holder'], from: ['NEW'], when: ['ready'], to: 'IN_PROGRESS', meaning: 'leased' },
  progress: { by: ['holder'], from: ['IN_PROGRESS'], to: 'SAME', meaning: 'progress or data noted' },
  pointOfNoReturn: {
    by: ['holder'],
    from: ['IN_PROGRESS'],
    when: ['returnable', 'notCancelled'],
    to: 'SAME',
    meaning: 'what begins now cannot be undone',
  },
  finish: { by: ['holder'], from: ['IN_PROGRESS'], to: 'COMPLETE', meaning: 'done' },
  fail: {
    by: ['holder'],
    from: ['IN_PROGRESS'],
    to: 'FAILED',
    meaning: 'business failure, or no retry left',
  },
  retry: {
    by: ['holder'],
    from: ['IN_PROGRESS'],
    when: ['returnable', 'notCancelled'],
    to: 'NEW',
    meaning: 'technical failure, to be tried again after the back-off of the queue',
  },
  park: {
    by: ['holder'],
    from: ['IN_PROGRESS'],
    when: ['notCancelled'],
    to: 'DEFERRED',
    meaning: 'put aside by its holder',
  },
  giveBack: {
    by: ['holder'],
    from: ['IN_PROGRESS'],
    when: ['returnable', 'notCancelled'],
    to: 'NEW',
    meaning: 'returned untried; the attempt does not count',
  },
  lapse: {
    by: ['millrace'],
    from: ['IN_PROGRESS'],
    when: ['returnable', 'notCancelled'],
    to: 'NEW',
    meaning: 'lease expired; the attempt does not count',
  },
  exhaust: {
    by: ['millrace'],
    from: ['IN_PROGRESS'],
    when: ['returnable', 'notCancelled'],
    to: 'FAILED',
    meaning: 'lease expired too often in a row: a SYSTEM failure',
  },
  takeBack: {
    by: ['person', 'millrace'],
    from: ['IN_PROGRESS'],
    when: ['returnable', 'notCancelled'],
    to: 'NEW',
    meaning: 'taken from a device that is not trusted any more; the attempt does not count',
  },
  cancel: {
    by: ['person'],
    from: ['IN_PROGRESS'],
    when: ['notCancelled'],
    to: 'SAME',
    meaning: 'its holder is told to stop',
  },
  stop: {
    by: ['holder', 'person', 'millrace'],
    from: ['IN_PROGRESS'],
    when: ['returnable', 'cancelled'],
    to: 'FAILED',
    meaning: 'ended without success after it was cancelled: a BUSINESS failure',
  },
  doubt: {
    by: ['holder', 'person', 'millrace'],
    from: ['IN_PROGRESS'],
    when: ['pastReturn'],
    to: 'FAILED',
    meaning: 'ended without anybody knowing whether the work was done: IN_DOUBT',
  },
  resolveDone: {
    by: ['person'],
    from: ['FAILED'],
    when: ['inDoubt'],
    to: 'COMPLETE',
    meaning: 'it was done, a person found',
  },
  resolveNotDone: {
    by: ['person'],
    from: ['FAILED'],
    when: ['inDoubt'],
    to: 'NEW',
    meaning: 'it was not done, a person found: to be done again',
  },
  resolvePartly: {
    by: ['person'],
    from: ['FAILED'],
    when: ['inDoubt'],
    to: 'SAME',
    meaning: 'it was done in part, a person found: a BUSINESS failure with a note',
  },
  due: { by: ['millrace'], from: ['DEFERRED'], to: 'NEW', meaning: 'deferral is over' },
  expire: {
    by: ['millrace'],
    from: ['NEW', 'DEFERRED'],
    to: 'FAILED',
    meaning: 'past the expiry of the queue',
  },
  release: {
    by: ['person'],
    from: ['NEW', 'DEFERRED'],
    when: ['delayed'],
    to: 'NEW',
    meaning: 'need not wait for its time any longer',
  },
  restart: {
    by: ['person'],
    from: ['FAILED'],
    when: ['notInDoubt'],
    to: 'NEW',
    meaning: 'to be tried again, with all retries',
  },
  edit: {
    by: ['person'],
    from: ['NEW', 'DEFERRED', 'FAILED'],
    to: 'SAME',
    meaning: 'data, tags or priority corrected',
  },
  move: {
    by: ['person'],
    from: ['NEW', 'DEFERRED', 'FAILED'],
    when: ['notInDoubt'],
    to: 'SAME',
    meaning: 'put into another queue of the same model',
  },
  defer: {
    by: ['person'],
    from: ['NEW', 'DEFERRED', 'FAILED'],
    when: ['notInDoubt'],
    to: 'DEFERRED',
    meaning: 'put aside by a person',
  },
  complete: {
    by: ['person'],
    from: ['NEW', 'DEFERRED', 'FAILED'],
    when: ['notInDoubt'],
    to: 'COMPLETE',
    meaning: 'done, says a person',
  },
  giveUp: {
    by: ['person'],
    from: ['NEW', 'DEFERRED', 'FAILED'],
    when: ['notInDoubt'],
    to: 'FAILED',
    meaning: 'failed, says a person',
  },
  delete: {
    by: ['person'],
    from: ['NEW', 'DEFERRED', 'FAILED', 'COMPLETE'],
    to: 'GONE',
    meaning: 'removed from the queue',
  },
} as const satisfies Record<string, Transition>;

export type TransitionName = keyof typeof transitions;

/** Whether the transition may happen to the item as it is. */
export function mayHappen(name: TransitionName, item: Facts): boolean {
  const { from, when = [] }: Transition = transitions[name];
  return from.includes(item.status) && when.every((guard) => guards[guard].holds(item));
}

/** The status after the transition; for `delete`, and where the status stays, the one before. */
export function statusAfter(name: TransitionName, status: Status): Status {
  const { to } = transitions[name];
  return to === 'SAME' || to === 'GONE' ? status : to;
}
