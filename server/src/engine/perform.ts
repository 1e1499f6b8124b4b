import { operations, type Operation } from '@millrace/api';
import { createBatches } from './batches.ts';
import {
  functionOf,
  keyedOf,
  queueIdOf,
  readsOnly,
  sealerFor,
  type Call,
  type Parts,
  type Request,
} from './call.ts';
import type { Access, Db } from './db.ts';
import { Refusal, tokenExpired } from './errors.ts';
import { beginKey, endKey, forgetKey, keepAnswers, lookUpKeys, Repeated, type Keyed } from './idempotency.ts';
import { inTransaction } from './in-transaction.ts';
import { createReadLimiters, type Limiter } from './limiter.ts';
import type { BehindAnswer, Context, QueueContext, SteppedContext, StepsContext } from './operation.ts';
import type { Kind } from './places.ts';
import type { StreamPart } from './stream-part.ts';
import { createStreams, type OpenStream } from './streams.ts';

/** Performs a request for its caller. @throws Refusal, or an error of the server. */
export type Perform = (request: Request) => Promise<unknown>;

/** The way of every operation: proof of the caller, permission, one transaction, and afterwards the wake-ups. */
export function createPerform(parts: Parts): Perform {
  const performBatched = createBatches(parts);
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
    return operation.effect === 'batch' ? performBatched(call) : performAlone(parts, call);
  };
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
