import type { App, TestUser } from '../../server/src/testing/app.ts';
import { createAutomation, createPool } from '../../server/src/testing/devices.ts';
import type { Crowd } from './crowd.ts';
import { botName } from './device.ts';
import type { Automation, Device, Stage } from './record.ts';

/** The things at the beginning, and the people who act. */
export interface Scene {
  readonly stage: Stage;
  readonly machines: readonly Machine[];
  readonly consumers: readonly TestUser[];
  readonly crowd: { readonly [P in keyof Crowd]: TestUser };
  /** Owns all queues. */
  readonly owner: TestUser;
  readonly admin: TestUser;
  /** Queues that consumers claim from by themselves. */
  readonly directQueueIds: readonly number[];
}

/** A device as it registers in each of its lives. */
export interface Machine {
  readonly hostName: string;
  readonly slots: number;
  readonly labels: readonly string[];
  readonly user: TestUser;
}

type Pool = Parameters<typeof createPool>[2] & { readonly of: readonly number[] };

const machines = [
  { slots: 1, labels: [] },
  { slots: 2, labels: ['sap'] },
  { slots: 3, labels: ['sap', 'germany'] },
  { slots: 2, labels: ['germany'] },
];

/** The pools by scheme, with their devices. */
const pools: readonly Pool[] = [
  { scheme: 'FAIR', of: [0, 1] },
  { scheme: 'PRIORITY', of: [2, 3] },
  { scheme: 'ROUND_ROBIN', timeSliceSeconds: 1, of: [1, 2, 3] },
];

type Wanted = Parameters<typeof createAutomation>[3] & {
  readonly pool: number;
  readonly runAs?: readonly number[];
};

/** One a queue, and a second for the last one. Two in pools without a common device share their run-as users. */
const automations: readonly Wanted[] = [
  { pool: 0, weight: 1 },
  { pool: 0, weight: 3, runAs: [0, 1] },
  { pool: 1, priority: 7, labels: ['germany'], runAs: [0, 1] },
  { pool: 1, priority: 3 },
  { pool: 2, labels: ['sap', 'germany'] },
  { pool: 2 },
  { pool: 1, status: 'STOPPED', statusReason: 'another one works on the queue' },
];

/** A queue without an automation, and one for each automation: one of them never retries, another waits before a retry. */
const queueSettings = [
  { autoRetryLimit: 2, lapseLimit: 0 },
  { autoRetryLimit: 2, lapseLimit: 0 },
  { autoRetryLimit: 1, lapseLimit: 1 },
  { autoRetryLimit: 2, lapseLimit: 0, retryBackOff: { type: 'FIXED' as const, seconds: 1 } },
  { autoRetryLimit: 0, lapseLimit: 2 },
  // Further devices only for a long backlog; the first one always.
  { autoRetryLimit: 2, lapseLimit: 5, reactivationThreshold: 50, reactivationUnit: 'PERCENT' as const },
  { autoRetryLimit: 1, lapseLimit: 3 },
];

export async function createScene(app: App): Promise<Scene> {
  const [owner, admin] = [await app.user('Olga'), await app.user('Alma', ['AAE_Admin'])];
  const runner = ['AAE_Bot Runner'];
  const consumers = [await app.user('Cid', runner), await app.user('Cora', runner)];
  const queues = await createQueues(owner, await roleId(app, 'AAE_Bot Runner'));
  const registered = await createDevices(app);
  const bound = await bindAutomations(app, queues.slice(1), registered.devices);
  const directQueueIds = queues.slice(0, 2).map(({ id }) => id);
  const crowd = await createCrowd(app, owner, directQueueIds);
  const strangerIds = [crowd.stranger.id];
  const stage = { queues, devices: registered.devices, automations: bound, strangerIds };
  return {
    stage,
    machines: registered.machines,
    consumers,
    crowd,
    owner,
    admin,
    directQueueIds,
  };
}

/** The stranger may do in other queues and with own devices what is forbidden here. */
async function createCrowd(app: App, owner: TestUser, queueIds: readonly number[]): Promise<Scene['crowd']> {
  const elsewhere = { name: 'Runners elsewhere', permissions: ['useQueues', 'runDevice'] };
  await app.admin.createRole({ body: elsewhere });
  const participant = await app.user('Pia');
  for (const id of queueIds)
    await owner.call.addQueueParticipant({ path: { id }, body: { userId: participant.id } });
  return {
    participant,
    consumer: await app.user('Carl', ['AAE_Bot Runner']),
    stranger: await app.user('Stan', [elsewhere.name]),
  };
}

/** Queues of one model; the first two have consumers beside devices, or instead of them. */
async function createQueues({ call }: TestUser, consumerRoleId: number): Promise<Stage['queues']> {
  const attributes = [{ name: 'customer', type: 'TEXT' as const }];
  const model = await call.createWorkItemModel({ body: { name: 'Customers', attributes } });
  const workItemModelId = Number(model.body.id);
  const made: Stage['queues'][number][] = [];
  for (const [index, settings] of queueSettings.entries()) {
    const body = { name: `Queue ${index}`, workItemModelId, ...settings };
    const id = Number((await call.createQueue({ body })).body.id);
    if (index < 2) await call.addQueueConsumer({ path: { id }, body: { roleId: consumerRoleId } });
    made.push({ id, retryLimit: settings.autoRetryLimit, lapseLimit: settings.lapseLimit });
  }
  return made;
}

async function roleId({ admin }: App, name: string): Promise<number> {
  const { body } = await admin.listRoles({
    body: { filter: { operator: 'eq', field: 'name', value: name } },
  });
  return Number(body.list[0]?.id);
}

/** The first two belong to one user. */
async function createDevices(app: App): Promise<{ devices: Device[]; machines: Machine[] }> {
  const names = ['Dan', 'Dan', 'Dora', 'Dina'];
  const users = new Map<string, TestUser>();
  for (const name of new Set(names)) users.set(name, await app.user(name, ['AAE_Bot Runner']));
  const made = machines.map((machine, index) => {
    return { ...machine, hostName: `host-${index}`, user: users.get(names[index] ?? '') as TestUser };
  });
  const devices: Device[] = [];
  for (const { user, ...machine } of made) {
    const { body } = await user.call.registerDevice({ body: { ...machine, bots: [botName] } });
    devices.push({ id: Number(body.id), slots: machine.slots, labels: machine.labels });
  }
  return { devices, machines: made };
}

async function bindAutomations(app: App, queues: Stage['queues'], devices: readonly Device[]) {
  const runAsUsers = [await app.user('SAP 1'), await app.user('SAP 2')];
  const poolIds: number[] = [];
  for (const { of, ...pool } of pools) {
    const members = of.map((index) => devices[index] as Device);
    poolIds.push(Number((await createPool(app, members, pool)).id));
  }
  const bound: Automation[] = [];
  const last = queues.length - 1;
  for (const [index, { pool, runAs = [], ...wanted }] of automations.entries()) {
    const queue = queues[Math.min(index, last)] as Stage['queues'][number];
    const runAsUserIds = runAs.map((user) => Number(runAsUsers[user]?.id));
    const binding = { ...wanted, botName, runAsUserIds };
    const { id } = await createAutomation(app, queue, { id: Number(poolIds[pool]) }, binding);
    const deviceIds = (pools[pool]?.of ?? []).map((device) => Number(devices[device]?.id));
    const labels = wanted.labels ?? [];
    bound.push({ id: Number(id), queueId: queue.id, deviceIds, labels, runAsUserIds });
  }
  return bound;
}
