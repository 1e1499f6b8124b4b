import type { Id, Input, OperationId, Output, operations } from '@millrace/api';
import type { Db } from './db.ts';
import type { BellName } from './dispatch/bell.ts';
import type { Refusal } from './errors.ts';
import type { Capability } from './members/rules.ts';
import type { QueueDefinition } from './queues/rules.ts';
import type { StreamPart } from './streams.ts';

/** What an operation is handed besides its input. Operations read the clock and the database from here only. */
export interface Context {
  readonly db: Db;
  readonly actor: Actor;
  /** The time of the database when the transaction began; one clock for all servers. */
  readonly now: Date;
  readonly log: Log;
  /** Bells to ring after the commit, and for how many items: a queue's for what became claimable in it. */
  readonly woken: Map<BellName, number>;
}

/** The context of an operation on one queue, which exists and which the actor may see. */
export interface QueueContext extends Context {
  readonly queue: QueueDefinition;
}

/** The context of calls on one queue that share a transaction; each call has its own actor. */
export type BatchContext = Omit<QueueContext, 'actor'>;

/** The context of an operation that needs no token; `token` is the one in the header, if any. */
export interface PublicContext extends Omit<Context, 'actor'> {
  readonly token: string | undefined;
}

/** The context of an operation without a token that does slow work between transactions, such as hashing. */
export interface SteppedContext extends Pick<PublicContext, 'token' | 'log'> {
  /** Runs one step in a transaction of its own. */
  readonly transact: <T>(work: (context: PublicContext) => Promise<T>) => Promise<T>;
}

/** The context of an operation on one queue that is done in several transactions, so that it may be long and holds nobody up. */
export interface QueueStepsContext {
  /** Runs one step in a transaction of its own. The caller must still be allowed to call the operation. */
  readonly transact: <T>(work: (context: QueueContext) => Promise<T>) => Promise<T>;
  /** Aborts when the caller has gone. */
  readonly signal: AbortSignal;
}

/** Who calls, and what they may do. */
export interface Actor {
  readonly id: Id;
  readonly username: string;
  readonly tenantId: Id;
  /** Permissions that the roles of the user grant. */
  readonly permissions: ReadonlySet<string>;
  /** What the user may do in the queue of the operation; empty for operations that name no queue. */
  readonly capabilities: ReadonlySet<Capability>;
}

/** The context of calls from one tenant that share a transaction. */
export type TenantContext = Omit<Context, 'actor'>;

/** One of the calls that share a transaction. */
export interface BatchCall<O extends OperationId> {
  readonly actor: Actor;
  readonly input: Input<O>;
}

export interface Log {
  debug(members: object, message: string): void;
  info(members: object, message: string): void;
  warn(members: object, message: string): void;
  error(members: object, message: string): void;
}

export type PlainOperation<O extends OperationId> = (context: Context, input: Input<O>) => Promise<Output<O>>;
/** A refusal that is thrown undoes the transaction; one that is returned keeps it, with the record it left. */
export type QueueOperation<O extends OperationId> = (
  context: QueueContext,
  input: Input<O>,
) => Promise<Output<O> | Refusal>;
export type PublicOperation<O extends OperationId> = (
  context: PublicContext,
  input: Input<O>,
) => Promise<Output<O>>;
export type SteppedOperation<O extends OperationId> = (
  context: SteppedContext,
  input: Input<O>,
) => Promise<Output<O>>;
export type QueueStepsOperation<O extends OperationId> = (
  context: QueueStepsContext,
  input: Input<O>,
) => Promise<Output<O>>;
/** One call's outcome among several; a refusal leaves the others alone. */
export type Outcome<O extends OperationId> = Output<O> | Refusal | Idle<Output<O>>;
/** One outcome for each call, in order. */
export type BatchOperation<O extends OperationId> = (
  context: BatchContext,
  calls: readonly BatchCall<O>[],
) => Promise<Outcome<O>[]>;
export type TenantOperation<O extends OperationId> = (
  context: TenantContext,
  calls: readonly BatchCall<O>[],
) => Promise<Outcome<O>[]>;

/** There is nothing for the call now. It is run again when a bell rings, as long as its caller waits. */
export class Idle<Nothing> {
  /** What a caller is answered who waits no longer. */
  readonly output: Nothing;
  /** Those that ring when there may be something. */
  readonly bells: readonly BellName[];

  constructor(output: Nothing, bells: readonly BellName[]) {
    this.output = output;
    this.bells = bells;
  }
}

/** Answers the part of a stream that comes behind the cursor `after`; called for each part, in a transaction of its own. */
export type StreamOperation<O extends OperationId> = (
  context: Context,
  input: Input<O>,
) => Promise<StreamPart>;

type Table = typeof operations;

/** The kind of function that keeps the operation, by what the contract says of it. */
export type FunctionOf<O extends OperationId> = Table[O]['permission'] extends 'public'
  ? Table[O]['effect'] extends 'steps'
    ? SteppedOperation<O>
    : PublicOperation<O>
  : Table[O]['effect'] extends 'batch'
    ? Table[O]['queue'] extends null
      ? TenantOperation<O>
      : BatchOperation<O>
    : Table[O]['effect'] extends 'stream'
      ? StreamOperation<O>
      : Table[O]['queue'] extends null
        ? PlainOperation<O>
        : Table[O]['effect'] extends 'steps'
          ? QueueStepsOperation<O>
          : QueueOperation<O>;

/** A function for each operation of the contract. */
export type Functions = { readonly [O in OperationId]: FunctionOf<O> };
