import { setTimeout as sleep } from 'node:timers/promises';
import { answerOf, handsOf, type Place } from './calls.ts';
import type { Chance } from './chance.ts';

/** Few, so that bulk actions on one of them meet many items. */
export const priorities = 4;

/** Puts items in until it is told to stop. Items without an answer are not sent again: they may be there, or not. */
export async function produce(place: Place, queueIds: readonly number[], signal: AbortSignal): Promise<void> {
  const { chance, client, write } = handsOf(place);
  for (let made = 0; !signal.aborted;) {
    const size = chance.oneOf([1, 1, 2]);
    const keys = Array.from({ length: size }, (_, index) => `${place.name} ${made + index}`);
    made += size;
    const path = { id: chance.oneOf(queueIds) };
    write({ note: 'creating', keys });
    const body = { workItems: keys.map((key) => newItem(key, chance)) };
    const answer = await answerOf(() => client().createWorkItems({ path, body }));
    const created = answer?.list.map(({ id }, index) => ({ id: Number(id), key: String(keys[index]) })) ?? [];
    write(...created.map((one) => ({ note: 'created' as const, ...one })));
    await sleep(chance.below(600));
  }
}

function newItem(customer: string, chance: Chance) {
  const deferredUntil = new Date(Date.now() + chance.below(500)).toISOString();
  return {
    json: { customer },
    priority: chance.below(priorities),
    ...(chance.once(5) && { deferredUntil }),
  };
}
