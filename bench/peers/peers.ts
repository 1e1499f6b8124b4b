import { fork, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createConnection } from 'node:net';
import { mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type pg from 'pg';
import { freePort } from '../../server/src/postgres/free-port.ts';
import type { Done } from '../accounts.ts';
import type { Size } from '../scenarios.ts';

/** The abilities of a contestant. Without a call that takes jobs, its worker does the cycles. */
export interface Peer {
  readonly create: (records: readonly string[]) => Promise<void>;
  /** Takes this number of jobs and ends them. @returns how many there were */
  readonly cycle?: (count: number) => Promise<number>;
  /** Starts its worker, as its documents have it. @returns what stops it */
  readonly work: (handle: () => void) => Promise<() => Promise<void>>;
}

export interface Order {
  readonly peer: 'millrace' | 'pg-boss' | 'graphile-worker' | 'bullmq';
  readonly usesLocalQueue?: boolean;
  readonly kind: 'create' | 'cycle' | 'bots';
  readonly items: number;
  readonly bytes: Size;
  readonly seconds: number;
  /** Jobs that wait before it begins. */
  readonly fill: number;
  /** Jobs that its worker runs at the same time. */
  readonly bots: number;
  /** The folder in which the libraries are installed. */
  readonly folder: string;
  readonly connection: pg.ClientConfig;
  readonly redisPort: number | undefined;
  /** The address of Millrace. */
  readonly server?: string;
  readonly queueId?: number;
}

/** A contestant: its name in the report, and the number of jobs at once at which it is fastest. */
export interface Contestant {
  readonly name: string;
  readonly order: Pick<Order, 'peer' | 'usesLocalQueue'>;
  readonly batch: number;
}

/** The last versions that run on the oldest Node that Millrace supports. */
export const versions = { 'pg-boss': '10.4.2', 'graphile-worker': '0.17.3', bullmq: '5.81.5' } as const;

export const contestants: readonly Contestant[] = [
  { name: 'pg-boss', order: { peer: 'pg-boss' }, batch: 1000 },
  { name: 'graphile-worker', order: { peer: 'graphile-worker' }, batch: 1000 },
  {
    name: 'graphile-worker, local queue',
    order: { peer: 'graphile-worker', usesLocalQueue: true },
    batch: 1000,
  },
  { name: 'BullMQ', order: { peer: 'bullmq' }, batch: 1000 },
];

/** The folder of the peers, and the Redis that one of them needs. */
export interface Peers {
  readonly folder: string;
  readonly redisPort: number | undefined;
  stop(): Promise<void>;
}

/** Installs the peers beside the bench: running Millrace needs none of them. */
export async function preparePeers(): Promise<Peers> {
  const folder = path.join(tmpdir(), 'millrace-bench-peers');
  await mkdir(folder, { recursive: true });
  const wanted = Object.entries(versions).map(([name, version]) => `${name}@${version}`);
  const options = ['--no-audit', '--no-fund', '--ignore-scripts', '--no-save', '--prefix', folder];
  const { status } = spawnSync('npm', ['install', ...options, ...wanted], { stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Error('The peers cannot be installed. Leave them out with --no-peers.');
  const redis = await startRedis();
  return { folder, redisPort: redis?.port, stop: redis?.stop ?? (() => Promise.resolve()) };
}

/** A Redis that waits for the disk, as PostgreSQL does here; undefined where this machine has none. */
async function startRedis() {
  if (spawnSync('redis-server', ['--version']).status !== 0) return undefined;
  const [port, folder] = [await freePort(), await mkdtemp(path.join(tmpdir(), 'millrace-bench-redis-'))];
  const options = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', ''];
  const durable = ['--appendonly', 'yes', '--appendfsync', 'always'];
  const server = spawn('redis-server', [...options, ...durable], { stdio: 'ignore' });
  while (!(await answers(port))) await new Promise((resolve) => setTimeout(resolve, 50));
  const stop = async () => {
    server.kill();
    await once(server, 'exit');
  };
  return { port, stop };
}

async function answers(port: number): Promise<boolean> {
  const socket = createConnection(port, '127.0.0.1');
  const found = await Promise.race([
    once(socket, 'connect').then(() => true),
    once(socket, 'error').then(() => false),
  ]).catch(() => false);
  socket.destroy();
  return found;
}

/** A peer with its jobs in place, which waits for the word to begin. */
interface Started {
  readonly pid: number;
  readonly run: () => Promise<Done>;
  /** Not by asking: a worker that goes on would take its part of the machine from all that are measured after it. */
  readonly stop: () => Promise<void>;
}

export async function startPeer(order: Order): Promise<Started> {
  const child: ChildProcess = fork(path.join(import.meta.dirname, 'peer.ts'), [JSON.stringify(order)], {
    execArgv: ['--import', 'tsx'],
  });
  const failed = once(child, 'exit').then(([code]) => {
    throw new Error(`${order.peer} ended with code ${String(code)}`);
  });
  failed.catch(() => undefined);
  await Promise.race([once(child, 'message'), failed]);
  const run = async () => {
    child.send('begin');
    const [done] = (await Promise.race([once(child, 'message'), failed])) as [Done];
    return done;
  };
  const stop = async () => {
    child.kill('SIGKILL');
    await failed.catch(() => undefined);
  };
  return { pid: child.pid ?? 0, run, stop };
}
