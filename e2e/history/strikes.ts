import { setTimeout as sleep } from 'node:timers/promises';
import type { Line } from '../../server/src/testing/line.ts';
import { chanceOf, type Chance } from './chance.ts';
import type { Disk } from './disk.ts';
import type { Participant } from './participant.ts';
import type { Postgres } from './postgres.ts';
import type { ServerProcess } from './server.ts';

/** The targets of strikes. */
export interface Cast {
  readonly servers: readonly [ServerProcess, ServerProcess];
  /** From each server to the database. */
  readonly lines: readonly [Line, Line];
  readonly database: Postgres;
  /** Of the database, where it has one of its own. */
  readonly disk: Disk | undefined;
  readonly participants: readonly Participant[];
}

const hour = 3_600_000;

type Strike = (cast: Cast, chance: Chance) => Promise<unknown>;

/** The strikes on the database and its disk, on the connections, and on the clocks. */
const strikes = {
  'the database is killed': ({ database }) => database.kill(),
  'the database is restarted': ({ database }) => database.shutDown(),
  'the database is frozen': ({ database }) => database.freeze(2500),
  'the disk is full': async ({ disk }) => {
    await disk?.fill();
    await sleep(2000);
    await disk?.clear();
  },
  'a network is cut': onLine((line) => line.cut(), 2000),
  'a network is slow': onLine((line) => line.spoil({ delayMs: 200 }), 3000),
  'a network falls silent': onLine((line) => line.swallow(), 2000),
  'answers of the database are lost': onLine(async (line) => {
    line.spoil({ drop: 'back' });
    await sleep(500);
    // Later data on these connections must not arrive: no network loses something in the middle.
    await line.cut();
  }),
  'a clock is an hour ahead': async ({ servers }, chance) => {
    const server = chance.oneOf(servers);
    server.setClock(hour);
    await sleep(3000);
    server.setClock(0);
  },
} satisfies Record<string, Strike>;

export type StrikeName = keyof typeof strikes;
export const fullDisk: StrikeName = 'the disk is full';

/** Each strike once before any comes again, in random order. */
export function chooseStrikes(seed: number, count: number): StrikeName[] {
  const chance = chanceOf(seed, 'choice of strikes');
  const chosen: StrikeName[] = [];
  while (chosen.length < count) {
    const left = Object.keys(strikes) as StrikeName[];
    while (left.length > 0) chosen.push(...left.splice(chance.below(left.length), 1));
  }
  return chosen.slice(0, count);
}

/** Disturbs the connection of one server for some milliseconds. */
function onLine(begin: (line: Line) => unknown, milliseconds = 0): Strike {
  return async ({ lines }, chance) => {
    const line = chance.oneOf(lines);
    await begin(line);
    await sleep(milliseconds);
    await line.mend();
  };
}

/** The strikes in order, each in a share of the seconds. */
export interface Plan {
  readonly seed: number;
  readonly seconds: number;
  readonly chosen: readonly StrikeName[];
}

/**
 * Kills and freezes participants for some seconds; one server dies, one freezes and one is stopped on the way, and the chosen strikes come.
 * Frozen participants outlast their leases: when they wake up, others hold the items that they report.
 */
export async function strike(cast: Cast, { seed, seconds, chosen }: Plan): Promise<void> {
  const { servers, participants } = cast;
  const chance = chanceOf(seed, 'strikes');
  const [one, other] = servers;
  const later = async (share: number, what: () => Promise<unknown>) => {
    await sleep(share * seconds * 1000);
    await what();
  };
  const planned = [
    later(1 / 4, () => one.restart('SIGKILL')),
    later(1 / 2, () => other.freeze(1500)),
    later(3 / 4, () => other.restart('SIGTERM')),
    ...chosen.map((name, index) =>
      later((index + 0.1) / chosen.length, () => strikes[name](cast, chanceOf(seed, name, index))),
    ),
  ];
  const under: Promise<void>[] = [];
  for (const end = Date.now() + seconds * 1000; Date.now() < end;) {
    await sleep(200 + chance.below(1000));
    const victim = chance.oneOf(participants);
    under.push(chance.once(3) ? victim.kill() : victim.freeze(2000 + chance.below(1500)));
  }
  await Promise.all([...planned, ...under]);
}
