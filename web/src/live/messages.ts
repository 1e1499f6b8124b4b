import type { Fold } from './fold.ts';

/** How the stream of events is: `off` where there is none yet. */
export type LiveState = 'off' | 'live' | 'reconnecting';

/** What the worker is begun with. */
export interface FeedStart {
  readonly token: string;
  /** The cursor of the last event that is known; undefined for what happens from now on. */
  readonly after: string | undefined;
}

/** What the worker tells, and what the tab that has it tells the others. */
export type FeedMessage =
  | { readonly is: 'state'; readonly state: LiveState }
  | { readonly is: 'fold'; readonly fold: Fold; readonly cursor: string | undefined }
  | { readonly is: 'ended'; readonly isRefused: boolean; readonly cursor: string | undefined };
