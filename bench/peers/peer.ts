/** A program that does one kind of work with one peer for some seconds, and reports how much it has done. */
import { createRequire } from 'node:module';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Done } from '../accounts.ts';
import { recordsOf } from '../scenarios.ts';
import { openBullmq } from './bullmq.ts';
import { openGraphile } from './graphile-worker.ts';
import { openMillrace } from './millrace.ts';
import { openPgBoss } from './pg-boss.ts';
import type { Order, Peer } from './peers.ts';

const open = {
  millrace: openMillrace,
  'pg-boss': openPgBoss,
  'graphile-worker': openGraphile,
  bullmq: openBullmq,
};

const order = JSON.parse(process.argv[2] ?? '{}') as Order;
// Peers are no dependencies of Millrace: they are installed where the bench says.
const load = createRequire(path.join(order.folder, 'peers.cjs'));
const peer = await open[order.peer](load, order);
const record = recordsOf(order.bytes);
await fill(peer);
process.once('message', () => void work());
process.send?.('ready');

async function fill({ create: add }: Peer): Promise<void> {
  let left = order.peer === 'millrace' ? 0 : order.fill;
  const produce = async () => {
    while (left > 0) {
      left -= 1000;
      await add(Array.from({ length: 1000 }, record));
    }
  };
  await Promise.all([produce(), produce(), produce()]);
}

async function work(): Promise<void> {
  const done = await (order.kind === 'create'
    ? create(peer)
    : order.kind === 'cycle'
      ? cycle(peer)
      : bots(peer));
  process.send?.(done);
}

/** Keeps many calls under way until the time is over. */
async function atOnce(calls: number, call: () => Promise<number>): Promise<Done> {
  const begun = performance.now();
  const until = begun + order.seconds * 1000;
  let items = 0;
  let requests = 0;
  const latencies: number[] = [];
  const one = async () => {
    while (performance.now() < until) {
      const from = performance.now();
      const count = await call();
      latencies.push(performance.now() - from);
      items = items + count;
      requests += 1;
    }
  };
  await Promise.all(Array.from({ length: calls }, one));
  const seconds = (performance.now() - begun) / 1000;
  const sorted = latencies.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? 0;
  return { items, requests, seconds, p50: at(0.5), p99: at(0.99) };
}

const connections = order.items === 1 ? 64 : 4;

function create({ create: add }: Peer): Promise<Done> {
  return atOnce(connections, async () => {
    await add(Array.from({ length: order.items }, record));
    return order.items;
  });
}

async function cycle(one: Peer): Promise<Done> {
  if (!one.cycle) return bots(one);
  const { cycle: take } = one;
  return atOnce(connections, async () => {
    const count = await take(order.items);
    if (count < order.items) throw new Error(`${order.peer} ran dry`);
    return count;
  });
}

/** The worker of the peer, with a handler that does nothing. */
async function bots({ work: run }: Peer): Promise<Done> {
  let items = 0;
  const stop = await run(() => {
    items += 1;
  });
  const until = async (isOver: () => boolean) => {
    while (!isOver()) await pause(5);
  };
  // The start does not count, nor the time after the last job.
  await until(() => items > 0);
  const [begun, first] = [performance.now(), items];
  await until(() => performance.now() - begun > order.seconds * 1000 || items >= order.fill);
  const counted = items - first;
  const seconds = (performance.now() - begun) / 1000;
  // Some wait for all their workers, which may be behind statements that take minutes.
  await Promise.race([stop(), pause(3000)]);
  return { items: counted, requests: counted, seconds };
}
