import { call, session } from '../connection/client.ts';
import type { Request } from '../connection/request.ts';
import { readAnew, standingStill } from '../live/effects.ts';

export function isLoggedIn(): boolean {
  return session.get().state !== 'none';
}

/** Makes a call that changes nothing, such as a trial. */
export function tryOut({ operationId, input }: Request): Promise<unknown> {
  return call(operationId, input as never);
}

/** Makes calls one after the other, then refreshes what is on screen. @returns the answers */
export async function carryOut(requests: readonly Request[]): Promise<unknown[]> {
  const answers = await callEach(requests);
  void readAnew();
  return answers;
}

/** Makes a call that deletes the subject of the page, and leaves that page before anything asks for it again. */
export async function remove(request: Request, leave: () => Promise<unknown>): Promise<void> {
  await standingStill(async () => {
    await callEach([request]);
    await leave();
  });
}

async function callEach(requests: readonly Request[]): Promise<unknown[]> {
  const answers: unknown[] = [];
  for (const { operationId, input } of requests) answers.push(await call(operationId, input as never));
  return answers;
}
