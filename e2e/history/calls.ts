import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError, ConnectionError, createClient, type Client } from '@millrace/api';
import { chanceOf, type Chance } from './chance.ts';
import { openLog, type Write } from './log.ts';

/** The settings that every participant needs. */
export interface Place {
  /** The addresses of all servers; any of them will do. */
  readonly urls: readonly string[];
  readonly token: string;
  /** The id of the token's user. */
  readonly by: number;
  readonly seed: number;
  /** Different for each life: with the seed, it decides the random choices. */
  readonly name: string;
  /** The file for the calls and their answers. */
  readonly log: string;
}

/** The means of a participant. */
export interface Hands {
  readonly by: number;
  readonly seed: number;
  readonly chance: Chance;
  readonly write: Write;
  /** One for each server. */
  readonly clients: readonly Client[];
  /** A client of one server or another, so that calls which belong together go to different ones. */
  readonly client: () => Client;
}

export function handsOf({ urls, token, by, seed, name, log }: Place): Hands {
  const chance = chanceOf(seed, name);
  const clients = urls.map((url) => createClient({ url, token }));
  return { by, seed, chance, write: openLog(log), clients, client: () => chance.oneOf(clients) };
}

/** The answer; undefined when there is none, because the server has died or stops, and nobody knows what it did. */
export async function answerOf<T>(call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await call();
  } catch (error) {
    const isLost = error instanceof ConnectionError || (error instanceof ApiError && error.status >= 500);
    if (isLost) return undefined;
    throw error;
  }
}

/** For calls that are refused when somebody else was faster. */
export function overtaken(error: unknown): void {
  if (!(error instanceof ApiError) || error.status >= 500) throw error;
}

/** Calls until there is an answer. */
export async function untilAnswered<T>(call: () => Promise<T>): Promise<T> {
  for (;;) {
    const answer = await answerOf(call);
    if (answer !== undefined) return answer;
    await sleep(100);
  }
}
