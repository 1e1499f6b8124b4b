import { mayHappen, type Schemas } from '@millrace/api';
import { Refusal } from '../../engine/errors.ts';
import type { BatchContext, BatchOperation } from '../../engine/operation.ts';
import { recordEvents, type Event } from '../../journal/journal.ts';
import { leaseFrom, type Item } from '../item/rules.ts';
import { lockItems, saveLeases, saveLogTails } from '../item/sql.ts';
import { cancellationOf, isHeld, lost, type Beat } from './rules.ts';

export const heartbeatWorkItems: BatchOperation<'heartbeatWorkItems'> = async (context, calls) => {
  const { db, queue } = context;
  const beats = calls.flatMap(({ actor, input }) =>
    input.body.leases.map((lease) => ({ ...lease, actorId: actor.id })),
  );
  const ids = beats.map(({ id }) => id);
  const verdicts = decide(beats, await lockItems(db, queue.id, ids), context.now);
  await saveExtended(context, verdicts.filter(isGranted));
  const outcomes = verdicts.map(outcomeOf);
  return calls.map(({ input }) => ({ list: outcomes.splice(0, input.body.leases.length) }));
};

interface Verdict<V = Extended | Refusal> {
  readonly beat: Beat;
  readonly verdict: V;
}

function isGranted(decided: Verdict): decided is Verdict<Extended> {
  return !(decided.verdict instanceof Refusal);
}

function decide(beats: readonly Beat[], locked: readonly Item[], now: Date): Verdict[] {
  const items = new Map(locked.map((item) => [item.id, item]));
  return beats.map((beat) => {
    const verdict = decideHeartbeat(items.get(beat.id), beat, now);
    // A second heartbeat in the same batch sees the changes of the first.
    if (!(verdict instanceof Refusal)) items.set(beat.id, verdict.item);
    return { beat, verdict };
  });
}

async function saveExtended(context: BatchContext, granted: readonly Verdict<Extended>[]): Promise<void> {
  const { db, queue, now } = context;
  const kept = new Map(granted.map(({ verdict }) => [verdict.item.id, verdict.item]));
  const passing = granted.filter(({ verdict }) => verdict.isPassing);
  await Promise.all([
    saveLeases(db, queue.id, [...kept.values()]),
    saveLogTails(
      db,
      queue.id,
      granted.map(({ beat }) => beat),
      now,
    ),
    recordEvents(context, queue.id, passing.map(passingEvent)),
  ]);
}

function passingEvent({ beat, verdict }: Verdict<Extended>): Event {
  const { id, deviceId, pointOfNoReturnOn } = verdict.item;
  const status = 'IN_PROGRESS';
  const event = { itemId: id, operation: 'heartbeatWorkItems', actorId: beat.actorId, deviceId };
  return { ...event, from: status, to: status, changes: { pointOfNoReturnOn } };
}

function outcomeOf({ beat, verdict }: Verdict): Schemas['LeaseOutcome'] {
  if (verdict instanceof Refusal) return { id: beat.id, error: verdict.toJSON() };
  const { id, leaseExpiresOn, pointOfNoReturnOn } = verdict.item;
  const cancel = cancellationOf(verdict.item);
  return {
    id,
    ...(leaseExpiresOn && { leaseExpiresOn: leaseExpiresOn.toISOString() }),
    ...(pointOfNoReturnOn && { pointOfNoReturnOn: pointOfNoReturnOn.toISOString() }),
    ...(cancel && { cancel }),
  };
}

/** The lease after a heartbeat; neither version nor time of change is touched: the item counts as unchanged. */
export interface Extended {
  readonly item: Item;
  /** Whether this heartbeat passes the point of no return. */
  readonly isPassing: boolean;
}

/**
 * The item after a heartbeat; without `leaseSeconds` its lease has the same length as before. A cancelled item is kept, so that its holder
 * learns of the cancellation and can report.
 */
export function decideHeartbeat(item: Item | undefined, beat: Beat, now: Date): Extended | Refusal {
  if (!item || !isHeld(item, beat)) return lost(beat.id);
  const isPassing = beat.pointOfNoReturn === true && mayHappen('pointOfNoReturn', item);
  const pointOfNoReturnOn = isPassing ? now : item.pointOfNoReturnOn;
  const { progress = item.progress, leaseSeconds = item.leaseSeconds } = beat;
  return { item: { ...item, ...leaseFrom(now, leaseSeconds), progress, pointOfNoReturnOn }, isPassing };
}
