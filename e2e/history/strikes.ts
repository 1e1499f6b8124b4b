import { setTimeout as sleep } from 'node:timers/promises';
import { chanceOf } from './chance.ts';
import type { Participant } from './participant.ts';
import type { ServerProcess } from './server.ts';

/** Whom to strike. */
export interface Cast {
  readonly servers: readonly [ServerProcess, ServerProcess];
  readonly participants: readonly Participant[];
}

/**
 * Kills and freezes those who take part, for so many seconds; one server dies, one freezes and one is stopped on the way.
 * Those that are frozen outlast their leases: when they wake up, others hold what they report.
 */
export async function strike({ servers, participants }: Cast, seed: number, seconds: number): Promise<void> {
  const chance = chanceOf(seed, 'strikes');
  const [one, other] = servers;
  const later = async (share: number, what: () => Promise<void>) => {
    await sleep(share * seconds * 1000);
    await what();
  };
  const planned = [
    later(1 / 4, () => one.restart('SIGKILL')),
    later(1 / 2, () => other.freeze(1500)),
    later(3 / 4, () => other.restart('SIGTERM')),
  ];
  const under: Promise<void>[] = [];
  for (const end = Date.now() + seconds * 1000; Date.now() < end;) {
    await sleep(200 + chance.below(1000));
    const victim = chance.oneOf(participants);
    under.push(chance.once(3) ? victim.kill() : victim.freeze(2000 + chance.below(1500)));
  }
  await Promise.all([...planned, ...under]);
}
