import { setTimeout } from 'node:timers/promises';
import {
  operations,
  type Id,
  type Input,
  type Operation,
  type OperationId,
  type Output,
} from '@millrace/api';
import type { Background } from './background.ts';
import { laneOf, queueIdOf, readsOnly, waitMilliseconds, weigh } from './calls.rules.ts';
import { transaction, type Access, type Db, type Pool } from './db.ts';
import { Refusal, retryMs, tokenExpired } from './errors.ts';
import { GroupCommit } from './group-commit.ts';
import {
  beginKey,
  endKey,
  forgetKey,
  keepAnswers,
  lookUpKeys,
  Repeated,
  type IdempotencyKey,
  type Keyed,
  withHashOf,
} from './idempotency.ts';
import type { Sealer } from './sealing.ts';
import { createReadLimiters, type Limiter } from './limiter.ts';
import { firstPlaces, type Place } from './low-water.rules.ts';
import type { LowWaterMarks } from './low-water.ts';
import {
  Idle,
  type Actor,
  type BatchCall,
  type BehindAnswer,
  type Client,
  type Context,
  type Functions,
  type Identity,
  type Log,
  type QueueContext,
  type QueueDefinition,
  type RecordKey,
  type SteppedContext,
  type StepsContext,
  type TenantContext,
  type Who,
} from './operation.ts';
import type { Provider } from './provider.ts';
import type { Kind, TakePlace } from './places.ts';
import type { StreamPart } from './stream-part.ts';
import { createStreams, type OpenStream } from './streams.ts';
import type { Vault } from './vault.ts';
import { allWaiting, type WakeUp, type WakeUps } from './wake-ups.ts';

/** A request that has been read and is valid against the contract. */
interface Request {
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

/** Performs a request for its caller. @throws Refusal, or an error of the server. */
export type Perform = (request: Request) => Promise<unknown>;

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

/** The way of every operation: proof of the caller, permission, one transaction, and afterwards the wake-ups. */
export function createPerform(parts: Parts): Perform {
  const batches = new GroupCommit<Call, unknown>((calls) => performBatch(parts, calls), weigh);
  const reads = createReadLimiters(parts.pool.options.max);
  const openStream = createStreams(parts.wakeUps, reads.ofStreams);
  return async (request) => {
    const operation: Operation = operations[request.operationId];
    if (operation.permission === 'public') return performPublic(parts, reads.ofStrangers, operation, request);
    const { identity } = request;
    if (!identity) throw new Error(`${request.operationId} was called without an identity`);
    const queueId = queueIdOf(operation, request.input.path);
    const call = { ...request, operation, identity, queueId };
    if (operation.effect === 'stream') return performStream(parts, openStream, call);
    if (operation.effect === 'steps' || operation.effect === 'download')
      return performSteps(parts, { short: reads.of(identity), long: reads.ofLong }, call);
    if (operation.effect === 'read') return reads.of(identity)(() => performRead(parts, call));
    return operation.effect === 'batch' ? performBatched(parts, batches, call) : performAlone(parts, call);
  };
}

/** Runs work in a transaction of its own, with the time of the database, and afterwards wakes the calls that wait for its effects. */
export async function inTransaction<T>(
  { pool, notify }: Pick<Parts, 'pool' | 'notify'>,
  work: (db: Db, clock: Promise<Date>, wake: Context['wake']) => Promise<T>,
  access?: Access,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    const due = new Map<WakeUp, Due>();
    const wake: Context['wake'] = (name, items = allWaiting) => due.set(name, dueWith(due.get(name), items));
    try {
      const result = await transaction(pool, (db, clock) => work(db, clock, wake), access);
      for (const [name, { items, places }] of due) notify(name, items, places);
      return result;
    } catch (error) {
      const pause = retryMs(error);
      if (attempt === 3 || pause === undefined) throw error;
      if (pause > 0) await setTimeout(pause);
    }
  }
}

/** A wake-up that is due after the commit. */
interface Due {
  readonly items: number;
  readonly places: Place[];
}

function dueWith({ items, places }: Due = { items: 0, places: [] }, more: number | readonly Place[]): Due {
  const isCount = typeof more === 'number';
  // Filled in place: the rows of a file come in many portions.
  if (!isCount) for (const place of more) places.push(place);
  const total = Math.min(items + (isCount ? more : more.length), allWaiting);
  return { items: total, places: firstPlaces(places) };
}

/**
 * Performs a call that needs no token. Calls that use the database wait for their turn, or a flood of forged tokens would take all
 * connections.
 */
