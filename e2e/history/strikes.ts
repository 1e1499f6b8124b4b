import { setTimeout as sleep } from 'node:timers/promises';
import { oneOf, random } from './calls.ts';
import type { ConsumerProcess, ServerProcess } from './processes.ts';

/**
 * Kills and pauses consumers at random; one server dies and another is stopped on the way. Pauses outlast the leases, so
 * that whoever wakes up reports what others hold by then.
 */
export async function strike(
  rounds: number,
  servers: readonly [ServerProcess, ServerProcess],
  consumers: readonly ConsumerProcess[],
): Promise<void> {
  const pauses: Promise<void>[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    await sleep(random(1000));
    if (round === Math.floor(rounds / 3)) await servers[0].restart('SIGKILL');
    else if (round === Math.floor((2 * rounds) / 3)) await servers[1].restart('SIGTERM');
    else if (round % 2 === 0) await oneOf(consumers).kill();
    else
      pauses.push(oneOf(consumers).pause(1500 + random(1000)), oneOf(consumers).pause(1500 + random(1000)));
  }
  await Promise.all(pauses);
}
