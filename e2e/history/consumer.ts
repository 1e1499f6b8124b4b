import { answerOf, handsOf, overtaken, type Hands, type Place } from './calls.ts';
import { leaseSeconds, limits, shortenLease, workOn, type Held } from './work.ts';

export interface ConsumerPlace extends Place {
  readonly queueIds: readonly number[];
}

/** A consumer that claims by itself, without a device. */
export async function consume(place: ConsumerPlace): Promise<void> {
  const hands = handsOf(place);
  await Promise.all(place.queueIds.map((queueId) => consumeFrom(hands, queueId)));
}

async function consumeFrom(hands: Hands, queueId: number): Promise<never> {
  for (;;) {
    const held = await (hands.chance.once(4) ? take(hands, queueId) : claim(hands, queueId));
    hands.write(...held.map(({ by, id, version }) => ({ note: 'granted' as const, by, id, version })));
    await Promise.all(held.map((one) => workOn(hands, one)));
  }
}

async function claim(hands: Hands, queueId: number): Promise<Held[]> {
  const body = { count: 1 + hands.chance.below(3), leaseSeconds, waitSeconds: 2 };
  const answer = await answerOf(() => hands.client().claimWorkItems({ path: { id: queueId }, body }, limits));
  return (answer?.list ?? []).map(({ id, version }) => {
    return { by: hands.by, id: Number(id), version: Number(version), queueId };
  });
}

/** Takes an item that waits by its id, as a program of version 4 does: by saying that it is IN_PROGRESS. */
async function take(hands: Hands, queueId: number): Promise<Held[]> {
  const { by, chance, client } = hands;
  const path = { id: queueId };
  const filter = { operator: 'eq', field: 'status', value: 'NEW' };
  const page = { length: 5 };
  const waiting = await answerOf(() => client().listWorkItems({ path, body: { filter, page } }, limits));
  if (!waiting || waiting.list.length === 0) return [];
  const chosen = chance.oneOf(waiting.list);
  const [id, version] = [Number(chosen.id), Number(chosen.version)];
  const update = {
    path: { id: queueId, workItemId: id },
    body: { id, queueId, version, status: 'IN_PROGRESS' as const },
  };
  const taken = await answerOf(() => client().updateWorkItem(update, limits).catch(overtaken));
  await shortenLease(hands, { id, version: version + 1, queueId });
  return taken ? [{ by, id, version: Number(taken.version), queueId }] : [];
}
