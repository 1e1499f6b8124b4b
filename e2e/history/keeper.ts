import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError, type Client } from '@millrace/api';
import { handsOf, untilAnswered, type Hands, type Place } from './calls.ts';
import type { Target } from './record.ts';

/** Something that a person takes out of use for a while. Its calls may be made twice. */
export interface Holdable {
  readonly target: Target;
  readonly hold: Turn;
  readonly release: Turn;
}

/** Answers whether it is as wanted now; undefined when it has to be tried again. */
type Turn = (client: Client) => Promise<boolean | undefined>;

const reason = 'for a while';

export function deviceToHold(id: number, how: 'quarantineDevice' | 'drainDevice'): Holdable {
  const path = { id };
  return {
    target: `device ${id}`,
    hold: (client) => client[how]({ path, body: { reason } }).then(() => true),
    release: (client) => client.resumeDevice({ path }).then(() => true),
  };
}

export function queueToHold(id: number): Holdable {
  const path = { id };
  return {
    target: `queue ${id}`,
    hold: (client) => client.pauseQueue({ path, body: { reason } }).then(() => true),
    release: (client) => client.resumeQueue({ path }).then(() => true),
  };
}

export function automationToHold(id: number, how: 'PAUSED' | 'STOPPED'): Holdable {
  return {
    target: `automation ${id}`,
    hold: (client) => setStatus(client, id, { status: how, statusReason: reason }),
    release: (client) => setStatus(client, id, { status: 'ACTIVE' }),
  };
}

type Status = { readonly status: 'ACTIVE' | 'PAUSED' | 'STOPPED'; readonly statusReason?: string };

/** False when another automation of the queue is ACTIVE. */
async function setStatus(client: Client, id: number, wanted: Status): Promise<boolean | undefined> {
  const path = { id };
  const { status, version } = await client.getAutomation({ path });
  if (status === wanted.status) return true;
  try {
    await client.updateAutomation({ path, body: { ...wanted, version } });
    return true;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.code === 'STATUS_CONFLICT') return false;
    // A call that was not answered has come through after all.
    if (error.code === 'VERSION_CONFLICT') return undefined;
    throw error;
  }
}

/**
 * A person who takes things out of use and puts them back, until told to stop; then all of them are in use.
 * @param held the things that are out of use at the beginning.
 */
export async function keep(
  place: Place,
  things: readonly Holdable[],
  held: Set<Target>,
  signal: AbortSignal,
): Promise<void> {
  const hands = handsOf(place);
  for (const { target } of things) {
    hands.write({ note: held.has(target) ? 'held' : 'released', target, at: Date.now() });
  }
  while (!signal.aborted) {
    // Put back more often than taken out, or all would stand still.
    const candidates = hands.chance.once(2) ? things : things.filter(({ target }) => held.has(target));
    if (candidates.length > 0) await turn(hands, hands.chance.oneOf(candidates), held);
    await sleep(hands.chance.below(1000));
  }
  for (const one of things.filter(({ target }) => held.has(target))) await turn(hands, one, held);
}

async function turn({ client, write }: Hands, thing: Holdable, held: Set<Target>): Promise<void> {
  const { target, hold, release } = thing;
  const isHeld = held.has(target);
  write({ note: isHeld ? 'releasing' : 'holding', target, at: Date.now() });
  if (!isHeld) {
    await untilAnswered(() => hold(client()));
    held.add(target);
    write({ note: 'held', target, at: Date.now() });
  } else if (await untilAnswered(() => release(client()))) {
    held.delete(target);
    write({ note: 'released', target, at: Date.now() });
  }
}
