import type { KeyObject } from 'node:crypto';
import type { Id, Input, OperationId, Output, Schemas, operations } from '@millrace/api';
import type { Readable } from 'node:stream';
import type { Access, Db } from './db.ts';
import type { Refusal } from './errors.ts';
import type { LowWaterMarks, Place } from './low-water.ts';
import type { Kind, TakePlace } from './places.ts';
import type { Provider } from './provider.ts';
import type { StreamPart } from './stream-part.ts';
import type { Sealer, Vault } from './vault.ts';
import type { WakeUp } from './wake-ups.ts';

/** The means handed to an operation besides its input. Operations read the clock and the database from here only. */
export interface Context {
  readonly db: Db;
  readonly actor: Actor;
  /** The time of the database at the beginning of the transaction; one clock for all servers. */
  readonly now: Date;
  readonly log: Log;
  /**
   * Wakes, after the commit, calls that wait for this, on all servers: enough of them for the items, or all. Items that have become
   * claimable come with their places in the order of their queue: claims would not see those below its low-water mark.
   */
  readonly wake: (name: WakeUp, items?: number | readonly Place[]) => unknown;
  readonly marks: Pick<LowWaterMarks, 'look'>;
  readonly vault: Vault;
  readonly recordKey: RecordKey;
  readonly client: Client;
  /** The session of the token. */
  readonly sessionId: string;
}

/** A key of this server that is in no database: access to the database alone is not enough to forge its signatures. */
export interface SealingKey {
  readonly id: string;
  readonly privateKey: KeyObject;
}

/** The key by which changes of the record are signed. @throws Refusal when this server can have none */
export type RecordKey = (where: Pick<Context, 'db' | 'now' | 'wake'>) => Promise<SealingKey>;

/** The members that belong to each call, even where several share a transaction. */
type OfCall = 'actor' | 'client' | 'sessionId';

/** The context of an operation on one queue, which exists and is visible to the actor. */
export interface QueueContext extends Context {
  readonly queue: QueueDefinition;
}

/** The context of calls on one queue that share a transaction; each call has its own actor. */
export type BatchContext = Omit<QueueContext, OfCall>;

/** The origin of a call. */
export interface Client {
  /** Of the connection, or as stated by a trusted proxy. */
  readonly address: string;
  /** The program of the client, in its own words; cut to a length. */
  readonly userAgent: string | undefined;
}

/** The context of an operation that needs no token; `token` is the one in the header, if any. */
export interface PublicContext extends Omit<
  Context,
  'actor' | 'marks' | 'vault' | 'recordKey' | 'sessionId'
> {
  readonly token: string | undefined;
  /** Hours from a log-in during which its session can be renewed. */
  readonly sessionHours: number;
  /** Hours without use after which a session kept by a browser ends. */
  readonly idleHours: number;
  /** Counts the request towards the limits of its user, once proved. @throws Refusal TOO_MANY_REQUESTS for one request too many */
  readonly count: (who: Who) => void;
}

/** The user and the tenant whose requests are limited. */
export type Who = Pick<Identity, 'userId' | 'tenantUuid'>;

/** The context of an operation for pages of this server, whose browser keeps a cookie. */
export interface BrowserContext extends PublicContext {
  /** As sent by the browser, not proved. */
  readonly cookie: string | undefined;
}

/** An answer to a page, and the cookie for its browser from now on, with its life in seconds; undefined deletes the present one. */
export interface WithCookie<Answer> {
  readonly answer: Answer;
  readonly cookie: { readonly value: string; readonly seconds: number } | undefined;
}

/** The context of an operation without a token that does slow work, such as hashing, between transactions. */
export interface SteppedContext extends Pick<PublicContext, 'token' | 'client' | 'log'> {
  readonly providers: readonly Provider[];
  /** Runs one step in a transaction of its own. */
  readonly transact: <T>(work: (context: PublicContext) => Promise<T>) => Promise<T>;
}

/** The context of an operation that does not use the database: it is answered whatever state that is in. */
interface BareContext extends Pick<PublicContext, 'token' | 'log'> {
  readonly providers: readonly Provider[];
  /** The state of the server. @throws Refusal UNAVAILABLE when it can do no work. */
  readonly readiness: () => Promise<Output<'getReadiness'>>;
}

/** The context of an operation that takes several transactions: it may be long and holds nobody up. */
export interface StepsContext<C extends Context = Context> {
  /** Runs one step in a transaction of its own, which writes unless stated otherwise. The caller must still have the right to call. */
  readonly transact: <T>(work: (context: C) => Promise<T>, access?: Access) => Promise<T>;
  /** The same for a step that may take minutes. It keeps no other read waiting; few of these run at a time. */
  readonly transactLong: <T>(work: (context: C) => Promise<T>, access?: Access) => Promise<T>;
  /** Aborts when the caller has gone. */
  readonly signal: AbortSignal;
  /** Begins work that goes on after the answer. */
  readonly begin: (work: (means: BehindAnswer<C>) => Promise<void>) => void;
  /** Takes a place for the caller, of which there are few. */
  readonly takePlace: (kind: Kind) => ReturnType<TakePlace>;
  readonly log: Log;
}

