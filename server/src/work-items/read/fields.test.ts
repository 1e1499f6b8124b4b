import type { Schemas } from '@millrace/api';
import { beforeAll, expect, test } from 'vitest';
import { startApp } from '../../testing/app.ts';
import { createDevice, createLine } from '../../testing/dispatch.ts';
import type { QueueFixture } from '../../testing/fixtures.ts';
import { held, pathOf, read } from '../../testing/work.ts';

const app = await startApp();
let queue: QueueFixture;
/** An item that a device runs under a user, past its point of no return, to be cancelled; and one that waits. */
let running: Schemas['WorkItem'];
let waiting: Schemas['WorkItem'];

beforeAll(async () => {
  const agent = await app.user('agent', ['AAE_Bot Runner']);
  const runner = await createDevice(agent);
  const runAs = await app.user('account');
  const made = await createLine(app, [runner], {}, () => ({ runAsUserIds: [runAs.id] }));
  ({ queue } = made.lines[0] as (typeof made.lines)[0]);
  await queue.add(1, 2);
  const [item] = await runner.ask();
  const leases = [{ ...held(item), pointOfNoReturn: true } as const];
  await agent.call.heartbeatWorkItems({ path: queue.path, body: { leases } });
  await queue.owner.call.cancelWorkItem({ path: pathOf(queue, item), body: {} });
  running = await read(queue, item);
  [waiting] = (
    await queue.owner.call.listWorkItems({ path: queue.path, body: { sort: [] } })
  ).body.list.filter(({ id }) => id !== item?.id) as [Schemas['WorkItem']];
  const times = `not_before = '2099-01-01', expires_on = '2099-02-01'`;
  await app.sql(`update work_items set ${times} where id = $1`, [waiting.id]);
  waiting = await read(queue, waiting);
});

test.each(['automationId', 'deviceId', 'deviceUserId', 'pointOfNoReturnOn', 'cancelRequestedOn'] as const)(
  'listWorkItems finds a running item by its %s',
  async (field) => {
    expect(running[field]).toBeDefined();
    expect(await found({ operator: 'eq', field, value: String(running[field]) })).toEqual([running.id]);
  },
);

test.each(['notBefore', 'expiresOn'] as const)(
  'listWorkItems finds a waiting item by its %s',
  async (field) => {
    expect(waiting[field]).toBeDefined();
    expect(await found({ operator: 'eq', field, value: String(waiting[field]) })).toEqual([waiting.id]);
  },
);

test('listWorkItems finds items by who created and who changed them', async () => {
  for (const field of ['createdBy', 'updatedBy']) {
    expect(await found({ operator: 'eq', field, value: queue.owner.id })).toEqual([running.id, waiting.id]);
    expect(await found({ operator: 'ne', field, value: queue.owner.id })).toEqual([]);
  }
});

async function found(filter: object) {
  const { status, body, error } = await queue.owner.call.listWorkItems({
    path: queue.path,
    body: { filter } as Schemas['ListRequest'],
  });
  expect(status, JSON.stringify(error)).toBe(200);
  return body.list.map(({ id }) => id);
}
