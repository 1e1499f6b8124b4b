import type { ConnectionConfig } from '../engine/db.ts';
import type { Full, Holder, Kind } from '../engine/places.ts';
import type { Spent, Wake } from '../engine/siblings.ts';

/** The facts that a process needs from its parent at its start. */
export interface Start {
  readonly connection: ConnectionConfig;
  readonly direct: ConnectionConfig | undefined;
  /** A free port, even where any was asked for. */
  readonly port: number;
  readonly databaseConnections: number;
  readonly ownKeyFile: string | undefined;
}

/** A process that serves; at the first start with the generated password of `admin`, and the file of the master key that it has made. */
export interface Serving {
  readonly url: string;
  readonly firstPassword: string | undefined;
  readonly madeKeyFile: string | undefined;
}

/** Messages in both directions: processes tell the parent, which tells the others. */
export type Shared =
  | { readonly kind: 'wake'; readonly wakeUps: readonly Parameters<Wake>[] }
  | { readonly kind: 'requests'; readonly spent: readonly Spent[] };

export type FromProcess =
  | Shared
  /** Sent when it can receive messages. */
  | { readonly kind: 'listening' }
  | ({ readonly kind: 'serving' } & Serving)
  | { readonly kind: 'failed'; readonly message: string }
  /** Sent each second by a process that is well enough to do so. */
  | { readonly kind: 'ready'; readonly isReady: boolean }
  | { readonly kind: 'take'; readonly call: number; readonly of: Kind; readonly holder: Holder }
  | { readonly kind: 'release'; readonly call: number };

export type ToProcess =
  | Shared
  | ({ readonly kind: 'start' } & Start)
  | { readonly kind: 'taken'; readonly call: number; readonly full: Full | undefined }
  | { readonly kind: 'missing'; readonly processes: number }
  | { readonly kind: 'leave' }
  | { readonly kind: 'stop' };
