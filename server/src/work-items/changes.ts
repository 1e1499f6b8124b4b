import { isOver, type Id, type TransitionName } from '@millrace/api';
import { everybody, holderBell } from '../dispatch/bell.ts';
import { endPassIfDrained } from '../dispatch/passes.ts';
import { endRuns } from '../dispatch/runs.ts';
import { freePlacesOfDone } from '../duplicates/operations.ts';
import { insertEvents, type Event } from '../events/sql.ts';
import type { BatchContext } from '../operation.ts';
import { insertTally } from '../stats/sql.ts';
import type { Item, Move } from './rules.ts';
import { saveItems } from './sql.ts';
import { tallyOf } from './tally.rules.ts';

/** One item as it was and as it will be, and what made it so. */
export interface Change {
  readonly before: Item;
  readonly move: Move;
  readonly operation: string;
  readonly actorId: Id;
  /** What else changed, by the member's name in the contract. */
  readonly changes?: object | undefined;
}

/** What others than the holder do to an item that is held. */
const interruptions: readonly TransitionName[] = ['cancel', 'lapse', 'exhaust', 'takeBack', 'stop', 'doubt'];

type Where = Pick<BatchContext, 'db' | 'now' | 'woken'> & Partial<Pick<BatchContext, 'queue'>>;

/** Saves the changes of items of one queue and records them: the way every change of a stored item goes. */
export async function saveChanges(
  { db, now, woken, queue }: Where,
  queueId: Id,
  changes: readonly Change[],
): Promise<void> {
  if (changes.length === 0) return;
  const items = changes.map(({ move, actorId }) => ({ ...move.item, updatedBy: actorId }));
  await Promise.all([
    saveItems(db, queueId, items, now),
    insertEvents(db, queueId, changes.map(eventOf), now),
    recordTally(db, queueId, changes, now),
    freePlacesOfDone(db, queueId, queue, idsOf(changes.filter(ends))),
    endRuns({ db, woken }, queueId, idsOf(changes.filter(endsRun))),
  ]);
  wake(woken, queueId, changes);
}

/** Rings for those who wait for items, and for holders who are to stop. */
function wake(woken: Where['woken'], queueId: Id, changes: readonly Change[]): void {
  const claimable = changes.filter(({ move: { item } }) => item.status === 'NEW' && !item.notBefore).length;
  if (claimable > 0) woken.set(queueId, (woken.get(queueId) ?? 0) + claimable);
  for (const { before, move } of changes) {
    if (before.claimedBy === undefined || !interruptions.includes(move.transition)) continue;
    woken.set(holderBell(before.claimedBy), everybody);
  }
}

function ends({ before, move }: Change): boolean {
  return !isOver(before.status) && isOver(move.item.status);
}

/** Whether a device ran the item, and does so no more. */
function endsRun({ before, move }: Change): boolean {
  const isOnDevice = before.status === 'IN_PROGRESS' && before.automationId !== undefined;
  return isOnDevice && move.item.status !== 'IN_PROGRESS';
}

function idsOf(changes: readonly Change[]): Id[] {
  return changes.map(({ move }) => move.item.id);
}

async function recordTally(
  db: Where['db'],
  queueId: Id,
  changes: readonly Change[],
  now: Date,
): Promise<void> {
  if (changes.every(({ before, move }) => before.status === move.item.status)) return;
  const tally = tallyOf(changes.map(({ before, move }) => ({ before, after: move.item })));
  await insertTally(db, queueId, tally, now);
  if (tally.counts.NEW < 0) await endPassIfDrained(db, queueId);
}

function eventOf({ before, move, operation, actorId, changes }: Change): Event {
  const { item, reason } = move;
  const deviceId = before.status === 'IN_PROGRESS' ? before.deviceId : undefined;
  const told = { ...toldBy(before, move), ...changes };
  return {
    itemId: item.id,
    operation,
    actorId,
    deviceId,
    from: before.status,
    to: item.status,
    reason,
    changes: Object.keys(told).length > 0 ? told : undefined,
  };
}

const answers: Partial<Record<TransitionName, string>> = {
  resolveDone: 'DONE',
  resolveNotDone: 'NOT_DONE',
  resolvePartly: 'PARTLY',
};

/** What the statuses alone do not tell: how an attempt ended (attempts are read from the events), and what became of a failure. */
function toldBy(before: Item, { transition, item }: Move): object {
  const isEnd = before.status === 'IN_PROGRESS' && item.status !== 'IN_PROGRESS' && transition !== 'finish';
  const isOtherFailure = item.failureKind !== undefined && item.failureKind !== before.failureKind;
  const isEndOfWait = before.status === 'NEW' && item.status === 'NEW' && before.notBefore && !item.notBefore;
  const answer = answers[transition];
  return {
    ...(isEnd && { transition }),
    ...(answer && { answer }),
    ...(isOtherFailure && { failureKind: item.failureKind }),
    ...(isEndOfWait && { notBefore: null }),
  };
}
