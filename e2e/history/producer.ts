import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { answerOf, clientOf, oneOf, random, type Place } from './calls.ts';
import { openLog } from './log.ts';

/** Puts items in until it is told to stop. What is not acknowledged is not sent again: it may be there, or not. */
export async function produce(place: Place, signal: AbortSignal): Promise<void> {
  const name = path.basename(place.log);
  const client = clientOf(place);
  const write = openLog(place.log);
  for (let made = 0; !signal.aborted;) {
    const size = oneOf([1, 1, 2]);
    const keys = Array.from({ length: size }, (_, index) => `${name} ${made + index}`);
    made += size;
    write({ note: 'creating', keys });
    const body = { workItems: keys.map(newItem) };
    const answer = await answerOf(() => client.createWorkItems({ path: { id: place.queueId }, body }));
    const created = answer?.list.map(({ id }, index) => ({ id: Number(id), key: String(keys[index]) })) ?? [];
    write(...created.map((one) => ({ note: 'created' as const, ...one })));
    await sleep(random(400));
  }
}

function newItem(customer: string) {
  const deferredUntil = new Date(Date.now() + random(500)).toISOString();
  return { json: { customer }, priority: random(10), ...(random(5) === 0 && { deferredUntil }) };
}
