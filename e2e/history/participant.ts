import { once } from 'node:events';
import type { Readable } from 'node:stream';
import type { Place } from './calls.ts';
import { end, freeze, start } from './processes.ts';

/** A participant in a process of its own, with a new life after each death. */
export interface Participant {
  /** The first life has begun. */
  readonly begun: Promise<unknown>;
  readonly kill: () => Promise<void>;
  readonly freeze: (milliseconds: number) => Promise<void>;
}

type Role = 'runDevice' | 'consume' | 'readFeed';

/** @param placeIn the place for each life, counted from 1. */
export function runParticipant(role: Role, placeIn: (life: number) => Place): Participant {
  let life = 0;
  const begin = () => start(['e2e/participant.fixture.ts', role, JSON.stringify(placeIn((life += 1)))]);
  let child = begin();
  const begun = once(child.stdout as Readable, 'data');
  const kill = async () => {
    await end(child, 'SIGKILL');
    child = begin();
  };
  return { begun, kill, freeze: (milliseconds) => freeze(child, milliseconds) };
}
