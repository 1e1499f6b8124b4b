import { toId, type Client, type Id } from '@millrace/api';
import type { Emit } from './events.ts';
import { untilAnswered } from './persist.ts';

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
  return untilAnswered('listQueues', () => queueNamed(client, queue, signal), emit, signal);
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
