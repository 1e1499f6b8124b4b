import { toId, type Client, type Id } from '@millrace/api';

/**
 * The id of the queue that an argument means. Digits are an id; anything else is a name.
 * @throws Error when the caller sees no queue with this name
 */
export async function queueIdOf(client: Client, queue: string): Promise<Id> {
  if (/^\d{1,19}$/.test(queue)) return toId(queue);
  const filter = { operator: 'eq', field: 'name', value: queue };
  const { list } = await client.listQueues({ body: { filter } }, { timeoutSeconds: 60 });
  const id = list.find(({ name }) => name === queue)?.id;
  if (id !== undefined) return id;
  throw new Error(
    `No queue is named "${queue}", or you may not see it. \`millrace queue list\` shows those you may see.`,
  );
}
