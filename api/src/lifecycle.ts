/**
 * The life of a work item, as data: the transitions there are, from which statuses each may start, and where it leads.
 * The server's rules, docs/lifecycle.md and the tests read this table.
 */

export const statuses = ['NEW', 'IN_PROGRESS', 'COMPLETE', 'FAILED', 'DEFERRED'] as const;
export type Status = (typeof statuses)[number];

/** Whether an item of this status is done: nothing happens to it any more unless a person brings it back. */
export function isOver(status: Status): boolean {
  return status === 'COMPLETE' || status === 'FAILED';
}

export interface Transition {
  /** Who causes it: a producer, the consumer that holds the lease, a person, or Millrace itself. */
  readonly by: 'producer' | 'holder' | 'person' | 'millrace';
  /** Statuses in which it may happen; none for an item that does not exist yet. */
  readonly from: readonly Status[];
  /** Where it leads; SAME keeps the status, GONE removes the item. */
  readonly to: Status | 'SAME' | 'GONE';
  readonly meaning: string;
}

export const transitions = {
  create: { by: 'producer', from: [], to: 'NEW', meaning: 'put into the queue' },
  createDeferred: {
    by: 'producer',
    from: [],
    to: 'DEFERRED',
    meaning: 'put into the queue, parked until a time',
  },
  claim: { by: 'holder', from: ['NEW'], to: 'IN_PROGRESS', meaning: 'leased to a consumer' },
  progress: { by: 'holder', from: ['IN_PROGRESS'], to: 'SAME', meaning: 'progress or data noted' },
  finish: { by: 'holder', from: ['IN_PROGRESS'], to: 'COMPLETE', meaning: 'done' },
  fail: { by: 'holder', from: ['IN_PROGRESS'], to: 'FAILED', meaning: 'business failure, or no retry left' },
  retry: { by: 'holder', from: ['IN_PROGRESS'], to: 'NEW', meaning: 'technical failure, to be tried again' },
  park: { by: 'holder', from: ['IN_PROGRESS'], to: 'DEFERRED', meaning: 'put aside by its holder' },
  lapse: {
    by: 'millrace',
    from: ['IN_PROGRESS'],
    to: 'NEW',
    meaning: 'lease ran out; the attempt does not count',
  },
  due: { by: 'millrace', from: ['DEFERRED'], to: 'NEW', meaning: 'deferral is over' },
  expire: {
    by: 'millrace',
    from: ['NEW', 'DEFERRED'],
    to: 'FAILED',
    meaning: 'past the expiry of the queue',
  },
  edit: {
    by: 'person',
    from: ['NEW', 'DEFERRED', 'FAILED'],
    to: 'SAME',
    meaning: 'data or priority corrected',
  },
  defer: {
    by: 'person',
    from: ['NEW', 'DEFERRED', 'FAILED'],
    to: 'DEFERRED',
    meaning: 'put aside by a person',
  },
  complete: {
    by: 'person',
    from: ['NEW', 'DEFERRED', 'FAILED'],
    to: 'COMPLETE',
    meaning: 'done, says a person',
  },
  giveUp: {
    by: 'person',
    from: ['NEW', 'DEFERRED', 'FAILED'],
    to: 'FAILED',
    meaning: 'failed, says a person',
  },
  delete: {
    by: 'person',
    from: ['NEW', 'DEFERRED', 'FAILED', 'COMPLETE'],
    to: 'GONE',
    meaning: 'removed from the queue',
  },
} as const satisfies Record<string, Transition>;

export type TransitionName = keyof typeof transitions;

/** Whether the transition may happen to an item in this status. */
export function mayHappen(name: TransitionName, status: Status): boolean {
  return (transitions[name].from as readonly Status[]).includes(status);
}

/** The status after the transition; for `delete`, and where the status stays, the one before. */
export function statusAfter(name: TransitionName, status: Status): Status {
  const { to } = transitions[name];
  return to === 'SAME' || to === 'GONE' ? status : to;
}