async function performPublic(
  parts: Parts,
  limiterOf: (address: string) => Limiter,
  operation: Operation,
  request: Request,
): Promise<unknown> {
  const { token, cookie, client, log, input, operationId, count } = request;
  const { sessionHours, idleHours, providers, readiness } = parts;
  const run = functionOf(parts, operationId);
  const transact: SteppedContext['transact'] = (work) =>
    inTransaction(parts, async (db, clock, wake) =>
      work({ db, now: await clock, token, client, sessionHours, idleHours, count, log, wake }),
    );
  if (operation.effect === 'none') return run({ token, log, readiness, providers }, input);
  if (operation.effect === 'steps')
    return run({ token, client, log, providers, transact } satisfies SteppedContext, input);
  const outcome = limiterOf(client.address)(() =>
    transact((context) => run(operation.browser ? { ...context, cookie } : context, input)),
  );
  return granted(await outcome);
}

async function performAlone(parts: Parts, call: Call): Promise<unknown> {
  const run = functionOf(parts, call.operationId);
  const outcome = await transactAs(parts, call, async (context) => {
    const keyed = [keyedOf(call, context.actor, await sealerFor(context, [call], context.actor))];
    const [known] = await lookUpKeys(context.db, keyed, context.vault);
    if (known) return known;
    const answer = await run(context, call.input);
    await keepAnswers(context.db, keyed, [answer], context.now);
    return answer;
  });
  return granted(outcome);
}

/** A refusal that is returned instead of thrown has left a trace, such as the record of a late report. */
function granted(outcome: unknown): unknown {
  if (outcome instanceof Refusal) throw outcome;
  return outcome;
}

/**
 * The sealer for request hashes, which are made with a key of the tenant: requests may have sensitive values, which could be guessed from
 * plain hashes.
 */
async function sealerFor(
  { db, vault }: Pick<Context, 'db' | 'vault'>,
  calls: readonly Call[],
  actor: Actor | undefined,
): Promise<Sealer | undefined> {
  const isKeyed = calls.some(({ idempotency }) => idempotency);
  return isKeyed && actor ? vault.sealerOf(db, actor.tenantId) : undefined;
}

/** The key of a call, if it has one. */
function keyedOf(
  { idempotency }: Call,
  actor: Pick<Actor, 'id'>,
  sealer: Sealer | undefined,
): Keyed | undefined {
  return idempotency && { ...withHashOf(idempotency, sealer), userId: actor.id, sealer };
}

async function performRead(parts: Parts, call: Call): Promise<unknown> {
  // Its caller may have left while it waited for the limiter.
  if (call.signal().aborted) throw new Refusal('UNAVAILABLE', 'The caller did not wait for the answer.');
  return performAlone(parts, call);
}

/** Runs work in a transaction of its own for a caller who may call the operation now. */
function transactAs<T>(
  parts: Parts,
  call: Call,
  work: (context: Context) => Promise<T>,
  access: Access = readsOnly(call.operation) ? { readMs: parts.readMs } : 'write',
): Promise<T> {
  const { marks, vault, recordKey } = parts;
  const perform = async (db: Db, clock: Promise<Date>, wake: Context['wake']) => {
    const [now, { queue, actors }] = await Promise.all([clock, parts.admit({ db, vault }, [call])]);
    const [actor] = actors;
    if (!actor) throw new Error('a call without an actor');
    if (actor instanceof Refusal) throw actor;
    const { client, log, identity } = call;
    const { sessionId } = identity;
    const context: Context = { db, actor, now, log, wake, marks, vault, recordKey, client, sessionId };
    return work(Object.assign(context, queue && { queue }));
  };
  return inTransaction(parts, perform, access);
}

/** The limiters of a call's steps: one for steps that read much, one for steps that take minutes. */
interface StepLimiters {
  readonly short: Limiter;
  readonly long: Limiter;
}

/**
 * Performs the call in the steps that it requests, each under the limit of reads, as it reads much. A caller who loses the right to it
 * loses it from the next step on.
 */
async function performSteps(parts: Parts, limiters: StepLimiters, call: Call): Promise<unknown> {
  if (!call.idempotency) return takeSteps(parts, limiters, call);
  const begun = await transactAs(parts, call, async ({ db, actor, now, vault }) => {
    const keyed = keyedOf(call, actor, await sealerFor({ db, vault }, [call], actor)) as Keyed;
    const [known] = await lookUpKeys(db, [keyed], vault);
    if (!known) await beginKey(db, keyed, now);
    return known ?? keyed;
  });
  if (begun instanceof Refusal) throw begun;
  if (begun instanceof Repeated) return begun;
  const answer = await takeSteps(parts, limiters, call).catch(async (error: unknown) => {
    await inTransaction(parts, (db) => forgetKey(db, begun));
    throw error;
  });
  await inTransaction(parts, (db) => endKey(db, begun, answer));
  return answer;
}

