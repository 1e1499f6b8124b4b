import type { Schemas } from '@millrace/api';
import type { App } from './app.ts';
import type { QueueFixture } from './fixtures.ts';

type Item = Schemas['WorkItem'] | undefined;

/** The lease of an item, as sent by its holder. */
export const held = (item: Item) => ({ id: item?.id as number, version: item?.version as number });

/** The path parameters of operations on an item. */
export const pathOf = (queue: QueueFixture, item: Item) => ({
  ...queue.path,
  workItemId: item?.id as number,
});

/** The item as read by its owner. */
export async function read(queue: QueueFixture, item: Item): Promise<Schemas['WorkItem']> {
  return (await queue.owner.call.getWorkItem({ path: pathOf(queue, item) })).body;
}

/** The events of the item, oldest first. */
export async function timeline(queue: QueueFixture, item: Item): Promise<Schemas['WorkItemEvent'][]> {
  return (await queue.owner.call.listWorkItemEvents({ path: pathOf(queue, item) })).body.list;
}

/** Reports as the consumer of the queue; returns the outcomes. */
export async function finish(queue: QueueFixture, ...results: Schemas['WorkItemReport'][]) {
  return (await queue.consumer.call.finishWorkItems({ path: queue.path, body: { results } })).body.list;
}

/** Sends heartbeats as the consumer of the queue; returns the outcomes. */
export async function beat(queue: QueueFixture, ...leases: Schemas['Lease'][]) {
  return (await queue.consumer.call.heartbeatWorkItems({ path: queue.path, body: { leases } })).body.list;
}

/** Lets the lease of an item expire; the job of the server notices it soon. */
export async function letLeaseExpire(app: App, item: Item): Promise<void> {
  await app.sql('update work_items set lease_expires_on = now() where id = $1', [item?.id]);
}
