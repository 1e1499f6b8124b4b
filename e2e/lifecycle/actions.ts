/** What may happen to a work item. */

export type Consumer = 'first consumer' | 'second consumer';
export type Actor = Consumer | 'owner' | 'millrace';

/** What a consumer may say of its item. */
export type Says = 'COMPLETE' | 'BUSINESS' | 'SYSTEM' | 'DEFERRED' | 'NEW';
/** Reports go in many at once, or one as an update. */
export type Way = 'finishWorkItems' | 'updateWorkItem';

/** What a consumer does to its item, or to one that it held or never held. */
export type ByHolder =
  | { readonly name: 'heartbeat' | 'pass' | 'progress'; readonly by: Consumer; readonly version: number }
  | Report;

/** What a person does to an item; a version is the one that the person has seen. */
export type ByPerson =
  | { readonly name: 'repair'; readonly version: number; readonly to: Repair; readonly priority: number }
  | { readonly name: 'release' | 'restart'; readonly version: number }
  | { readonly name: 'resolve'; readonly version: number; readonly answer: Answer }
  | { readonly name: 'cancel' | 'delete' };

export type Action =
  | { readonly name: 'claim'; readonly by: Consumer }
  | ByHolder
  | ByPerson
  /** Time passes: a lease runs out. */
  | { readonly name: 'lapse' }
  /** Time passes: what an item waits for has come. */
  | { readonly name: 'due' };

export interface Report {
  readonly name: 'report';
  readonly by: Consumer;
  readonly version: number;
  readonly says: Says;
  readonly way: Way;
}

/** What a person makes of an item; EDIT leaves the status as it is. */
export type Repair = 'COMPLETE' | 'FAILED' | 'DEFERRED' | 'EDIT';

/** What a person has found out about an item in doubt. */
export type Answer = 'DONE' | 'NOT_DONE' | 'PARTLY';
