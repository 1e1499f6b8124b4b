import { answerOf, handsOf, type Hands, type Place } from './calls.ts';
import { leaseSeconds, limits, workOn } from './work.ts';

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
    const body = { count: 1 + hands.chance.below(3), leaseSeconds, waitSeconds: 2 };
    const answer = await answerOf(() =>
      hands.client().claimWorkItems({ path: { id: queueId }, body }, limits),
    );
    const held = (answer?.list ?? []).map(({ id, version }) => {
      return { by: hands.by, id: Number(id), version: Number(version), queueId };
    });
    hands.write(...held.map(({ by, id, version }) => ({ note: 'granted' as const, by, id, version })));
    await Promise.all(held.map((one) => workOn(hands, one)));
  }
}
