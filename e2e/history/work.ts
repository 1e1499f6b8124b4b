import { setTimeout as sleep } from 'node:timers/promises';
import type { Schemas } from '@millrace/api';
import { answerOf, untilAnswered, type Hands } from './calls.ts';
import { chanceOf, type Chance } from './chance.ts';
import type { Grant, Says } from './record.ts';

/** An item in somebody's hands. */
export interface Held extends Grant {
  readonly queueId: number;
}

/** The progress of a participant with an item, as confirmed by the server. */
interface Progress {
  isPassed: boolean;
  isCancelled: boolean;
}

export const limits = { timeoutSeconds: 10 };
export const leaseSeconds = 1.5;

/** Works on an item and reports it, even when the lease is lost: such a report must change nothing. */
export async function workOn(hands: Hands, held: Held): Promise<void> {
  const chance = chanceOf(hands.seed, 'item', held.id, held.version);
  const progress = { isPassed: false, isCancelled: false };
  for (let signs = chance.oneOf([0, 0, 0, 1, 4]); signs > 0 && !progress.isCancelled; signs -= 1) {
    await sleep(300);
    await beat(hands, held, progress, chance.once(4));
  }
  // Most of the work is quick, and some outlasts its lease in silence.
  await sleep(chance.oneOf([5, 10, 20, 50, 50, 100, 100, 100, 100, 100, 100, 100, 2500]));
  const says = chance.oneOf(sayings(progress));
  await report(hands, held, says);
  // As if the answer had been lost.
  if (chance.once(5)) await report(hands, held, says);
}

async function beat(hands: Hands, held: Held, progress: Progress, isPassing: boolean): Promise<void> {
  const { id, version, by } = held;
  const lease = { id, version, leaseSeconds, ...(isPassing && { pointOfNoReturn: true as const }) };
  const answer = await answerOf(() =>
    hands.client().heartbeatWorkItems({ path: { id: held.queueId }, body: { leases: [lease] } }, limits),
  );
  const [outcome] = answer?.list ?? [];
  if (!outcome?.leaseExpiresOn) return;
  const isPassed = outcome.pointOfNoReturnOn !== undefined;
  hands.write({ note: 'kept', by, id, version });
  if (isPassed && !progress.isPassed) hands.write({ note: 'passed', by, id, version });
  Object.assign(progress, { isPassed, isCancelled: outcome.cancel !== undefined });
}

/** Shortens the long lease of an item taken by its id, whose end nobody shall wait for; also when the answer was lost. */
export async function shortenLease(
  { client }: Hands,
  { id, version, queueId }: Omit<Held, 'by'>,
): Promise<void> {
  const body = { leases: [{ id, version, leaseSeconds }] };
  await answerOf(() => client().heartbeatWorkItems({ path: { id: queueId }, body }, limits));
}

function sayings({ isPassed, isCancelled }: Progress): Says[] {
  if (isCancelled) return ['SYSTEM', 'NEW', 'DEFERRED', 'COMPLETE'];
  // Work that may have been done is not put aside.
  if (isPassed) return ['COMPLETE', 'COMPLETE', 'BUSINESS', 'SYSTEM', 'NEW'];
  return ['COMPLETE', 'COMPLETE', 'COMPLETE', 'COMPLETE', 'BUSINESS', 'SYSTEM', 'SYSTEM', 'NEW', 'DEFERRED'];
}

/** Sends the report until it is answered. */
export async function report(hands: Hands, held: Held, says: Says): Promise<void> {
  const { id, version, by } = held;
  const result = resultOf(held, says, chanceOf(hands.seed, 'report', id, version));
  const { list } = await untilAnswered(() => {
    hands.write({ note: 'reporting', by, id, version, says });
    const body = { results: [result] };
    return hands.client().finishWorkItems({ path: { id: held.queueId }, body }, limits);
  });
  const [outcome] = list;
  if (outcome?.error) hands.write({ note: 'refused', by, id, version, says, code: outcome.error.code });
  else hands.write({ note: 'accepted', by, id, version, says, versionAfter: Number(outcome?.version) });
}

function resultOf({ id, version }: Held, says: Says, chance: Chance): Schemas['WorkItemReport'] {
  if (says === 'COMPLETE') return { id, version, status: says };
  if (says === 'NEW') return { id, version, status: says, reason: 'as decided' };
  if (says !== 'DEFERRED') return { id, version, status: 'FAILED', failureKind: says, error: 'as decided' };
  const deferredUntil = new Date(Date.now() + chance.below(300)).toISOString();
  return { id, version, status: says, deferredUntil };
}
