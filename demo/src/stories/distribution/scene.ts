import { setTimeout as pause } from 'node:timers/promises';
import { createClient, type Client, type Id } from '@millrace/api';
import type { Stage } from '../../stage.ts';
import { startAgents, type Agents } from './agents.ts';
import { attributes, itemsFor, pools, queues, type PoolPart, type QueuePart, type Size } from './cast.ts';
import { followFeed, type Feed } from './feed.ts';
import type { Weighted } from './measures.ts';
import { until } from './until.ts';

/** The things of the story: ids by the names of its cast. */
export interface Scene {
  readonly stage: Stage;
  readonly size: Size;
  /** The person who runs queues and devices. */
  readonly anna: Client;
  readonly feed: Feed;
  readonly agents: Agents;
  readonly deviceIds: ReadonlyMap<string, Id>;
  readonly queueIds: ReadonlyMap<string, Id>;
  /** Ids of all items that the server has accepted so far. */
  readonly accepted: Id[];
  /** The times at which devices were killed. */
  readonly killed: Map<Id, number>;
}

/** Prepares queues and pools, starts the agents, and waits until all devices are there. */
export async function setScene(stage: Stage, size: Size): Promise<Scene> {
  const { server, atEnd } = stage;
  const anna = await employAnna(stage);
  const closing = new AbortController();
  atEnd(() => closing.abort());
  const feed = followFeed(server.admin, closing.signal);
  const started = await Promise.all(pools.map((pool) => startAgents(stage, pool)));
  const agents = new Map(started.flatMap((some) => [...some]));
  const queueIds = await createQueues(anna);
  const hosts = pools.flatMap((pool) => pool.hosts);
  const deviceIds = await until(stage, 'all devices are connected', async () => {
    const [gone] = [...agents].find(([, { exitCode }]) => exitCode !== null) ?? [];
    if (gone !== undefined) throw new Error(`The agent of ${gone} has ended before the story began.`);
    const { list } = await anna.listDevices();
    const there = list.filter(({ status }) => status === 'CONNECTED');
    const byHost = new Map(there.map(({ hostName, id }) => [hostName, id]));
    return byHost.size === agents.size && new Map(hosts.map((host) => [host, idOf(byHost, host)]));
  });
  for (const pool of pools) await createPool(anna, pool, { deviceIds, queueIds });
  return { stage, size, anna, feed, agents, deviceIds, queueIds, accepted: [], killed: new Map() };
}

/** Puts the items of a queue in. @returns their ids. */
export async function addItems(scene: Scene, queue: QueuePart): Promise<Id[]> {
  const { anna, queueIds, size, accepted } = scene;
  const path = { id: idOf(queueIds, queue.name) };
  const { list } = await anna.createWorkItems({ path, body: { workItems: itemsFor(queue, size) } });
  const ids = list.map(({ id }) => id as Id);
  accepted.push(...ids);
  return ids;
}

/** The queues whose devices are shared by weight. */
export function fairQueues({ queueIds }: Scene): Weighted[] {
  const names = pools.filter(({ scheme }) => scheme === 'FAIR').map(({ name }) => name);
  const fair = queues.filter(({ pool }) => names.includes(pool));
  return fair.map(({ name, weight }) => ({ queueId: idOf(queueIds, name), weight }));
}

export function hostOf({ deviceIds }: Scene, id: Id): string {
  return nameOf(deviceIds, id);
}

export function queueOf({ queueIds }: Scene, id: Id): string {
  return nameOf(queueIds, id);
}

/** Gives people some seconds to read. */
export async function readMoment({ stage, size }: Scene, seconds: number): Promise<void> {
  await pause(seconds * 1000 * size.reading, undefined, { signal: stage.signal });
}

/** @throws Error when nobody has that name. */
export function idOf(ids: ReadonlyMap<string, Id>, name: string): Id {
  const id = ids.get(name);
  if (id === undefined) throw new Error(`There is nothing with the name "${name}" in the story.`);
  return id;
}

function nameOf(ids: ReadonlyMap<string, Id>, id: Id): string {
  return [...ids].find(([, known]) => known === id)?.[0] ?? '';
}

/** A person who may do all that people do in the story, under her own name. */
async function employAnna({ server }: Stage): Promise<Client> {
  const { admin, url, password } = server;
  const names = ['AAE_Queue Admin', 'AAE_Pool Admin'];
  const { list } = await admin.listRoles();
  const roles = list.filter(({ name }) => names.includes(name)).map(({ id }) => ({ id }));
  await admin.createUser({ body: { username: 'anna', password, roles } });
  return createClient({ url, username: 'anna', password });
}

async function createQueues(anna: Client): Promise<ReadonlyMap<string, Id>> {
  const model = await anna.createWorkItemModel({ body: { name: 'Case', attributes: [...attributes] } });
  const ids = new Map<string, Id>();
  for (const { name, settings } of queues) {
    const queue = await anna.createQueue({ body: { name, workItemModelId: model.id as Id, ...settings } });
    ids.set(name, queue.id as Id);
  }
  return ids;
}

/** Makes the pool of these devices, and sends the queues that belong to it there. */
async function createPool(
  anna: Client,
  { name, scheme, hosts, bot }: PoolPart,
  { deviceIds, queueIds }: Pick<Scene, 'deviceIds' | 'queueIds'>,
): Promise<void> {
  const members = hosts.map((host) => idOf(deviceIds, host));
  const pool = await anna.createPool({ body: { name, scheme, deviceIds: members } });
  for (const queue of queues.filter((one) => one.pool === name)) {
    const { name: title, weight, labels } = queue;
    const binding = { name: title, queueId: idOf(queueIds, title), poolId: pool.id, botName: bot };
    await anna.createAutomation({ body: { ...binding, weight, labels: [...labels] } });
  }
}
