import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError, ConnectionError, createClient, type Client } from '@millrace/api';

/** What a client of these histories needs to know. */
export interface Place {
  readonly url: string;
  readonly token: string;
  readonly queueId: number;
  /** File to write down in what it is told. */
  readonly log: string;
}

export function clientOf({ url, token }: Place): Client {
  return createClient({ url, token });
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

/** Calls until there is an answer. */
export async function untilAnswered<T>(call: () => Promise<T>): Promise<T> {
  for (;;) {
    const answer = await answerOf(call);
    if (answer !== undefined) return answer;
    await sleep(100);
  }
}

/** A whole number from 0 to below the limit. */
export function random(limit: number): number {
  return Math.floor(Math.random() * limit);
}

/** One of these, each as likely. */
export function oneOf<T>(choices: readonly T[]): T {
  return choices[random(choices.length)] as T;
}
