import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import type { Schemas } from '@millrace/api';
import { startApp, type App, type TestUser } from '../testing/app.ts';
import { createAutomation, createPool } from '../testing/devices.ts';
import { complete, createDevice, type DeviceFixture } from '../testing/dispatch.ts';
import { createQueue, type QueueFixture } from '../testing/fixtures.ts';

let app: App;
let agent: TestUser;
let runAsUsers: readonly number[];

beforeAll(async () => {
  app = await startApp();
  agent = await app.user('agent', ['AAE_Bot Runner']);
  runAsUsers = [agent.id, (await app.user('robot')).id];
});

/** The pools, devices and automations at the beginning of a run, each named by its number. */
interface Layout {
  readonly schemes: readonly Schemas['Pool']['scheme'][];
  readonly devices: readonly { slots: number; labels: string[]; pools: number[] }[];
  /** Each with a queue of its own. */
  readonly automations: readonly { pool: number; labels: string[]; runAs: number[] }[];
}

type Action =
  | { readonly name: 'add'; readonly queue: number; readonly count: number }
  | { readonly name: 'finish' | 'switchDevice'; readonly nth: number }
  | { readonly name: 'switchQueue' | 'switchAutomation'; readonly queue: number }
  | { readonly name: 'label'; readonly nth: number; readonly labels: string[] };

interface Line {
  readonly queue: QueueFixture;
  readonly automationId: number;
}

interface Setup {
  readonly lines: readonly Line[];
  readonly devices: readonly DeviceFixture[];
  /** Items in progress on devices. */
  readonly held: Schemas['WorkItem'][];
}

async function build({ schemes, devices, automations }: Layout): Promise<Setup> {
  const made: DeviceFixture[] = [];
  for (const { slots, labels } of devices) made.push(await createDevice(agent, { slots, labels }));
  const pools: Schemas['Pool'][] = [];
  for (const [index, scheme] of schemes.entries()) {
    const members = made.filter((_, nth) => devices[nth]?.pools.includes(index));
    pools.push(
      await createPool(
        app,
        members.map(({ device }) => device),
        { scheme },
      ),
    );
  }
  const lines: Line[] = [];
  const users = runAsUsers;
  for (const { pool, labels, runAs } of automations) {
    const queue = await createQueue(app);
    const runAsUserIds = runAs.map((index) => users[index] as number);
    const bound = await createAutomation(app, queue, pools[pool] as never, { labels, runAsUserIds });
    lines.push({ queue, automationId: Number(bound.id) });
  }
  return { lines, devices: made, held: [] };
}

