import { setMaxListeners } from 'node:events';
import type { Client, Schemas } from '@millrace/api';

type Item = Schemas['WorkItem'];

/** Devices that wait for work, each with a call open, and queues whose items go to them. */
export interface Fleet {
  readonly queueIds: readonly number[];
  /** Called with each item that begins on a device. */
  onItem: (item: Item) => void;
  /** The number of calls by devices for work. */
  asked: number;
  stop(): void;
}

const bot = 'bot';
const waitSeconds = 60;

/** Registers the devices in pools, with some queues for each pool, and has them wait; resolves when all have asked once. */
export async function startFleet(
  client: Client,
  size: { devices: number; pools: number; queuesPerPool: number },
): Promise<Fleet> {
  const deviceIds: number[] = [];
  for (let index = 0; index < size.devices; index += 1) {
    const device = await client.registerDevice({ body: { hostName: `device-${index}`, bots: [bot] } });
    deviceIds.push(Number(device.id));
  }
  const attributes = [{ name: 'number', type: 'TEXT' as const }];
  const model = await client.createWorkItemModel({ body: { name: 'Invoice', attributes } });
  const queueIds: number[] = [];
  for (let index = 0; index < size.pools; index += 1) {
    const mine = deviceIds.filter((_, place) => place % size.pools === index);
    const pool = await client.createPool({ body: { name: `Pool ${index}`, deviceIds: mine } });
    for (let turn = 0; turn < size.queuesPerPool; turn += 1) {
      const name = `Queue ${index}.${turn}`;
      const { id } = await client.createQueue({ body: { name, workItemModelId: model.id as number } });
      const binding = { name, queueId: id as number, poolId: pool.id, botName: bot };
      await client.createAutomation({ body: binding });
      queueIds.push(Number(id));
    }
  }
  return keepWaiting(client, deviceIds, queueIds);
}

function keepWaiting(client: Client, deviceIds: readonly number[], queueIds: readonly number[]): Fleet {
  const closing = new AbortController();
  setMaxListeners(deviceIds.length * 2, closing.signal);
  const fleet: Fleet = { queueIds, onItem: () => undefined, asked: 0, stop: () => closing.abort() };
  for (const [place, id] of deviceIds.entries()) {
    // As if they had been started one after the other: their calls end and begin again all through a minute.
    const first = 1 + (waitSeconds * place) / deviceIds.length;
    void ask(client, fleet, { id, first, signal: closing.signal });
  }
  return fleet;
}

async function ask(
  client: Client,
  fleet: Fleet,
  { id, first, signal }: { id: number; first: number; signal: AbortSignal },
): Promise<void> {
  for (let seconds = first; !signal.aborted; seconds = waitSeconds) {
    fleet.asked += 1;
    const call = { path: { id }, body: { waitSeconds: Math.min(seconds, waitSeconds) } };
    const { list } = await client.requestWork(call, { signal }).catch(() => ({ list: [] }));
    for (const item of list) {
      fleet.onItem(item);
      await finish(client, item);
    }
  }
}

async function finish(client: Client, { id, version, queueId }: Item): Promise<void> {
  const results = [{ id: id as number, version: version as number, status: 'COMPLETE' as const }];
  await client.finishWorkItems({ path: { id: Number(queueId) }, body: { results } });
}
