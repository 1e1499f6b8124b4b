import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { createClient, type Client, type Schemas } from '@millrace/api';
import { keepFindings, machineUnder } from './findings.ts';
import { recordsOf } from './scenarios.ts';
import { password, type Stage } from './stage.ts';

const producers = 4;
const takers = 8;
const batch = 20;
// Well below the limit of two cores, so that growth is not a line of waiting requests.
const pauseMs = 40;
const samples = 12;
// For memory, the first part is spent on caches and the compiler; for latency, a busy machine has its moments.
const mostGrowth = 1.5;

interface Moment {
  readonly minutes: number;
  readonly megabytes: number;
  readonly p99: number;
  readonly done: number;
}

/** The acknowledged work: the ids of created items, and how often each was done. */
interface Acknowledged {
  created: number;
  readonly done: Map<string, number>;
  latencies: number[];
}

/**
 * Runs a steady load for this long.
 * @param time such as 30m or 90s
 * @returns whether memory and latency stayed level, and every acknowledged item is there once
 */
export async function soak(stage: Stage, time: string): Promise<boolean> {
  const seconds = secondsOf(time);
  const machine = machineUnder();
  const { all, ended } = startLoad(stage, seconds);
  const moments = await watch(stage, all, seconds);
  await ended;
  await drain(stage, all);
  const { memory, latency, broken } = { ...growthOf(moments), broken: await promisesKept(stage, all) };
  const megabytes = moments.map((moment) => moment.megabytes.toFixed(0));
  await keepFindings('soak', stage, machine, [
    {
      what: `memory under a steady load of ${time}`,
      found: `times ${memory.toFixed(2)} from the second to the last quarter (${megabytes[0]} → ${megabytes.at(-1)} MB)`,
      goal: `at most times ${mostGrowth}`,
    },
    { what: 'p99 of its calls', found: `times ${latency.toFixed(2)}`, goal: `at most times ${mostGrowth}` },
    {
      what: 'promises',
      found: broken.join('; ') || `kept for all ${all.created.toLocaleString('en')} items`,
      goal: 'kept',
    },
  ]);
  return broken.length === 0 && memory < mostGrowth && latency < mostGrowth;
}

/** Has items made and done at a steady pace for so many seconds. */
export function startLoad(stage: Stage, seconds: number): { all: Acknowledged; ended: Promise<unknown> } {
  const all: Acknowledged = { created: 0, done: new Map(), latencies: [] };
  const end = performance.now() + seconds * 1000;
  const isOver = () => performance.now() > end;
  const loads = [
    ...Array.from({ length: producers }, () => produce(stage, all, isOver)),
    ...Array.from({ length: takers }, (_, index) => take(stage, index, all, isOver)),
  ];
  return { all, ended: Promise.all(loads) };
}

export function secondsOf(time: string): number {
  const [, count = '', unit = ''] = /^(\d+)([smh])$/.exec(time) ?? [];
  const factor = { s: 1, m: 60, h: 3600 }[unit];
  if (factor === undefined) throw new Error(`${time} is no time; give for instance 90s or 30m`);
  return Number(count) * factor;
}

async function timed<T>({ latencies }: Acknowledged, call: () => Promise<T>): Promise<T> {
  const begun = performance.now();
  const answer = await call();
  latencies.push(performance.now() - begun);
  return answer;
}

async function produce({ client, queueId }: Stage, all: Acknowledged, isOver: () => boolean): Promise<void> {
  const record = recordsOf(200);
  while (!isOver()) {
    const json = () => JSON.parse(record()) as NonNullable<Schemas['NewWorkItem']['json']>;
    const workItems = Array.from({ length: batch }, () => ({ json: json() }));
    const { list } = await timed(all, () =>
      client.createWorkItems({ path: { id: queueId }, body: { workItems } }),
    );
    all.created += list.length;
    await pause(pauseMs);
  }
}

async function take(stage: Stage, index: number, all: Acknowledged, isOver: () => boolean): Promise<void> {
  const client = createClient({ url: stage.server, username: `consumer-${index}`, password });
  while (!isOver()) if ((await cycle(stage, client, all)) === 0) await pause(pauseMs);
}

async function cycle({ queueId }: Stage, client: Client, all: Acknowledged): Promise<number> {
  const path = { id: queueId };
  const { list } = await timed(all, () => client.claimWorkItems({ path, body: { count: batch } }));
  if (list.length === 0) return 0;
  const results = list.map(({ id, version }) => ({
    id: id as number,
    version: version as number,
    status: 'COMPLETE' as const,
  }));
  const outcomes = await timed(all, () => client.finishWorkItems({ path, body: { results } }));
  for (const { id, error } of outcomes.list)
    if (!error) all.done.set(String(id), (all.done.get(String(id)) ?? 0) + 1);
  return list.length;
}

/** Watches the server at some moments of the run. */
async function watch(stage: Stage, all: Acknowledged, seconds: number): Promise<Moment[]> {
  const moments: Moment[] = [];
  for (let index = 1; index <= samples; index += 1) {
    await pause((seconds * 1000) / samples);
    const sorted = all.latencies.toSorted((a, b) => a - b);
    all.latencies = [];
    const p99 = sorted[Math.floor(sorted.length * 0.99)] ?? 0;
    const minutes = (index * seconds) / samples / 60;
    const moment = { minutes, megabytes: await megabytesOf(stage.pids.server), p99, done: all.done.size };
    moments.push(moment);
    console.log(
      `${moment.minutes.toFixed(1)} min: ${moment.megabytes.toFixed(0)} MB, p99 ${p99.toFixed(1)} ms, ${moment.done} done`,
    );
  }
  return moments;
}

/** The memory of a process. */
export async function megabytesOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
}

async function drain(stage: Stage, all: Acknowledged): Promise<void> {
  const client = createClient({ url: stage.server, username: 'consumer-0', password });
  while ((await cycle(stage, client, all)) > 0);
}

async function promisesKept({ client, queueId }: Stage, { created, done }: Acknowledged): Promise<string[]> {
  const { counts } = await client.getQueueStats({ path: { id: queueId } });
  const twice = [...done.values()].filter((count) => count > 1).length;
  return [
    ...(twice > 0 ? [`${twice} items were done twice`] : []),
    ...(done.size === created ? [] : [`${created} items were created, and ${done.size} done`]),
    ...(counts.COMPLETE === done.size
      ? []
      : [`the queue says that ${counts.COMPLETE} are done, not ${done.size}`]),
  ];
}

/** The growth of memory and latency from the second to the last quarter. */
function growthOf(moments: readonly Moment[]): { memory: number; latency: number } {
  const quarter = Math.ceil(samples / 4);
  const mean = (part: readonly Moment[], of: (moment: Moment) => number) =>
    part.reduce((sum, moment) => sum + of(moment), 0) / part.length;
  const growth = (of: (moment: Moment) => number) =>
    mean(moments.slice(-quarter), of) / mean(moments.slice(quarter, 2 * quarter), of);
  return { memory: growth(({ megabytes }) => megabytes), latency: growth(({ p99 }) => p99) };
}
