import { call } from '../connection/client.ts';
import type { Request } from '../connection/request.ts';
import { readAnew } from '../live/effects.ts';

/** Makes a call that changes nothing, such as a trial. */
export function tryOut({ operationId, input }: Request): Promise<unknown> {
  return call(operationId, input as never);
}

/**
 * Makes calls one after the other, and has what is on screen read anew.
 * @param leave goes away from the page of what is gone then, before anybody asks for it
 * @returns the answers
 */
export async function carryOut(
  requests: readonly Request[],
  leave?: () => Promise<unknown>,
): Promise<unknown[]> {
  const answers: unknown[] = [];
  for (const { operationId, input } of requests) answers.push(await call(operationId, input as never));
  await leave?.();
  void readAnew();
  return answers;
}
