import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@millrace/api';
import { answerOf, handsOf, untilAnswered, type Hands, type Place } from './calls.ts';
import { leaseSeconds, limits, workOn } from './work.ts';

export interface DevicePlace extends Place {
  readonly hostName: string;
  readonly slots: number;
  readonly labels: readonly string[];
}

export const botName = 'bot';

/** A device in its present life: registers, asks all servers at the same time, and begins whatever it gets. */
export async function runDevice(place: DevicePlace): Promise<void> {
  const hands = handsOf(place);
  const id = await register(hands, place);
  await Promise.all(hands.clients.map((client) => ask(hands, client, id)));
}

async function register({ client }: Hands, { hostName, slots, labels }: DevicePlace): Promise<number> {
  const body = { hostName, slots, labels: [...labels], bots: [botName] };
  return Number((await untilAnswered(() => client().registerDevice({ body }))).id);
}

/** It does not count its slots: that is for whichever server is asked. */
async function ask(hands: Hands, client: Client, device: number): Promise<never> {
  const body = { leaseSeconds, waitSeconds: 2 };
  for (;;) {
    const answer = await answerOf(() => client.requestWork({ path: { id: device }, body }, limits));
    const held = (answer?.list ?? []).map(({ id, version, queueId, runAsUser }) => {
      const grant = { by: hands.by, id: Number(id), version: Number(version) };
      hands.write({ note: 'granted', ...grant, device, ...(runAsUser && { runAs: Number(runAsUser.id) }) });
      return { ...grant, queueId: Number(queueId) };
    });
    for (const one of held) void workOn(hands, one);
    if (answer?.state !== 'ACTIVE') await sleep(200);
  }
}