function takeSteps(parts: Parts, { short, long }: StepLimiters, call: Call): Promise<unknown> {
  const { operationId, input, log } = call;
  const signal = call.signal();
  const takePlace = (kind: Kind) => parts.takePlace(kind, call.identity);
  const under =
    (limiter: Limiter): StepsContext<QueueContext>['transact'] =>
    (work, access = 'write') =>
      limiter(() => transactAs(parts, call, (context) => work(context as QueueContext), access));
  const begin: StepsContext<QueueContext>['begin'] = (work) =>
    parts.background.begin((stopping) => work({ ...meansBehind(parts, long, call), stopping }));
  const transacting = { transact: under(short), transactLong: under(long) };
  return functionOf(parts, operationId)({ ...transacting, signal, begin, takePlace, log }, input);
}

/** The means of work that goes on after the answer to its call. */
function meansBehind(parts: Parts, long: Limiter, call: Call): Omit<BehindAnswer<QueueContext>, 'stopping'> {
  const { marks, vault, recordKey, log } = parts;
  return {
    transactFor: (promisedTo, work) =>
      long(() => transactAs(parts, { ...call, promisedTo }, (context) => work(context as QueueContext))),
    note: (work) =>
      inTransaction(parts, async (db, clock, wake) =>
        work({ db, now: await clock, log, wake, marks, vault, recordKey }),
      ),
  };
}

/** Performs the call for each part of the stream: a caller who loses the right to it, or the token, gets no further part. */
function performStream(parts: Parts, openStream: OpenStream, call: Call) {
  const { input, identity } = call;
  const read = async (cursor: string | undefined) => {
    if (identity.expiresOn <= parts.now()) throw tokenExpired();
    const query = cursor === undefined ? input.query : { ...input.query, after: cursor, last: undefined };
    return (await performAlone(parts, { ...call, input: { ...input, query } })) as StreamPart;
  };
  return openStream(read, call.signal());
}

/** Performs the call together with others. One that finds nothing waits, if it asks to, and is performed again at a wake-up. */
async function performBatched(parts: Parts, batches: GroupCommit<Call, unknown>, call: Call) {
  const { wakeUps } = parts;
  // By the timer of the process: a corrected machine clock must not keep callers waiting.
  const deadline = performance.now() + waitMilliseconds(call);
  let gone: AbortSignal | undefined;
  for (;;) {
    const since = wakeUps.notifications;
    const outcome = await batches.enqueue(laneOf(call), call);
    if (outcome instanceof Refusal) throw outcome;
    if (!(outcome instanceof Idle)) return outcome;
    const left = deadline - performance.now();
    if (left <= 0) return outcome.output;
    const signal = (gone ??= call.signal());
    await wakeUps.wait(outcome.wakeUps, since, left, signal);
    // Items claimed for a caller who has gone would lie idle until their leases end.
    if (signal.aborted || wakeUps.isClosed) return outcome.output;
  }
}

function performBatch(parts: Parts, calls: readonly Call[]): Promise<unknown[]> {
  const { marks, vault, recordKey } = parts;
  return inTransaction(parts, async (db, clock, wake) => {
    const [now, { queue, actors }] = await Promise.all([clock, parts.admit({ db, vault }, calls)]);
    const sealer = await sealerFor(
      { db, vault },
      calls,
      actors.find((one) => one !== undefined && !(one instanceof Refusal)) as Actor | undefined,
    );
    const keyed = calls.map((call, index) => {
      const actor = actors[index];
      return actor instanceof Refusal || !actor ? undefined : keyedOf(call, actor, sealer);
    });
    const known = await lookUpKeys(db, keyed, vault);
    const decided = actors.map((actor, index) => (actor instanceof Refusal ? actor : known[index]));
    const admitted = calls.flatMap((call, index) =>
      decided[index] ? [] : [{ actor: actors[index], input: call.input } as BatchCall<OperationId>],
    );
    const [first] = calls;
    if (!first || admitted.length === 0) return decided;
    const context: TenantContext = { db, now, log: parts.log, wake, marks, vault, recordKey };
    const run = functionOf(parts, first.operationId);
    const done = (await run(queue ? { ...context, queue } : context, admitted)) as unknown[];
    const outcomes = decided.map((outcome) => outcome ?? done.shift());
    await keepAnswers(db, keyed, outcomes, now);
    return outcomes;
  });
}

function functionOf(parts: Parts, operationId: OperationId): AnyFunction {
  return parts.functions[operationId] as unknown as AnyFunction;
}
