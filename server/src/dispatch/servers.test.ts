import type { Schemas } from '@millrace/api';
import { beforeAll, describe, expect, test } from 'vitest';
import { createDatabase, startApp, type App, type TestUser } from '../testing/app.ts';
import { complete, createDevice, createLine } from '../testing/dispatch.ts';

let here: App;
/** The same user, at each of two servers on one database. */
let agents: readonly [Pick<TestUser, 'call'>, Pick<TestUser, 'call'>];

beforeAll(async () => {
  const database = await createDatabase();
  here = await startApp({}, database);
  const there = await startApp({}, database);
  const agent = await here.user('agent', ['AAE_Bot Runner']);
  agents = [agent, { call: there.as(agent.token) }];
});

const many = (count: number) => Array.from({ length: count }, (_, index) => index);

const tooMany = `
  select d.id from runs r join devices d on d.id = r.device_id group by d.id having count(*) > d.slots
  union all select run_as_user_id from runs where run_as_user_id is not null
    group by run_as_user_id having count(*) > 1`;

describe('requestWork at two servers on one database', () => {
  test('requestWork exceeds neither slots nor run-as users, and grants each item once', async () => {
    const robots = await Promise.all(many(3).map((index) => here.user(`robot ${index}`)));
    const runners = await Promise.all(many(6).map(() => createDevice(agents[0], { slots: 2 })));
    const { lines } = await createLine(here, runners, { queues: 3 }, (index) =>
      index === 0 ? {} : { runAsUserIds: robots.map(({ id }) => id) },
    );
    for (const { queue } of lines) await queue.add(...many(40));
    const done: Schemas['WorkItem'][] = [];
    const work = async (index: number) => {
      const agent = agents[index % 2] as (typeof agents)[0];
      const { path } = runners[index % runners.length] as (typeof runners)[0];
      while (done.length < 120) {
        const { status, body, error } = await agent.call.requestWork({
          path,
          body: { count: 1, waitSeconds: 0.1 },
        });
        expect(status, JSON.stringify(error)).toBe(200);
        expect(await here.sql(tooMany)).toEqual([]);
        await complete(agent, body.list);
        done.push(...body.list);
      }
    };
    // Four calls for the two slots of each device, from both servers.
    await Promise.all(many(24).map(work));
    expect(new Set(done.map(({ id }) => id)).size).toBe(120);
    expect(await here.sql('select from runs')).toEqual([]);
  });

  test('requestWork goes on at one server where the scheme has come to at the other', async () => {
    const runner = await createDevice(agents[0]);
    const { lines } = await createLine(here, [runner], { queues: 3, scheme: 'FAIR' });
    for (const { queue } of lines) await queue.add(...many(4));
    const served: unknown[] = [];
    for (const turn of many(12)) {
      const agent = agents[turn % 2] as (typeof agents)[0];
      const { body } = await agent.call.requestWork({ path: runner.path });
      served.push(...body.list.map(({ queueId }) => queueId));
      await complete(agent, body.list);
    }
    const order = lines.map(({ queue }) => queue.id);
    expect(served).toEqual([...order, ...order, ...order, ...order]);
  });

  test('requestWork that waits at one server hears of what happens at the other', async () => {
    const runner = await createDevice(agents[0]);
    const { lines } = await createLine(here, [runner]);
    for (const turn of many(12)) {
      const call = agents[1].call.requestWork({ path: runner.path, body: { waitSeconds: 60 } });
      await agents[1].call.requestWork({ path: runner.path });
      await lines[0]?.queue.add(turn);
      const { body } = await call;
      expect(body.list).toHaveLength(1);
      await complete(agents[1], body.list);
    }
  });
});