/** The means of work that goes on after the answer to its call. */
export interface BehindAnswer<C extends Context = Context> {
  /** Aborts when the server stops. */
  readonly stopping: AbortSignal;
  /**
   * Runs a step, which may take minutes, as the actor who was allowed to make the call: the answer was a promise, which holds even if they
   * have lost rights since.
   */
  readonly transactFor: <T>(actor: Actor, work: (context: C) => Promise<T>) => Promise<T>;
  /** Runs a short step as Millrace itself, outside of the limiters. */
  readonly note: <T>(work: (context: TenantContext) => Promise<T>) => Promise<T>;
}

/** The answer to a call whose work goes on after it. */
export class Accepted<Answer> {
  readonly answer: Answer;

  constructor(answer: Answer) {
    this.answer = answer;
  }
}

/** The caller, with their permissions. */
export interface Actor {
  readonly id: Id;
  readonly username: string;
  readonly tenantId: Id;
  /** Permissions granted by the roles of the user. */
  readonly permissions: ReadonlySet<string>;
  /** The only queues that the API key of the session opens; undefined for all. */
  readonly queueIds?: readonly Id[] | undefined;
  /** The rights of the user in the queue of the operation; empty for operations that name no queue. */
  readonly capabilities: ReadonlySet<Capability>;
}

/** The user who writes a row, and the time. */
export interface Author {
  readonly actorId: Id;
  readonly now: Date;
}

export function authorOf({ actor, now }: Pick<Context, 'actor' | 'now'>): Author {
  return { actorId: actor.id, now };
}

/** The context of calls from one tenant that share a transaction. */
export type TenantContext = Omit<Context, OfCall>;

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
/** A thrown refusal undoes the transaction; a returned one keeps it, with the record that it left. */
export type QueueOperation<O extends OperationId> = (
  context: QueueContext,
  input: Input<O>,
) => Promise<Output<O> | Refusal>;
export type PublicOperation<O extends OperationId> = (
  context: PublicContext,
  input: Input<O>,
) => Promise<Output<O>>;
export type BrowserOperation<O extends OperationId> = (
  context: BrowserContext,
  input: Input<O>,
) => Promise<WithCookie<Output<O>> | Refusal>;
type SteppedOperation<O extends OperationId> = (
  context: SteppedContext,
  input: Input<O>,
) => Promise<Output<O>>;
export type StepsOperation<O extends OperationId> = (
  context: StepsContext,
  input: Input<O>,
) => Promise<Output<O>>;
export type QueueStepsOperation<O extends OperationId> = (
  context: StepsContext<QueueContext>,
  input: Input<O>,
) => Promise<Output<O> | Accepted<Output<O>>>;
/** The answer of an operation that is a file. */
export class Download {
  readonly mediaType: string;
  readonly fileName: string;
  /** If it fails, the answer is cut off. */
  readonly bytes: Readable;
  /** Settles when all work for it is done, which may be long after the answer. */
  readonly done: Promise<unknown>;

  constructor({ mediaType, fileName, bytes, done }: Omit<Download, never>) {
    this.mediaType = mediaType;
    this.fileName = fileName;
    this.bytes = bytes;
    this.done = done;
  }
}

/** An operation in several transactions, like those in steps, that answers a file. */
export type DownloadOperation<O extends OperationId> = (
  context: StepsContext,
  input: Input<O>,
) => Promise<Download>;
export type QueueDownloadOperation<O extends OperationId> = (
  context: StepsContext<QueueContext>,
  input: Input<O>,
) => Promise<Download>;
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

/** An outcome without work for the call now. The call is run again at a wake-up, as long as its caller waits. */
export class Idle<Nothing> {
  /** The answer to a caller who no longer waits. */
  readonly output: Nothing;
  /** The wake-ups that announce possible work for the call. */
  readonly wakeUps: readonly WakeUp[];

  constructor(output: Nothing, wakeUps: readonly WakeUp[]) {
    this.output = output;
    this.wakeUps = wakeUps;
  }
}

/** Answers the part of a stream after the cursor `after`; called for each part, in a transaction of its own. */
export type StreamOperation<O extends OperationId> = (
  context: Context,
  input: Input<O>,
) => Promise<StreamPart>;

