import { ApiError, toId, type Client, type Id } from '@millrace/api';
import { backOffSeconds, mayPass, pause } from './backoff.ts';
import type { Emit } from './events.ts';

/**
 * The id of the queue with this name or id. Waits for a server that cannot be reached yet.
 * @returns undefined when the signal was aborted first.
 * @throws ApiError when the credentials are refused; Error when there is no such queue.
 */
export async function findQueue(
  client: Client,
  queue: Id | string,
  emit: Emit,
  signal: AbortSignal,
): Promise<Id | undefined> {
  if (typeof queue !== 'string') return queue;
  for (let failures = 1; !signal.aborted; failures += 1) {
    try {
      return await queueNamed(client, queue, signal);
    } catch (error) {
      if (signal.aborted) return undefined;
      const isRefused = error instanceof ApiError && error.status === 401;
      if (isRefused || !mayPass(error)) throw error;
      const seconds = backOffSeconds(failures, Math.random());
      emit({ type: 'retrying', call: 'listQueues', message: (error as Error).message, seconds });
      await pause(seconds, signal);
    }
  }
  return undefined;
}

async function queueNamed(client: Client, name: string, signal: AbortSignal): Promise<Id> {
  const filter = { operator: 'eq', field: 'name', value: name };
  const { list } = await client.listQueues({ body: { filter } }, { timeoutSeconds: 30, signal });
  const found = list.find((queue) => queue.name === name) ?? list[0];
  if (found?.id !== undefined) return found.id;
  if (/^\d{1,18}$/.test(name)) return toId(name);
  throw new Error(
    `No queue is named "${name}", or the user of this runner may not see it: ` +
      'an owner of the queue adds a role of the user as consumer.',
  );
}
