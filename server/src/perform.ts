import { operations, type Id, type Input, type Operation, type OperationId } from '@millrace/api';
import { withDevices } from './auth/devices.ts';
import { decideAccess, tokenExpired, type Caller } from './auth/rules.ts';
import { selectCallers } from './auth/sql.ts';
import type { Identity } from './auth/tokens.ts';
import { Batches } from './batches.ts';
import { transaction, type Access, type Db, type Pool } from './db.ts';
import { everybody, type Bell, type BellName } from './dispatch/bell.ts';
import { isTransient, Refusal } from './errors.ts';
import { noticingEvents } from './events/notice.ts';
import {
  Idle,
  type Actor,
  type BatchCall,
  type Context,
  type Functions,
  type Log,
  type QueueContext,
  type SteppedContext,
  type TenantContext,
} from './operation.ts';
import { selectQueueDefinition, type Hold } from './queues/sql.ts';
import { decideArchived, type QueueDefinition } from './queues/rules.ts';
import { createReads } from './reads.ts';
import { createStreams, type OpenStream, type StreamPart } from './streams.ts';
import type { Turns } from './turns.ts';

/** A request that has been read and is valid against the contract. */
export interface Request {
  readonly operationId: OperationId;
  readonly token: string | undefined;
  /** Whom the token stands for; undefined only where the operation needs none. */
  readonly identity: Identity | undefined;
  readonly input: Input;
  readonly log: Log;
  /** Aborts when the caller has gone. */
  readonly signal: AbortSignal;
}

/** Performs a request for its caller. @throws Refusal, or an error of ours. */
export type Perform = (request: Request) => Promise<unknown>;

export interface Parts {
  readonly pool: Pool;
  /** How long one statement of a read may take. */
  readonly readMs: number;
  readonly bell: Bell;
  /** Rings a bell on all servers, for so many items. */
  readonly announce: (name: BellName, items: number) => void;
  readonly functions: Functions;
  readonly log: Log;
}

// The table and the functions agree by type (`Functions`); here, once, the types of single operations are let go.
type AnyFunction = (context: unknown, input: unknown) => Promise<unknown>;
interface Call extends Request {
  readonly operation: Operation;
  readonly identity: Identity;
  readonly queueId: Id | undefined;
}

/** The way every operation goes: who calls, may they, one transaction, and afterwards the bell for new work. */
export function createPerform(parts: Parts): Perform {
  const batches = new Batches<Call, unknown>((calls) => performBatch(parts, calls), weigh);
  const reads = createReads(parts.pool.options.max);
  const openStream = createStreams(parts.bell, reads.ofStreams);
  return async (request) => {
    const operation: Operation = operations[request.operationId];
    if (operation.permission === 'public') return performPublic(parts, operation, request);
    const { identity } = request;
    if (!identity) throw new Error(`${request.operationId} was called without an identity`);
    const queueId = operation.queue ? (request.input.path as { id: Id }).id : undefined;
    const call = { ...request, operation, identity, queueId };
    if (operation.effect === 'stream') return performStream(parts, openStream, call);
    if (operation.effect === 'steps') return performSteps(parts, reads.of(identity), call);
    if (operation.effect === 'read') return reads.of(identity)(() => performRead(parts, call));
    return operation.effect === 'batch' ? performBatched(parts, batches, call) : performAlone(parts, call);
  };
}

/** Runs work in a transaction of its own, at the time of the database, and rings afterwards. */
export async function inTransaction<T>(
  { pool, announce }: Pick<Parts, 'pool' | 'announce'>,
  work: (db: Db, clock: Promise<Date>, woken: Map<BellName, number>) => Promise<T>,
  access?: Access,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    const woken = new Map<BellName, number>();
    try {
      const tell = () => woken.set('events', everybody);
      const result = await transaction(
        pool,
        (db, clock) => work(noticingEvents(db, tell), clock, woken),
        access,
      );
      for (const [name, items] of woken) announce(name, items);
      return result;
    } catch (error) {
      if (attempt === 3 || !isTransient(error)) throw error;
    }
  }
}

async function performPublic(parts: Parts, operation: Operation, request: Request): Promise<unknown> {
  const { token, log, input, operationId } = request;
  const run = functionOf(parts, operationId);
  const transact: SteppedContext['transact'] = (work) =>
    inTransaction(parts, async (db, clock, woken) => work({ db, now: await clock, token, log, woken }));
  if (operation.effect === 'none') return run({ token, log }, input);
  if (operation.effect === 'steps') return run({ token, log, transact } satisfies SteppedContext, input);
  return transact((context) => run(context, input));
}

async function performAlone(parts: Parts, call: Call): Promise<unknown> {
  const run = functionOf(parts, call.operationId);
  const outcome = await transactAs(parts, call, (context) => run(context, call.input));
  // A refusal that is answered instead of thrown has left something behind, such as the record of a late report.
  if (outcome instanceof Refusal) throw outcome;
  return outcome;
}

async function performRead(parts: Parts, call: Call): Promise<unknown> {
  // Its turn may have come late.
  if (call.signal.aborted) throw new Refusal('UNAVAILABLE', 'The caller did not wait for the answer.');
  return performAlone(parts, call);
}

