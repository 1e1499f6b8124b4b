import type { Id, Output, Schemas } from '@millrace/api';
import { refusalsOf } from '../devices/claims.ts';
import { endPassIfDrained } from '../dispatch/passes.ts';
import { Refusal } from '../errors.ts';
import { insertEvents } from '../events/sql.ts';
import { Idle, type BatchCall, type BatchContext, type BatchOperation } from '../operation.ts';
import type { QueueDefinition } from '../queues/rules.ts';
import { noteClaim } from '../stats/sql.ts';
import { saveChanges, type Change } from './changes.ts';
import { grantItems } from './grant.ts';
import { sortLate } from './late.ts';
import { lateEvent } from './late.rules.ts';
import { leaseFrom } from './lease.rules.ts';
import type { Slot } from './leases.sql.ts';
import { saveLogTails } from './logs.sql.ts';
import { decideReport, type SentReport } from './report.rules.ts';
import type { Item, Move } from './rules.ts';
import { lockItems } from './sql.ts';

export const claimWorkItems: BatchOperation<'claimWorkItems'> = async (context, calls) => {
  const { db, queue, now } = context;
  const nothing = new Idle({ list: [] }, [queue.id]);
  await noteClaim(db, queue.id, now);
  if (queue.status === 'INACTIVE') return calls.map(() => nothing);
  const refusals = await refusalsOf(db, calls.map(askingOf));
  const slots = slotsOf(
    calls.filter((_, index) => !refusals[index]),
    now,
  );
  const items = await grantItems(context, { slots, operation: 'claimWorkItems' });
  if (items.length < slots.length) await endPassIfDrained(db, queue.id);
  return calls.map(({ input }, index) => {
    const refusal = refusals[index];
    if (refusal) return refusal;
    const list = items.splice(0, input.body.count ?? 1);
    return list.length > 0 ? { list } : nothing;
  });
};

function askingOf({ actor, input }: BatchCall<'claimWorkItems'>) {
  return { userId: actor.id, deviceId: input.body.deviceId };
}

/** A slot for each item that a call asks for; the first caller is served in full before the next. */
function slotsOf(calls: readonly BatchCall<'claimWorkItems'>[], now: Date): Slot[] {
  return calls.flatMap(({ actor, input }) => {
    const { count = 1, deviceId, leaseSeconds } = input.body;
    const slot = { actorId: actor.id, deviceId, ...leaseFrom(now, leaseSeconds) };
    return Array.from({ length: count }, () => slot);
  });
}

/** A report on an item, and who sent it. */
type Sent = SentReport & { readonly id: Id };

export const finishWorkItems: BatchOperation<'finishWorkItems'> = async (context, calls) => {
  const sent = calls.flatMap(({ actor, input }) =>
    input.body.results.map(({ id, ...report }) => ({ actorId: actor.id, id, report })),
  );
  const outcomes = await settleReports(context, sent, 'finishWorkItems');
  return calls.map(({ input }): Output<'finishWorkItems'> => {
    return { list: outcomes.splice(0, input.body.results.length).map(outcomeOf) };
  });
};

function outcomeOf(outcome: Item | Unsettled): Schemas['WorkItemOutcome'] {
  if (!('refusal' in outcome)) return { id: outcome.id, status: outcome.status, version: outcome.version };
  return { id: outcome.id, error: outcome.refusal.toJSON() };
}

interface Unsettled {
  readonly id: Id;
  readonly refusal: Refusal;
}

/** Lock, decide, save, record: each report's item as it is now, or why the report was refused. */
export async function settleReports(
  context: BatchContext,
  sent: readonly Sent[],
  operation: string,
): Promise<(Item | Unsettled)[]> {
  const { db, queue, now } = context;
  const ids = sent.map(({ id }) => id);
  const settled = decide(context, sent, await lockItems(db, queue.id, ids));
  const granted = settled.filter((one) => one.move !== undefined);
  const { evidence, strange } = await sortLate(context, settled.filter(isLate));
  await Promise.all([
    saveChanges(
      context,
      queue.id,
      granted.map((one) => changeBy(one, operation)),
    ),
    saveLogTails(
      db,
      queue.id,
      granted.map(({ id, report: { logTail } }) => ({ id, logTail })),
      now,
    ),
    insertEvents(db, queue.id, evidence.map(lateEvent), now),
  ]);
  const isStrange = (one: Settled) => (strange as ReadonlySet<Settled>).has(one);
  return settled.map((one) =>
    isStrange(one) ? { id: one.id, refusal: notHeld(queue, one.id) } : one.outcome,
  );
}

/** A report, and what came of it. */
type Settled = Sent & { readonly outcome: Item | Unsettled } & (
    { readonly before: Item; readonly move: Move } | { readonly before?: Item; readonly move?: undefined }
  );

function decide({ queue, now }: BatchContext, sent: readonly Sent[], locked: readonly Item[]): Settled[] {
  const items = new Map(locked.map((item) => [item.id, item]));
  return sent.map((one) => {
    const before = items.get(one.id);
    if (!before) return { ...one, outcome: { id: one.id, refusal: unknownItem(queue, one.id) } };
    const verdict = decideReport(before, one, { queue, now, chance: Math.random() });
    if (verdict === 'repeated') return { ...one, outcome: before };
    if (verdict instanceof Refusal) return { ...one, before, outcome: { id: one.id, refusal: verdict } };
    // A second report in the same call meets the item as the first has left it.
    items.set(one.id, verdict.item);
    return { ...one, before, move: verdict, outcome: verdict.item };
  });
}

function isLate(one: Settled): one is Settled & { readonly before: Item } {
  const { outcome } = one;
  return 'refusal' in outcome && outcome.refusal.code === 'LATE_REPORT';
}

function changeBy({ actorId, before, move }: Extract<Settled, { move: Move }>, operation: string): Change {
  const change = { before, move, operation, actorId };
  const { failureKind, retryCount, notBefore } = move.item;
  if (move.transition === 'retry')
    return { ...change, changes: { failureKind: 'SYSTEM', retryCount, notBefore } };
  return failureKind === undefined ? change : { ...change, changes: { failureKind, retryCount } };
}

/** It tells nothing of the item, which somebody else may be working on. */
function notHeld(queue: QueueDefinition, itemId: Id): Refusal {
  return new Refusal(
    'STATUS_CONFLICT',
    `You do not hold item ${itemId} of queue ${queue.id}; claim it first.`,
  );
}

export function unknownItem(queue: QueueDefinition, itemId: Id): Refusal {
  return new Refusal('NOT_FOUND', `There is no item ${itemId} in queue ${queue.id}.`);
}
