/**
 * `npm run bench:devices`: the cost of a thousand connected devices that have nothing to do, as a share of one processor core; and the wait
 * of an item that comes while they are idle. Signed in, on disk, each device with a call open.
 */
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createClient, type Client } from '@millrace/api';
import pg from 'pg';
import { startPostgres } from '../server/src/postgres/supervisor.ts';
import { start, stopAll } from './children.ts';
import { cpuSeconds } from './cpu.ts';
import { startFleet, type Fleet } from './fleet.ts';
import { postmasterOf } from './stage.ts';

const size = { devices: Number(process.argv[2] ?? 1000), pools: 4, queuesPerPool: 5 };
const seconds = 60;
const items = 200;
const password = 'a password for the bench';

async function main(): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'millrace-bench-'));
  const postgres = await startPostgres({ dataFolder: folder, log: () => undefined });
  const children: ChildProcess[] = [];
  try {
    const url = await start(children, 'serve.ts', [JSON.stringify(postgres.connection), password]);
    const client = createClient({ url, username: 'admin', password });
    process.stderr.write(`registering ${size.devices} devices\n`);
    const fleet = await startFleet(client, size);
    const asking = new pg.Client(postgres.connection);
    await asking.connect();
    const database = await postmasterOf(asking);
    await asking.end();
    report(await idle(fleet, children[0]?.pid ?? 0, database), await latencies(client, fleet));
    fleet.stop();
  } finally {
    await stopAll(children);
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

interface Idle {
  readonly server: number;
  readonly database: number;
  readonly asked: number;
}

/** Shares of a core that server and database use while nothing happens. */
async function idle(fleet: Fleet, server: number, database: number): Promise<Idle> {
  process.stderr.write(`letting them settle, then measuring for ${seconds} s\n`);
  await pause(10_000);
  const before = [await cpuSeconds(server), await cpuSeconds(database), fleet.asked] as const;
  await pause(seconds * 1000);
  const share = async (id: number, used: number) => ((await cpuSeconds(id)) - used) / seconds;
  return {
    server: await share(server, before[0]),
    database: await share(database, before[1]),
    asked: fleet.asked - before[2],
  };
}

/** Milliseconds from sending an item to its arrival at a device, one item after the other. */
async function latencies(client: Client, fleet: Fleet): Promise<number[]> {
  const taken: number[] = [];
  for (let index = 0; index < items; index += 1) {
    const id = fleet.queueIds[index % fleet.queueIds.length] ?? 0;
    const arrived = new Promise<void>((resolve) => (fleet.onItem = () => resolve()));
    const sent = performance.now();
    await client.createWorkItems({
      path: { id },
      body: { workItems: [{ json: { number: String(index) } }] },
    });
    await arrived;
    taken.push(performance.now() - sent);
    await pause(50);
  }
  return taken.toSorted((one, other) => one - other);
}

function report({ server, database, asked }: Idle, taken: readonly number[]): void {
  const { version, platform } = process;
  const percent = (share: number) => `${(share * 100).toFixed(1)} %`;
  const at = (part: number) => `${(taken[Math.floor(taken.length * part)] ?? 0).toFixed(0)} ms`;
  console.log(
    `\n${size.devices} idle devices in ${size.pools} pools with ${size.pools * size.queuesPerPool} queues, ${asked} requests for ` +
      `work in ${seconds} s. Node ${version}, ${platform}, ${availableParallelism()} cores.\n`,
  );
  console.table({
    'the server, share of a core': percent(server),
    'PostgreSQL, share of a core': percent(database),
    'together, share of a core': percent(server + database),
    'from create to the device, median': at(0.5),
    'from create to the device, 95 of 100': at(0.95),
    'from create to the device, slowest': at(0.9999),
  });
}

await main();
