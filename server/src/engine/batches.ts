import type { Id, Input, OperationId } from '@millrace/api';
import { functionOf, keyedOf, sealerFor, type Call, type Parts } from './call.ts';
import type { Access, Db } from './db.ts';
import { Refusal } from './errors.ts';
import { groupBy, GroupCommit, type Lanes } from './group-commit.ts';
import { keepAnswers, lookUpKeys } from './idempotency.ts';
import { inTransaction } from './in-transaction.ts';
import {
  Idle,
  type Actor,
  type BatchCall,
  type Context,
  type Identity,
  type TenantContext,
} from './operation.ts';

/**
 * The patience of a transaction that several queues share, with the locks and with the statements of each: one queue that is held up must not
 * hold up the others for longer.
 */
const patience: Access = { lockMs: 250, statementMs: 1000 };

/** Performs a call together with others. One that finds nothing waits, if it asks to, and is performed again at a wake-up. */
export function createBatches(parts: Parts): (call: Call) => Promise<unknown> {
  const { wakeUps } = parts;
  const run = (calls: readonly Call[], isShared: boolean) => performBatch(parts, calls, isShared);
  const batches = new GroupCommit<Call, unknown>(run, weigh);
  return async (call) => {
    // By the timer of the process: a corrected machine clock must not keep callers waiting.
    const deadline = performance.now() + waitMilliseconds(call);
    let gone: AbortSignal | undefined;
    for (;;) {
      const since = wakeUps.notifications;
      const outcome = await batches.enqueue(lanesOf(call), call);
      if (outcome instanceof Refusal) throw outcome;
      if (!(outcome instanceof Idle)) return outcome;
      const left = deadline - performance.now();
      if (left <= 0) return outcome.output;
      const signal = (gone ??= call.signal());
      await wakeUps.wait(outcome.wakeUps, since, left, signal);
      // Items claimed for a caller who has gone would lie idle until their leases end.
      if (signal.aborted || wakeUps.isClosed) return outcome.output;
    }
  };
}

/** One transaction for all the calls, in which those of each queue are performed together. */
async function performBatch(parts: Parts, calls: readonly Call[], isShared: boolean): Promise<unknown[]> {
  // In one order, as they lock what other transactions lock as well.
  const groups = [...groupBy(calls, ({ queueId }) => queueId)].toSorted(([one], [other]) =>
    inOrder(one, other),
  );
  const work = async (db: Db, clock: Promise<Date>, wake: Context['wake']) => {
    const shared = { db, clock, wake, keysSeen: new Set<string>() };
    const done = await Promise.all(groups.map(([, group]) => performGroup(parts, shared, group)));
    const outcomes = new Map(
      groups.flatMap(([, group], index) => group.map((call, at) => [call, done[index]?.[at]])),
    );
    return calls.map((call) => outcomes.get(call));
  };
  try {
    return await inTransaction(parts, work, isShared ? patience : 'write');
  } catch (error) {
    // Looks of the batch may have moved them beyond items that are there again.
    for (const [queueId] of groups) if (queueId !== undefined) parts.marks.forget(queueId);
    throw error;
  }
}

const inOrder = (one: Id | undefined, other: Id | undefined) => Number(one ?? 0) - Number(other ?? 0);

/** The context that the calls of a batch share. */
interface Shared extends Pick<Context, 'db' | 'wake'> {
  readonly clock: Promise<Date>;
  readonly keysSeen: Set<string>;
}

/** Performs calls of one operation on one queue. */
async function performGroup(
  parts: Parts,
  { db, clock, wake, keysSeen }: Shared,
  calls: readonly Call[],
): Promise<unknown[]> {
  const { marks, vault, recordKey } = parts;
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
  const known = await lookUpKeys(db, keyed, vault, keysSeen);
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
}

/** The members of a call that decide which others share its transaction. */
interface SharedCall {
  readonly operationId: OperationId;
  readonly identity: Pick<Identity, 'tenantUuid'>;
  readonly queueId: Id | undefined;
  readonly input: Input;
  readonly bodyBytes: number;
}

// A call that takes longer than the round trips and the commit that it shares; only similar calls wait for it.
const largeWeight = 1000;

// The work of one transaction is felt by all that share it: calls that bring much of it share with their own queue alone.
const mostShared = 20;

/**
 * The lanes of a call. Small calls of one operation share transactions within their tenant, whichever queues they concern; one that the
 * lane of all cannot perform goes through that of its own queue.
 */
function lanesOf(call: SharedCall): Lanes {
  const { operationId, queueId, identity } = call;
  const own = `${operationId} of queue ${queueId ?? ''}`;
  const shared = `${operationId} of tenant ${identity.tenantUuid}`;
  if (weigh(call) > largeWeight) return { own: `${own}, large` };
  if (queueId === undefined) return { own: shared };
  return weigh(call) > mostShared ? { own } : { own, shared };
}

/** The time that the caller waits for something to be there, in milliseconds. */
function waitMilliseconds({ input }: Pick<SharedCall, 'input'>): number {
  return 1000 * ((input.body as { waitSeconds?: number } | undefined)?.waitSeconds ?? 0);
}

// Most items are smaller: a call with larger ones weighs as much as one with more items.
const usualItemBytes = 1024;

/** Number of items of usual size that the call amounts to. */
function weigh({ input, bodyBytes }: Pick<SharedCall, 'input' | 'bodyBytes'>): number {
  const { workItems, leases, results, count } = (input.body ?? {}) as Record<string, unknown>;
  const list = workItems ?? leases ?? results;
  const items = Array.isArray(list) ? list.length : typeof count === 'number' ? count : 1;
  return Math.max(items, bodyBytes / usualItemBytes);
}
