import type { Id, Output, Schemas } from '@millrace/api';
import { Refusal } from '../errors.ts';
import { insertEvents, type Event } from '../events/sql.ts';
import { Idle, type BatchCall, type BatchContext, type BatchOperation } from '../operation.ts';
import type { QueueDefinition } from '../queues/rules.ts';
import { saveChanges, type Change } from './changes.ts';
import { decideReport, isHolder, type Item, type SentReport } from './rules.ts';
import { claimItems, saveLeases, type Extension, type Slot } from './leases.sql.ts';
import { lockItems } from './sql.ts';

const defaultLeaseSeconds = 60;

export const claimWorkItems: BatchOperation<'claimWorkItems'> = async ({ db, queue, now }, calls) => {
  const nothing = new Idle({ list: [] }, [queue.id]);
  if (queue.status === 'INACTIVE') return calls.map(() => nothing);
  const granted = await claimItems(db, queue, slotsOf(calls, now), now);
  const items = granted.map(({ turn: _, ...item }) => item);
  return calls.map(({ input }) => {
    const list = items.splice(0, input.body.count ?? 1);
    return list.length > 0 ? { list } : nothing;
  });
};

/** A slot for each item that a call asks for; the first caller is served in full before the next. */
function slotsOf(calls: readonly BatchCall<'claimWorkItems'>[], now: Date): Slot[] {
  return calls.flatMap(({ actor, input }) => {
    const { count = 1, deviceId, leaseSeconds } = input.body;
    const slot = { actorId: actor.id, deviceId, leaseExpiresOn: leaseEnd(now, leaseSeconds) };
    return Array.from({ length: count }, () => slot);
  });
}

function leaseEnd(now: Date, seconds = defaultLeaseSeconds): Date {
  return new Date(now.getTime() + seconds * 1000);
}

export const heartbeatWorkItems: BatchOperation<'heartbeatWorkItems'> = async ({ db, queue, now }, calls) => {
  const sent = calls.flatMap(({ actor, input }) =>
    input.body.leases.map((lease) => ({ actorId: actor.id, ...lease })),
  );
  const locked = await lockItems(db, queue.id, idsOf(sent));
  const items = new Map(locked.map((item) => [item.id, item]));
  const extended = new Map<Id, Extension>();
  const outcomes = sent.map(({ id, version, actorId, leaseSeconds, progress }): Schemas['LeaseOutcome'] => {
    const item = items.get(id);
    if (!item || !isHolder(item, actorId) || item.version !== version)
      return { id, error: lost(id).toJSON() };
    const leaseExpiresOn = leaseEnd(now, leaseSeconds);
    extended.set(id, {
      id,
      leaseExpiresOn,
      progress: progress ?? extended.get(id)?.progress ?? item.progress,
    });
    return { id, leaseExpiresOn: leaseExpiresOn.toISOString() };
  });
  await saveLeases(db, queue.id, [...extended.values()]);
  return calls.map(({ input }) => ({ list: outcomes.splice(0, input.body.leases.length) }));
};

function lost(id: Id): Refusal {
  return new Refusal(
    'LEASE_LOST',
    `You do not hold item ${id} any more. Stop working on it; others may have it.`,
  );
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
  const locked = await lockItems(db, queue.id, idsOf(sent));
  const items = new Map(locked.map((item) => [item.id, item]));
  const changes: Change[] = [];
  const late: Event[] = [];
  const outcomes = sent.map((one) => {
    const item = items.get(one.id);
    if (!item) return { id: one.id, refusal: unknownItem(queue, one.id) };
    const verdict = decideReport(item, one, queue, now);
    if (verdict === 'repeated') return item;
    if (verdict instanceof Refusal) {
      if (verdict.code === 'LATE_REPORT') late.push(lateEvent(one));
      return { id: one.id, refusal: verdict };
    }
    // A second report in the same call meets the item as the first has left it.
    items.set(one.id, verdict.item);
    changes.push(changeBy(one, item, verdict.item, operation));
    return verdict.item;
  });
  await saveChanges(context, queue.id, changes);
  await insertEvents(db, queue.id, late, now);
  return outcomes;
}

function idsOf(sent: readonly { readonly id: Id }[]): Id[] {
  return sent.map(({ id }) => id);
}

function changeBy({ actorId, report }: Sent, before: Item, after: Item, operation: string): Change {
  const change = { before, after, operation, actorId };
  if (report.status !== 'FAILED') return change;
  const { error: reason, failureKind = 'SYSTEM' } = report;
  return { ...change, reason, changes: { failureKind, retryCount: after.retryCount } };
}

/** Evidence: what a former holder says, for whoever has to find out what really happened. */
function lateEvent({ id, actorId, report }: Sent): Event {
  const reason = 'the reporter did not hold the item';
  return { itemId: id, operation: 'lateReport', actorId, reason, changes: report };
}

export function unknownItem(queue: QueueDefinition, itemId: Id): Refusal {
  return new Refusal('NOT_FOUND', `There is no item ${itemId} in queue ${queue.id}.`);
}
