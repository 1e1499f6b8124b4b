import type { Schemas } from '@millrace/api';
import { describe, expect, test } from 'vitest';
import { startApp } from '../../testing/app.ts';
import { createQueue, type QueueFixture } from '../../testing/fixtures.ts';
import { finish, held, pathOf, read } from '../../testing/work.ts';

const app = await startApp();

/** The whole timeline, read in parts with a greatest number of events. */
async function partsOf(queue: QueueFixture, item: Schemas['WorkItem'] | undefined, limit?: number) {
  const parts: Schemas['WorkItemEvents'][] = [];
  for (let after = 0; ;) {
    const query = { after, ...(limit !== undefined && { limit }) };
    const { body } = await queue.owner.call.listWorkItemEvents({ path: pathOf(queue, item), query });
    parts.push(body);
    if (!body.isMore) return parts;
    after = Number(body.list.at(-1)?.id);
  }
}

const operationsOf = (parts: Schemas['WorkItemEvents'][]) =>
  parts.map(({ list }) => list.map(({ operation }) => operation));

describe('listWorkItemEvents', () => {
  test('listWorkItemEvents goes on behind the last event of the part before, through all queues where the item was', async () => {
    const queue = await createQueue(app);
    const [item] = await queue.add(1);
    const model = (await queue.owner.call.getQueue({ path: queue.path })).body.workItemModelId;
    const other = await queue.owner.call.createQueue({
      body: { name: `Other ${queue.id}`, workItemModelId: Number(model) },
    });
    const move = (from: number, to: number) =>
      queue.owner.call.updateWorkItemStatus({
        path: { id: from },
        body: { action: 'MOVE', ids: [item?.id], queueId: to } as never,
      });
    const otherId = Number(other.body.id);
    await move(queue.id, otherId);
    await move(otherId, queue.id);
    const [all] = await partsOf(queue, item);
    const parts = await partsOf(queue, item, 2);
    expect(parts.flatMap(({ list }) => list)).toEqual(all?.list);
    expect(parts.map(({ list }) => list.length)).toEqual([2, 2, 1]);
    expect(operationsOf(parts).flat().at(0)).toBe('createWorkItems');
  });

  test('listWorkItemEvents answers about 4 MB of large events at a time', async () => {
    const queue = await createQueue(app);
    await queue.add(1);
    let [item] = await queue.claim();
    for (let step = 0; step < 6; step += 1) {
      const body = { ...held(item), queueId: queue.id, output: { text: 'y'.repeat(990_000) } };
      item = (await queue.consumer.call.updateWorkItem({ path: pathOf(queue, item), body })).body;
    }
    const parts = await partsOf(queue, item);
    expect(parts.map(({ list }) => list.length)).toEqual([7, 1]);
  });

  test('listWorkItemEvents knows no item that has no timeline', async () => {
    const queue = await createQueue(app);
    const { status } = await queue.owner.call.listWorkItemEvents({ path: pathOf(queue, { id: 987_654 }) });
    expect(status).toBe(404);
  });
});

describe('getWorkItem', () => {
  test('getWorkItem shows the newest 100 attempts under their numbers', async () => {
    const queue = await createQueue(app);
    await queue.add(1);
    const [first] = await queue.claim();
    await finish(queue, { ...held(first), status: 'NEW' });
    await app.sql(
      `insert into events (tenant_id, queue_id, item_id, operation, actor_id, from_status, to_status, changes, at, tx)
       select e.tenant_id, e.queue_id, e.item_id, e.operation, e.actor_id, e.from_status, e.to_status, e.changes, e.at, e.tx
       from generate_series(1, 119) n, events e where e.queue_id = $1 and e.to_status is distinct from e.from_status
         and 'IN_PROGRESS' in (e.from_status, e.to_status) order by n, e.id`,
      [queue.id],
    );
    const [last] = await queue.claim();
    const attempts = (await read(queue, last)).attempts ?? [];
    expect([attempts.length, attempts[0]?.number, attempts.at(-1)?.number]).toEqual([100, 22, 121]);
    expect(attempts[0]?.outcome).toBe('GIVEN_BACK');
    expect(attempts.at(-1)).not.toHaveProperty('endedOn');
  });
});
