/** The actions on a work item. */

export type Consumer = 'first consumer' | 'second consumer';
export type Actor = Consumer | 'owner' | 'millrace';

/** The outcomes that a consumer may report of its item. */
export type Says = 'COMPLETE' | 'BUSINESS' | 'SYSTEM' | 'DEFERRED' | 'NEW';
/** Reports go in many at once, or one as an update. */
export type Way = 'finishWorkItems' | 'updateWorkItem';

/** Actions of a consumer on its item, or on one that it held before or never. */
export type ByHolder =
  | { readonly name: 'heartbeat' | 'pass' | 'progress'; readonly by: Consumer; readonly version: number }
  | Report;

/** Actions of a person on an item; a version is the one that the person has seen. */
export type ByPerson =
  | { readonly name: 'repair'; readonly version: number; readonly to: Repair; readonly priority: number }
  | { readonly name: 'release' | 'restart'; readonly version: number }
  | { readonly name: 'resolve'; readonly version: number; readonly answer: Answer }
  | { readonly name: 'cancel' | 'delete' };

export type Action =
  | { readonly name: 'claim'; readonly by: Consumer }
  | ByHolder
  | ByPerson
  /** Time passes: a lease expires. */
  | { readonly name: 'expire' }
  /** Time passes: the due time of the item has come. */
  | { readonly name: 'due' };

export interface Report {
  readonly name: 'report';
  readonly by: Consumer;
  readonly version: number;
  readonly says: Says;
  readonly way: Way;
}

/** The status that a person gives an item; EDIT leaves the status as it is. */
export type Repair = 'COMPLETE' | 'FAILED' | 'DEFERRED' | 'EDIT';

/** The finding of a person about an item in doubt. */
export type Answer = 'DONE' | 'NOT_DONE' | 'PARTLY';