/** Has the device ask for work again and again, like its agent, until the signal aborts. */
async function keepAsking({ held }: Setup, { path }: DeviceFixture, stopped: AbortSignal): Promise<void> {
  const body = { waitSeconds: 60, leaseSeconds: 3600 };
  while (!stopped.aborted) {
    const answer = await agent.call.requestWork({ path, body }, { signal: stopped }).catch(() => undefined);
    held.push(...(answer?.body.list ?? []));
    // A device that is drained is answered without waiting.
    if (answer?.body.list.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function act(setup: Setup, action: Action): Promise<void> {
  const { lines, devices, held } = setup;
  const around = <T>(list: readonly T[], nth: number) => list[nth % list.length] as T;
  switch (action.name) {
    case 'add':
      await around(lines, action.queue).queue.add(...Array.from({ length: action.count }, (_, n) => n));
      return;
    case 'finish':
      if (held.length > 0) await complete(agent, held.splice(action.nth % held.length, 1));
      return;
    case 'switchQueue':
      return switchQueue(around(lines, action.queue));
    case 'switchAutomation':
      return switchAutomation(around(lines, action.queue));
    case 'switchDevice':
      return switchDevice(around(devices, action.nth));
    case 'label': {
      const { path } = around(devices, action.nth);
      const { version } = (await app.admin.getDevice({ path })).body;
      await app.admin.updateDevice({ path, body: { version, labels: action.labels } });
    }
  }
}

async function switchQueue({ queue: { owner, path } }: Line): Promise<void> {
  const { status } = (await owner.call.getQueue({ path })).body;
  if (status === 'ACTIVE') await owner.call.pauseQueue({ path, body: { reason: 'month end' } });
  else await owner.call.resumeQueue({ path, body: {} });
}

async function switchAutomation({ automationId }: Line): Promise<void> {
  const path = { id: automationId };
  const { version, status } = (await app.admin.getAutomation({ path })).body;
  const change =
    status === 'ACTIVE'
      ? ({ status: 'PAUSED', statusReason: 'month end' } as const)
      : ({ status: 'ACTIVE' } as const);
  expect((await app.admin.updateAutomation({ path, body: { version, ...change } })).status).toBe(200);
}

async function switchDevice({ path }: DeviceFixture): Promise<void> {
  const { state } = (await app.admin.getDevice({ path })).body;
  if (state === 'ACTIVE') await app.admin.drainDevice({ path, body: { reason: 'patch' } });
  else await app.admin.resumeDevice({ path });
}

/** Each automation with a waiting item and a device that could begin it: read in one moment, from the items themselves. */
function coexisting({ lines }: Setup) {
  return app.sql(
    `select a.id::int as automation, d.id::int as device
     from automations a join queues q on q.id = a.queue_id
       join pool_devices pd on pd.pool_id = a.pool_id join devices d on d.id = pd.device_id
     where a.id = any($1) and a.status = 'ACTIVE' and q.status = 'ACTIVE' and d.state = 'ACTIVE'
       and exists (select from work_items i where i.queue_id = q.id and i.status = 'NEW')
       and a.labels <@ d.labels and a.bot_name = any(d.bots)
       and d.slots > (select count(*) from work_items i where i.status = 'IN_PROGRESS' and i.device_id = d.id)
       and (not exists (select from automation_run_as_users r where r.automation_id = a.id)
         or exists (select from automation_run_as_users r where r.automation_id = a.id and not exists (
           select from work_items i where i.status = 'IN_PROGRESS' and i.run_as_user_id = r.user_id)))`,
    [lines.map(({ automationId }) => automationId)],
  );
}

const labels = fc.subarray(['sap', 'web']);
const nth = fc.nat({ max: 9 });

const layout: fc.Arbitrary<Layout> = fc.record({
  schemes: fc.tuple(...[0, 1].map(() => fc.constantFrom('ROUND_ROBIN', 'PRIORITY', 'FAIR'))),
  devices: fc.array(
    fc.record({
      slots: fc.integer({ min: 1, max: 2 }),
      labels,
      pools: fc.subarray([0, 1], { minLength: 1 }),
    }),
    { minLength: 2, maxLength: 4 },
  ),
  automations: fc.array(
    fc.record({
      pool: fc.nat({ max: 1 }),
      labels: fc.subarray(['sap', 'web'], { maxLength: 1 }),
      runAs: fc.subarray([0, 1]),
    }),
    { minLength: 2, maxLength: 4 },
  ),
});

const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      name: fc.constant('add'),
      queue: nth,
      count: fc.integer({ min: 1, max: 3 }),
    }),
  },
  { weight: 6, arbitrary: fc.record({ name: fc.constant('finish'), nth }) },
  { weight: 1, arbitrary: fc.record({ name: fc.constant('switchDevice'), nth }) },
  {
    weight: 2,
    arbitrary: fc.record({ name: fc.constantFrom('switchQueue', 'switchAutomation'), queue: nth }),
  },
  { weight: 2, arbitrary: fc.record({ name: fc.constant('label'), nth, labels }) },
);

/** A failure prints its seed and path; put here, they reproduce it. */
const replay: fc.Parameters<[Layout, Action[]]> = {};

// A failure is printed as found: the search for a smaller one would take minutes.
const limits = { numRuns: 5, endOnFailure: true };

test('requestWork lets nothing wait while a device that suits is idle, whatever comes, ends, stops and changes', async () => {
  await fc.assert(
    fc.asyncProperty(layout, fc.array(action, { minLength: 10, maxLength: 30 }), async (chosen, actions) => {
      const setup = await build(chosen);
      const stop = new AbortController();
      const asking = setup.devices.map((device) => keepAsking(setup, device, stop.signal));
      try {
        for (const step of actions) {
          await act(setup, step);
          await expect.poll(() => coexisting(setup), { interval: 10 }).toEqual([]);
        }
      } finally {
        stop.abort();
        await Promise.all(asking);
        // The run-as users are free for the next run.
        await complete(agent, setup.held);
      }
    }),
    { ...limits, ...replay },
  );
});
