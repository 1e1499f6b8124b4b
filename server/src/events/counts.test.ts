import type { Schemas } from '@millrace/api';
import { beforeAll, describe, expect, it } from 'vitest';
import { startApp, type App, type Caller } from '../testing/app.ts';
import { createQueue } from '../testing/fixtures.ts';

let app: App;

beforeAll(async () => {
  app = await startApp();
});

type Query = Parameters<Caller['countEvents']>[0] extends { query?: infer Q } | undefined ? Q : never;

async function count(call: Caller, query: Query = {}): Promise<Schemas['EventCounts']> {
  const { status, body, error } = await call.countEvents({ query });
  expect(status, JSON.stringify(error)).toBe(200);
  return body;
}

const total = ({ list }: Schemas['EventCounts']) => list.reduce((sum, one) => sum + Number(one.count), 0);
const filled = ({ list }: Schemas['EventCounts']) => list.filter((one) => Number(one.count) > 0);

describe('countEvents', () => {
  it('countEvents counts as many events as listEvents lists, by each of its filters', async () => {
    const queue = await createQueue(app);
    const { id: queueId } = queue;
    const [item] = await queue.add(1, 2, 3);
    const deviceId = await queue.device();
    await queue.claim(1, { deviceId });
    const filters: Query[] = [
      { queueId },
      { queueIds: `${queueId}` },
      { queueId, itemId: Number(item?.id) },
      { queueId, operation: 'createWorkItems,claimWorkItems' },
      { queueId, actorKind: 'RUNNER' },
      { queueId, actorId: queue.owner.id },
      { deviceId },
    ];
    for (const query of filters) {
      const { list } = (await app.admin.listEvents({ query: { ...query, limit: 1000 } })).body;
      const counts = await count(app.admin, query);
      expect(list.length).toBeGreaterThan(0);
      expect(total(counts), JSON.stringify(query)).toBe(list.length);
      expect(counts.list.some(({ isEstimated }) => isEstimated)).toBe(false);
    }
  });

  it('countEvents counts by spans of the time range, and nothing outside of it', async () => {
    const queue = await createQueue(app);
    const times = ['08:00:00', '08:00:30', '08:01:00', '08:59:59.999', '09:00:00'];
    // Older events have a lower transaction.
    for (const [index, time] of times.entries())
      await app.sql(
        `insert into events (tenant_id, queue_id, item_id, operation, actor_id, at, tx)
         select tenant_id, id, 1, 'createWorkItems', 0, $2, $3::text::xid8 from queues where id = $1`,
        [queue.id, `2026-01-01T${time}Z`, 100 + index],
      );
    const range = { from: '2026-01-01T08:00:30Z', until: '2026-01-01T09:00:00Z' };
    const counts = await count(app.admin, { queueId: queue.id, operation: 'createWorkItems', ...range });
    expect(counts).toMatchObject({
      step: 60,
      from: '2026-01-01T08:00:00.000Z',
      until: '2026-01-01T09:00:00.000Z',
    });
    expect(counts.list).toHaveLength(60);
    expect(filled(counts)).toEqual([
      { from: '2026-01-01T08:00:00.000Z', count: 1 },
      { from: '2026-01-01T08:01:00.000Z', count: 1 },
      { from: '2026-01-01T08:59:00.000Z', count: 1 },
    ]);
  });

  it('countEvents counts for a user what they may see, and answers 404 for a queue of others', async () => {
    const [own, other] = [await createQueue(app), await createQueue(app)];
    await other.add(1, 2);
    const member = await app.user('member of one queue', ['AAE_Basic']);
    const path = { id: own.id, userId: member.id };
    await app.admin.addOrUpdateQueueMember({ path, body: { role: 'MEMBER' } });
    const { list } = (await member.call.listEvents({ query: { limit: 1000 } })).body;
    expect(total(await count(member.call))).toBe(list.length);
    expect(list.length).toBeGreaterThan(0);
    expect(list.length).toBeLessThan(total(await count(app.admin)));
    expect((await member.call.countEvents({ query: { queueId: other.id } })).status).toBe(404);
  });

  it('countEvents refuses what contradicts itself, a range that is over before it begins, and one that is too long', async () => {
    const refused = async (query: Query) => {
      const { status, error } = await app.admin.countEvents({ query });
      return [status, error.details?.[0]?.field];
    };
    expect(await refused({ itemId: 1 })).toEqual([400, 'itemId']);
    expect(await refused({ queueId: 1, queueIds: '1,2' })).toEqual([400, 'queueIds']);
    expect(await refused({ from: '2026-02-01T00:00:00Z', until: '2026-01-01T00:00:00Z' })).toEqual([
      400,
      'until',
    ]);
    expect(await refused({ from: '2000-01-01T00:00:00Z' })).toEqual([400, 'from']);
  });
});

describe('countEvents of many events', () => {
  const perHour = 6000;

  it('countEvents counts the newest one by one, and estimates older spans by their first events and says so', async () => {
    const large = await startApp();
    const queue = await createQueue(large);
    // Ten hours, two hundred events a transaction; every third is a claim. Older events have the lower transactions.
    await large.sql(
      `insert into events (tenant_id, queue_id, item_id, operation, actor_id, at, tx)
       select tenant_id, id, n, case when n % 3 = 0 then 'claimWorkItems' else 'createWorkItems' end, 0,
         timestamptz '2026-01-01T00:00:00Z' + n * interval '0.6 s', (100 + n / 200)::text::xid8
       from queues, generate_series(0, $2::int - 1) n where id = $1`,
      [queue.id, 10 * perHour],
    );
    const range = { from: '2026-01-01T00:00:00Z', until: '2026-01-01T10:00:00Z' };
    const { step, list } = await count(large.admin, {
      queueId: queue.id,
      operation: 'claimWorkItems',
      ...range,
    });
    expect([step, list.length]).toEqual([300, 120]);
    const perSpan = perHour / 12 / 3;
    for (const one of list) expect(Math.abs(Number(one.count) - perSpan)).toBeLessThan(perSpan / 10);
    // Twenty thousand events are those of the last three hours and a third; the span that they begin in may have more.
    expect(list.map(({ isEstimated = false }) => isEstimated)).toEqual(list.map((_, index) => index <= 80));
    const none = await count(large.admin, { queueId: queue.id, operation: 'deleteWorkItem', ...range });
    expect(total(none)).toBe(0);
  });
});
