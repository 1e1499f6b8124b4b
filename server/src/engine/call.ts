import type { Id, Input, Operation, OperationId, Output } from '@millrace/api';
import type { Background } from './background.ts';
import type { Pool } from './db.ts';
import type { Refusal } from './errors.ts';
import { withHashOf, type IdempotencyKey, type Keyed } from './idempotency.ts';
import type { LowWaterMarks, Place } from './low-water.ts';
import type {
  Actor,
  Client,
  Context,
  Functions,
  Identity,
  Log,
  QueueDefinition,
  RecordKey,
  Who,
} from './operation.ts';
import type { TakePlace } from './places.ts';
import type { Provider } from './provider.ts';
import type { Sealer, Vault } from './vault.ts';
import type { WakeUp, WakeUps } from './wake-ups.ts';

/** A request that has been read and is valid against the contract. */
export interface Request {
  readonly operationId: OperationId;
  readonly token: string | undefined;
  /** The cookie of the browser, for operations of pages of this server. */
  readonly cookie: string | undefined;
  /** The proved token; undefined only where the operation needs none, which then has to `count` the request. */
  readonly identity: Identity | undefined;
  readonly count: (who: Who) => void;
  readonly input: Input;
  readonly client: Client;
  /** The announced size of its body in bytes. */
  readonly bodyBytes: number;
  /** The key under which the call is done once, if its caller has given one. */
  readonly idempotency?: IdempotencyKey | undefined;
  readonly log: Log;
  /** A signal that aborts when the caller has gone; made on demand, as few calls wait for anything. */
  readonly signal: () => AbortSignal;
}

export interface Parts {
  readonly pool: Pool;
  /** Longest time of one statement of a read. */
  readonly readMs: number;
  /** Time after its log-in during which a session can be renewed. */
  readonly sessionHours: number;
  /** Time without use after which a session kept by a browser ends. */
  readonly idleHours: number;
  readonly wakeUps: WakeUps;
  readonly marks: LowWaterMarks;
  readonly vault: Vault;
  readonly recordKey: RecordKey;
  /** Wakes calls on all servers, enough of them for the items; this one learns the places of those that have become claimable. */
  readonly notify: (name: WakeUp, items: number, places: readonly Place[]) => void;
  readonly functions: Functions;
  readonly admit: Admit;
  readonly log: Log;
  /** The time of the database, without asking it. */
  readonly now: () => Date;
  readonly readiness: () => Promise<Output<'getReadiness'>>;
  readonly providers: readonly Provider[];
  readonly background: Pick<Background, 'begin'>;
  readonly takePlace: TakePlace;
}

// The table and the functions agree by type (`Functions`); only here the types of single operations are dropped.
type AnyFunction = (context: unknown, input: unknown) => Promise<unknown>;

/** A request for an operation that needs a token, and the queue in its path, if there is one. */
export interface Call extends Request {
  readonly operation: Operation;
  readonly identity: Identity;
  readonly queueId: Id | undefined;
  /** The actor, as decided before the call was answered, for the work that goes on after the answer. */
  readonly promisedTo?: Actor;
}

/** The actors of calls of one operation on one queue, decided in the transaction that does their work. */
interface Admitted {
  /** The queue named by the calls, locked as the operation needs it. */
  readonly queue: QueueDefinition | undefined;
  /** In the order of the calls. */
  readonly actors: (Actor | Refusal)[];
}

export type Admit = (where: Pick<Context, 'db' | 'vault'>, calls: readonly Call[]) => Promise<Admitted>;

/**
 * Asks, before the body of a call is read, whether admission would refuse its sender as of now. A sender who passes may still be refused:
 * rights can be lost until the transaction that does the work decides. @throws Refusal
 */
export type Screen = (
  call: Pick<Request, 'operationId'> & { identity: Identity; path: object },
) => Promise<void>;

/** The function of an operation. */
export function functionOf(parts: Parts, operationId: OperationId): AnyFunction {
  return parts.functions[operationId] as unknown as AnyFunction;
}

/**
 * The sealer for request hashes, which are made with a key of the tenant: requests may have sensitive values, which could be guessed from
 * plain hashes.
 */
export async function sealerFor(
  { db, vault }: Pick<Context, 'db' | 'vault'>,
  calls: readonly Call[],
  actor: Actor | undefined,
): Promise<Sealer | undefined> {
  const isKeyed = calls.some(({ idempotency }) => idempotency);
  return isKeyed && actor ? vault.sealerOf(db, actor.tenantId) : undefined;
}

/** The key of a call, if it has one. */
export function keyedOf(
  { idempotency }: Call,
  actor: Pick<Actor, 'id'>,
  sealer: Sealer | undefined,
): Keyed | undefined {
  return idempotency && { ...withHashOf(idempotency, sealer), userId: actor.id, sealer };
}

/** The queue in the path of a call, if the operation has one there. */
export function queueIdOf({ queue }: Operation, path: object): Id | undefined {
  return queue ? (path as { id: Id }).id : undefined;
}

/** Whether an operation changes nothing. */
export function readsOnly({ effect }: Pick<Operation, 'effect'>): boolean {
  return effect === 'read' || effect === 'stream' || effect === 'download';
}