/** The kinds of functions that perform operations: by the scope of callers and context, then by the effect stated in the contract. */
interface FunctionKinds<O extends OperationId> {
  /** Callers need no token. */
  readonly public: {
    readonly none: (context: BareContext, input: Input<O>) => Promise<Output<O>>;
    readonly read: PublicOperation<O>;
    readonly write: PublicOperation<O>;
    readonly steps: SteppedOperation<O>;
  };
  /** Callers are pages of this server. */
  readonly browser: {
    readonly write: BrowserOperation<O>;
  };
  readonly tenant: {
    readonly read: PlainOperation<O>;
    readonly write: PlainOperation<O>;
    readonly batch: TenantOperation<O>;
    readonly steps: StepsOperation<O>;
    readonly download: DownloadOperation<O>;
    readonly stream: StreamOperation<O>;
  };
  readonly queue: {
    readonly read: QueueOperation<O>;
    readonly write: QueueOperation<O>;
    readonly batch: BatchOperation<O>;
    readonly steps: QueueStepsOperation<O>;
    readonly download: QueueDownloadOperation<O>;
  };
}

type Table = typeof operations;

type ScopeOf<O extends OperationId> = Table[O]['browser'] extends true
  ? 'browser'
  : Table[O]['permission'] extends 'public'
    ? 'public'
    : Table[O]['queue'] extends null
      ? 'tenant'
      : 'queue';

/** The kind of function that performs the operation; `never` for an effect that its scope does not know. */
type FunctionOf<O extends OperationId> = FunctionKinds<O>[ScopeOf<O>][Table[O]['effect'] &
  keyof FunctionKinds<O>[ScopeOf<O>]];

/** A function for each operation of the contract. */
export type Functions = { readonly [O in OperationId]: FunctionOf<O> };

/** A capability of a user in a queue. */
export type Capability = 'view' | 'add' | 'repair' | 'edit' | 'process' | 'report';

/** The facts of a queue that operations on its items need. */
export interface QueueDefinition {
  readonly id: Id;
  readonly tenantId: Id;
  readonly modelId: Id;
  readonly name: string;
  /** Nothing is granted while INACTIVE. */
  readonly status: 'ACTIVE' | 'INACTIVE';
  /** An archived queue is INACTIVE and read-only. */
  readonly archived: boolean;
  readonly disallowDuplicate: boolean;
  /** Attributes that make two items duplicates; all of the model when empty. */
  readonly uniqueBy: readonly string[];
  /** Whether finished items are compared as well. */
  readonly duplicateScope: 'ALL' | 'OPEN';
  readonly autoRetryLimit: number;
  /** After this many expired leases in a row an item fails; 0 means never. */
  readonly lapseLimit: number;
  readonly processingOrders: readonly string[];
  readonly displayColumns: readonly string[];
  /** The display columns that have an index. */
  readonly indexedColumns: readonly string[];
  /** Attributes by parts of whose values items are found. */
  readonly searchedAttributes: readonly string[];
  readonly expiry?: Schemas['QueueExpiry'];
  readonly retryBackOff?: Schemas['RetryBackOff'];
  /** The format of dates, numbers and times in files for it. */
  readonly intakeFormat?: Schemas['IntakeFormat'];
  /** Attributes of the model as it is now. */
  readonly attributes: readonly Attribute[];
  readonly modelVersion: number;
  /** The version of the model since which records have the present names. */
  readonly namesSince: number;
  /** Encrypts sensitive values; only where the model has some, or had. */
  readonly sealer?: Sealer | undefined;
}

/** One attribute of a work item model. */
export interface Attribute {
  /** Stays the same through all other changes; undefined before it is stored. */
  readonly id?: Id;
  readonly name: string;
  readonly type: 'TEXT' | 'NUMBER' | 'DATE' | 'BOOLEAN';
  readonly isRequired: boolean;
  /** Whether its values are stored encrypted. NONE where they once were: some may still be. */
  readonly sensitivity?: 'PERSONAL' | 'SECRET' | 'NONE';
  /** With the version until which each was in use, ascending. */
  readonly formerNames?: FormerName[];
}

/** The name of an attribute in the versions of its model before one. */
interface FormerName {
  readonly until: number;
  /** Left out for versions before the attribute existed. */
  readonly name?: string;
  /** Given where it was another type, whose values cannot be read as the present one. */
  readonly type?: Attribute['type'];
}

/**
 * The user behind a token, as proved by its signature. Only the database knows whether its session was revoked, and whether the key that
 * signed it still exists.
 */
export interface Identity {
  readonly tokenId: string;
  /** The key that signed the token. */
  readonly keyId: string;
  /** The session of the token: a log-in, and all tokens that have been exchanged for one another since. */
  readonly sessionId: string;
  readonly loggedInOn: Date;
  readonly userId: Id;
  readonly tenantUuid: string;
  /** The API key by which the token was obtained, if it was one. */
  readonly apiKeyId?: Id;
  readonly expiresOn: Date;
}

/**
 * Proves a token.
 * @param connection the connection on which it was sent, where there is one
 * @throws Refusal UNAUTHENTICATED when it is missing, malformed, forged or expired.
 */
export type VerifyToken = (token: string | undefined, connection?: object) => Promise<Identity>;