/** Runs work in a transaction of its own for a caller who may call the operation now. */
function transactAs<T>(parts: Parts, call: Call, work: (context: Context) => Promise<T>): Promise<T> {
  const perform = async (db: Db, clock: Promise<Date>, woken: Map<BellName, number>) => {
    const [now, { queue, actors }] = await Promise.all([clock, admit(db, [call])]);
    const [actor] = actors;
    if (!actor) throw new Error('a call without an actor');
    if (actor instanceof Refusal) throw actor;
    const context: Context = { db, actor, now, log: call.log, woken };
    return work(Object.assign(context, queue && { queue }));
  };
  return inTransaction(parts, perform, readsOnly(call.operation) ? { readMs: parts.readMs } : 'write');
}

/**
 * Performs the call in the steps that it asks for, each in its turn, as it reads much: whoever loses the right to it, loses it
 * from the next step on.
 */
function performSteps(parts: Parts, turns: Turns, call: Call): Promise<unknown> {
  const { operationId, input, signal } = call;
  const transact = (work: (context: QueueContext) => Promise<unknown>) =>
    turns(() => transactAs(parts, call, (context) => work(context as QueueContext)));
  return functionOf(parts, operationId)({ transact, signal }, input);
}

/** Performs the call for each part of the stream: whoever loses the right to it, or the token, loses it from the next part on. */
function performStream(parts: Parts, openStream: OpenStream, call: Call) {
  const { input, identity, signal } = call;
  const read = async (cursor: string | undefined) => {
    if (identity.expiresOn.getTime() <= Date.now()) throw tokenExpired();
    const query = cursor === undefined ? input.query : { ...input.query, after: cursor, last: undefined };
    return (await performAlone(parts, { ...call, input: { ...input, query } as Input })) as StreamPart;
  };
  return openStream(read, signal);
}

/** Performs the call with others; one that finds nothing waits, if it asks to, and is performed again when a bell rings. */
async function performBatched(parts: Parts, batches: Batches<Call, unknown>, call: Call) {
  const { bell } = parts;
  const deadline = Date.now() + waitMilliseconds(call);
  for (;;) {
    const heard = bell.rings;
    const outcome = await batches.enqueue(laneOf(call), call);
    if (outcome instanceof Refusal) throw outcome;
    if (!(outcome instanceof Idle)) return outcome;
    const left = deadline - Date.now();
    if (left <= 0) return outcome.output;
    await bell.wait(outcome.bells, heard, left, call.signal);
    // What a caller took who has gone, nobody would work on until its lease ends.
    if (call.signal.aborted || bell.isClosed) return outcome.output;
  }
}

/** Calls of one operation share a transaction when they are about the same queue, or else when they are of one tenant. */
function laneOf({ operationId, queueId, identity }: Call): string {
  return `${operationId} ${queueId ?? identity.tenantUuid}`;
}

function performBatch(parts: Parts, calls: readonly Call[]): Promise<unknown[]> {
  return inTransaction(parts, async (db, clock, woken) => {
    const [now, { queue, actors }] = await Promise.all([clock, admit(db, calls)]);
    const admitted = calls.flatMap((call, index) => {
      const actor = actors[index];
      return actor instanceof Refusal ? [] : [{ actor, input: call.input } as BatchCall<OperationId>];
    });
    const [first] = calls;
    if (!first || admitted.length === 0) return actors;
    const context: TenantContext = { db, now, log: parts.log, woken };
    const run = functionOf(parts, first.operationId);
    const outcomes = (await run(queue ? { ...context, queue } : context, admitted)) as unknown[];
    return actors.map((actor) => (actor instanceof Refusal ? actor : outcomes.shift()));
  });
}

/** Who makes these calls, and the queue they name: the one place where permission is given. */
async function admit(db: Db, calls: readonly Call[]) {
  const [first] = calls as [Call];
  const { operation, queueId } = first;
  const identities = new Map(calls.map(({ identity }) => [identity.tokenId, identity]));
  const [queue, callers] = await Promise.all([
    queueId === undefined ? undefined : selectQueueDefinition(db, queueId, holdOn(operation)),
    selectCallers(db, [...identities.values()], queueId),
  ]);
  const callerByToken = new Map(callers.map((caller) => [caller.tokenId, caller]));
  const archived = queue && decideArchived(queue, first.operationId, operation);
  const decide = (caller: Caller | undefined) => decideAccess(operation, caller, queueId, queue);
  const decided = calls.map(({ identity, input }) => {
    const caller = callerByToken.get(identity.tokenId);
    return { caller, input, actor: decide(caller) };
  });
  const actors = (await withDevices(db, first, decided)).map((caller) => {
    const actor = decide(caller);
    return actor instanceof Refusal ? actor : (archived ?? actor);
  });
  return { queue, actors } satisfies { queue: QueueDefinition | undefined; actors: (Actor | Refusal)[] };
}

/** Those who change a queue come one after the other; those who work in it only keep it from being deleted. */
function holdOn(operation: Operation): Hold {
  if (readsOnly(operation)) return 'none';
  return operation.queue?.includes('edit') ? 'changed' : 'kept';
}

function readsOnly({ effect }: Operation): boolean {
  return effect === 'read' || effect === 'stream';
}

function functionOf(parts: Parts, operationId: OperationId): AnyFunction {
  return parts.functions[operationId] as unknown as AnyFunction;
}

function waitMilliseconds({ input }: Call): number {
  return 1000 * ((input.body as { waitSeconds?: number } | undefined)?.waitSeconds ?? 0);
}

/** How many items the call is about. */
function weigh({ input }: Call): number {
  const { workItems, leases, results, count } = (input.body ?? {}) as Record<string, unknown>;
  const list = workItems ?? leases ?? results;
  return Array.isArray(list) ? list.length : typeof count === 'number' ? count : 1;
}
