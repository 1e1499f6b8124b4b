import type { Schemas } from '@millrace/api';
import { expect, test } from 'vitest';
import { startApp } from '../testing/app.ts';
import { createQueue, eventually, type QueueFixture } from '../testing/fixtures.ts';
import { openStats } from '../testing/stream.ts';
import { addTenant } from '../testing/tenant.ts';

const app = await startApp();
const { id: ownerId, call, token } = (await createQueue(app)).owner;
const at = { url: app.url, token };

const waitingIn = ({ list }: Schemas['QueueStatsMessage'], { id }: QueueFixture) =>
  list.find(({ queueId }) => queueId === id)?.counts.NEW;

test('streamQueueStats begins with the figures of all queues, and goes on with those that change', async () => {
  const [quiet, busy] = [await createQueue(app), await createQueue(app)];
  await quiet.add(1);
  const stream = await openStats(at);
  const first = await stream.next();
  expect(first && [waitingIn(first, quiet), waitingIn(first, busy)]).toEqual([1, 0]);
  await busy.add(1, 2, 3);
  const later = await stream.until((message) => waitingIn(message, busy) === 3);
  expect(later.flatMap(({ list }) => list.map(({ queueName }) => queueName))).not.toContain(
    (await quiet.owner.call.getQueue({ path: quiet.path })).body.name,
  );
  stream.leave();
});

test('streamQueueStats goes on where a reader was', async () => {
  const [one, other] = [await createQueue(app), await createQueue(app)];
  const stream = await openStats(at, { queueIds: `${one.id},${other.id}` });
  await stream.next();
  await eventually(async () => stream.lastId(), Boolean);
  stream.leave();
  await other.add(1);
  const resumed = await openStats(at, { queueIds: `${one.id},${other.id}` }, stream.lastId());
  // Earlier changes may be sent once more, as the queues were made just now.
  const messages = await resumed.until((message) => waitingIn(message, other) === 1);
  expect(messages.flatMap(({ list }) => list.map(({ queueId }) => queueId))).toContain(other.id);
  resumed.leave();
});

test('streamQueueStats tells nobody of queues that they may not see', async () => {
  const [hidden, own] = [await createQueue(app), await createQueue(app)];
  const participant = await app.user('looker');
  const path = { ...own.path, userId: participant.id };
  await call.addOrUpdateQueueMember({ path, body: { role: 'PARTICIPANT' } });
  const stream = await openStats({ url: app.url, token: participant.token });
  const seen = [await stream.next()];
  await hidden.add(1);
  await own.add(1);
  seen.push(...(await stream.until((message) => waitingIn(message, own) === 1)));
  expect(new Set(seen.flatMap((message) => message?.list.map(({ queueId }) => queueId)))).toEqual(
    new Set([own.id]),
  );
  stream.leave();
  const { body } = await participant.call.listQueueStats();
  expect(body.list.map(({ queueId }) => queueId)).toEqual([own.id]);
});

test('streamQueueStats refuses a cursor from another database', async () => {
  const stream = await openStats(at, { after: '18446744073709551614-0' });
  expect(stream.status).toBe(400);
});

test('listQueueStats answers of many queues what getQueueStats does of each', async () => {
  const queues = [await createQueue(app), await createQueue(app), await createQueue(app)];
  await queues[0]?.add(1, 2);
  await queues[1]?.add(1, 2);
  const [item] = (await queues[1]?.claim(1)) ?? [];
  expect(item).toBeDefined();
  await queues[2]?.owner.call.pauseQueue({ path: queues[2].path, body: { reason: 'holidays' } });
  const operands = queues.map(({ id }) => ({ operator: 'eq', field: 'id', value: id }) as const);
  const { body } = await call.listQueueStats({
    body: { filter: { operator: 'or', operands }, sort: [{ field: 'id', direction: 'desc' }] },
  });
  const alone = await Promise.all(
    queues.toReversed().map(async ({ path }) => (await call.getQueueStats({ path })).body),
  );
  const ageless = (list: Schemas['QueueStats'][]) =>
    list.map(({ oldestWaitingSeconds, ...rest }) => ({ ...rest, waits: oldestWaitingSeconds !== undefined }));
  expect(ageless(body.list)).toEqual(ageless(alone));
  expect(body.page.totalFilter).toBe(3);
});

test('listQueueStats leaves archived queues out unless it is asked for them', async () => {
  const queue = await createQueue(app);
  await call.archiveQueue({ path: queue.path });
  const only = { operator: 'eq', field: 'id', value: queue.id } as const;
  expect((await call.listQueueStats({ body: { filter: only } })).body.list).toEqual([]);
  const archived = { operator: 'eq', field: 'archived', value: true } as const;
  const filter = { operator: 'and', operands: [only, archived] } as const;
  expect((await call.listQueueStats({ body: { filter } })).body.list).toMatchObject([{ queueId: queue.id }]);
});

test('listQueueStats shows another tenant nothing', async () => {
  const foreigner = await addTenant(app, 'second');
  expect((await foreigner.call.listQueueStats()).body.list).toEqual([]);
  expect(ownerId).toBeDefined();
});
