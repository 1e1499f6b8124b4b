import type { Fold } from './fold.ts';

/** The state of the event stream: `off` while there is none. */
export type LiveState = 'off' | 'live' | 'reconnecting';

/** The message that starts the worker. */
export interface FeedStart {
  readonly token: string;
  /** The cursor of the last known event; undefined to begin now. */
  readonly after: string | undefined;
}

/** The messages of the worker, and between the tabs. */
export type FeedMessage =
  | { readonly is: 'state'; readonly state: LiveState }
  | { readonly is: 'fold'; readonly fold: Fold; readonly cursor: string | undefined }
  | { readonly is: 'ended'; readonly isRefused: boolean; readonly cursor: string | undefined };
