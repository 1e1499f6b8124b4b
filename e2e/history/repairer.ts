import { setTimeout as sleep } from 'node:timers/promises';
import type { Schemas } from '@millrace/api';
import { answerOf, handsOf, overtaken, type Hands, type Place } from './calls.ts';
import type { Chance } from './chance.ts';
import { priorities } from './producer.ts';
import type { Answer } from './record.ts';

/** A person who repairs items, many at once, and answers for those in doubt, until told to stop. */
export async function repair(place: Place, queueIds: readonly number[], signal: AbortSignal): Promise<void> {
  const hands = handsOf(place);
  while (!signal.aborted) {
    const queueId = hands.chance.oneOf(queueIds);
    if (hands.chance.once(3)) await resolve(hands, queueId);
    else
      await changeMany(
        hands,
        queueId,
        anyChange(
          hands.chance,
          queueIds.filter((id) => id !== queueId),
        ),
      );
    await sleep(hands.chance.below(400));
  }
}

/** Settles the items that the last calls have left open: afterwards nothing waits for a person or for a time. */
export async function settle(place: Place, queueIds: readonly number[]): Promise<void> {
  const hands = handsOf(place);
  for (const queueId of queueIds) {
    await resolve(hands, queueId);
    await changeMany(hands, queueId, { action: 'RELEASE', filter: equal('status', 'DEFERRED') });
  }
}

type Change = Schemas['BulkRequest'] & { readonly action: string };

function anyChange(chance: Chance, otherIds: readonly number[]): Change {
  const change = chance.oneOf<readonly [Change['action'], ...string[]]>([
    ['CANCEL', 'IN_PROGRESS'],
    ['CANCEL', 'IN_PROGRESS'],
    // These include items that this action must not change, which are refused.
    ['RESTART', 'FAILED'],
    ['RELEASE', 'DEFERRED', 'NEW'],
    ['DEFER', 'NEW', 'FAILED'],
    ['SET_PRIORITY', 'NEW', 'DEFERRED'],
    ['COMPLETE', 'DEFERRED', 'FAILED'],
    ['FAIL', 'DEFERRED'],
    ['MOVE', 'NEW', 'DEFERRED', 'FAILED'],
    ['DELETE', 'DEFERRED', 'FAILED'],
  ]);
  const [action, ...statuses] = change;
  const rank = equal('priority', chance.below(priorities));
  // Few items run at a time, so that a priority would select none.
  const those = [equal('status', chance.oneOf(statuses)), ...(action === 'CANCEL' ? [] : [rank])];
  return {
    action,
    filter: { operator: 'and', operands: those },
    ...(action === 'SET_PRIORITY' && { priority: chance.below(priorities) }),
    ...(action === 'MOVE' && { queueId: chance.oneOf(otherIds) }),
  };
}

function equal(field: string, value: unknown) {
  return { operator: 'eq', field, value };
}

async function changeMany({ by, client, write }: Hands, queueId: number, body: Change): Promise<void> {
  const { action } = body;
  write({ note: 'doing', by, action });
  const answer = await answerOf(() => client().updateWorkItemStatus({ path: { id: queueId }, body }));
  if (answer) write({ note: 'done', by, action, changed: answer.changed });
}

async function resolve(hands: Hands, queueId: number): Promise<void> {
  const body = { filter: equal('failureKind', 'IN_DOUBT') };
  const answer = await answerOf(() => hands.client().listWorkItems({ path: { id: queueId }, body }));
  for (const { id, version } of answer?.list ?? []) {
    const found = hands.chance.oneOf<Answer>(['DONE', 'NOT_DONE', 'NOT_DONE', 'PARTLY']);
    hands.write({ note: 'answering', id: Number(id), version: Number(version), answer: found });
    const path = { id: queueId, workItemId: Number(id) };
    const said = { version: Number(version), answer: found, note: 'as found' };
    await answerOf(() => hands.client().resolveWorkItem({ path, body: said }).catch(overtaken));
  }
}
