import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { observe, type Sample } from './accounts.ts';
import { copyFor } from './copy.ts';
import { machineUnder, type Machine } from './findings.ts';
import { RanDry, runLoad } from './load.ts';
import { contestants, preparePeers, startPeer, versions, type Order, type Peers } from './peers/peers.ts';
import { bareLoad, fill, loadOf, recordsOf, scenarios, type Scenario } from './scenarios.ts';
import type { Stage } from './stage.ts';

export interface Wanted {
  readonly only: string;
  readonly rounds: number;
  readonly seconds: number;
  readonly hasPeers: boolean;
}

/** All samples of a run: for each scenario and contestant one a round. */
export interface Run {
  readonly on: string;
  readonly machine: Machine;
  readonly settings: Readonly<Record<string, string>>;
  readonly versions: Readonly<Record<string, string>>;
  readonly rounds: number;
  readonly seconds: number;
  readonly samples: Readonly<Record<string, Readonly<Record<string, readonly Sample[]>>>>;
}

export const botScenario = 'a bot that has nothing to do';
const warmUpSeconds = 1;
// More than needed on most machines, even when it is faster than during the warm-up.
const spare = 1.5;
const bots = 64;
// As many as the fastest contestant does in a run of some seconds.
const jobsFor = { create: 0, cycle: 30_000, cycles: 200_000, bots: 200_000 };

/** Measures each contestant by turns, so that a machine that slows down slows all. */
export async function compare(stage: Stage, wanted: Wanted): Promise<Run> {
  const peers = wanted.hasPeers ? await preparePeers() : undefined;
  const folder = await mkdtemp(path.join(tmpdir(), 'millrace-bench-copy-'));
  const load = loadavg();
  const samples: Record<string, Record<string, Sample[]>> = {};
  try {
    for (let round = 1; round <= wanted.rounds; round += 1) {
      for (const { scenario, contestant, take } of takesOf(stage, wanted, peers, folder)) {
        process.stderr.write(`round ${round} of ${wanted.rounds}: ${scenario}: ${contestant}\n`);
        const taken = ((samples[scenario] ??= {})[contestant] ??= []);
        taken.push(await take(round === 1));
      }
    }
  } finally {
    await peers?.stop();
    await rm(folder, { recursive: true, force: true });
  }
  const { rounds, seconds } = wanted;
  const { settings } = stage;
  return {
    on: new Date().toISOString(),
    machine: machineUnder(load),
    settings,
    versions,
    rounds,
    seconds,
    samples,
  };
}

interface Take {
  readonly scenario: string;
  readonly contestant: string;
  readonly take: (countsEntries: boolean) => Promise<Sample>;
}

/** The measurements of a round, in order. */
function takesOf(stage: Stage, wanted: Wanted, peers: Peers | undefined, folder: string): Take[] {
  const { seconds } = wanted;
  const takes = scenarios.flatMap((scenario): Take[] => {
    const bulk = scenario.kind === 'create' && scenario.items > 1;
    return [
      {
        scenario: scenario.name,
        contestant: 'bare HTTP',
        take: () => measureBare(stage, scenario, seconds),
      },
      {
        scenario: scenario.name,
        contestant: 'Millrace',
        take: (counts) => measureMillrace(stage, scenario, seconds, counts),
      },
      ...(bulk
        ? [
            {
              scenario: scenario.name,
              contestant: 'COPY',
              take: () => measureCopy(stage, scenario, seconds, folder),
            },
          ]
        : []),
      ...(peers ? peerTakes(stage, scenario, seconds, peers) : []),
    ];
  });
  const all = [...takes, ...botTakes(stage, seconds, peers)];
  return all.filter(({ scenario }) => scenario.includes(wanted.only));
}

/** The yardstick: requests of the smallest create to a server that verifies the token and answers. */
export function measureBare(stage: Stage, { bytes }: Scenario, seconds: number): Promise<Sample> {
  const load = bareLoad(recordsOf(bytes));
  const run = () => runLoad(stage.bare, stage.tokens, load, seconds);
  return observe(stage.database, { ...stage.pids, server: stage.pids.bare }, run, false);
}

export async function measureMillrace(
  stage: Stage,
  scenario: Scenario,
  seconds: number,
  countsEntries: boolean,
): Promise<Sample> {
  const record = recordsOf(scenario.bytes);
  const load = loadOf(scenario, stage.queueId, record);
  const run = (time: number) => runLoad(stage.server, stage.tokens, load, time);
  const takes = scenario.kind === 'cycle';
  const withPlenty = <Found>(work: () => Promise<Found>, count: number): Promise<Found> =>
    takes ? untilEnough(stage, record, count, work) : work();
  const { items } = await withPlenty(() => run(warmUpSeconds), scenario.items === 1 ? 15_000 : 60_000);
  const needed = (items / warmUpSeconds) * seconds * spare + 20_000;
  const measured = () => observe(stage.database, stage.pids, () => run(seconds), countsEntries);
  return withPlenty(measured, needed);
}

/** Fills the queue and works on it; where it runs dry all the same, once more with twice as many items. */
async function untilEnough<Found>(
  stage: Stage,
  record: () => string,
  count: number,
  work: () => Promise<Found>,
): Promise<Found> {
  await fill(stage, count, record);
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof RanDry)) throw error;
    return untilEnough(stage, record, count * 2, work);
  }
}

function measureCopy(stage: Stage, { bytes }: Scenario, seconds: number, folder: string): Promise<Sample> {
  const load = () => copyFor(stage.connection, folder, seconds, recordsOf(bytes));
  return observe(stage.database, stage.pids, load, false);
}

function peerTakes(stage: Stage, scenario: Scenario, seconds: number, peers: Peers): Take[] {
  const { kind, items, bytes, name } = scenario;
  return contestantsOf(peers).flatMap(({ name: contestant, order, batch }): Take[] => {
    // Its local queue belongs to its worker: without the worker, jobs are created the same way.
    if (kind === 'create' && order.usesLocalQueue) return [];
    const jobs = jobsFor[kind === 'create' ? 'create' : items === 1 ? 'cycle' : 'cycles'];
    const own = { kind, items: items === 1 ? 1 : batch, bytes, seconds, fill: jobs, bots };
    return [
      {
        scenario: name,
        contestant,
        take: () => measurePeer(stage, { ...order, ...own, ...placeOf(stage, peers) }),
      },
    ];
  });
}

/** Programs as people write them: a worker with a handler that does nothing. */
function botTakes(stage: Stage, seconds: number, peers: Peers | undefined): Take[] {
  const work = { kind: 'bots', items: 1, bytes: 200, seconds, fill: jobsFor.bots, bots } as const;
  const own: Take = {
    scenario: botScenario,
    contestant: 'Millrace',
    take: async () => {
      await fill(stage, jobsFor.bots, recordsOf(200));
      const { server, queueId } = stage;
      const place = { ...placeOf(stage, peers), server, queueId };
      return measurePeer(stage, { peer: 'millrace', ...work, ...place });
    },
  };
  const others = peers ? contestantsOf(peers) : [];
  return [
    own,
    ...others.map(({ name, order }): Take => ({
      scenario: botScenario,
      contestant: name,
      take: () => measurePeer(stage, { ...order, ...work, ...placeOf(stage, peers) }),
    })),
  ];
}

const contestantsOf = ({ redisPort }: Peers) =>
  contestants.filter(({ order }) => order.peer !== 'bullmq' || redisPort !== undefined);

const placeOf = ({ connection }: Stage, peers: Peers | undefined) => ({
  connection,
  folder: peers?.folder ?? tmpdir(),
  redisPort: peers?.redisPort,
});

async function measurePeer(stage: Stage, order: Order): Promise<Sample> {
  // Each begins with its own jobs only: a million that are left of what was measured before make some so slow that they never end.
  await stage.database.query('drop schema if exists pgboss, graphile_worker cascade');
  const { pid, run, stop } = await startPeer(order);
  const server = order.peer === 'millrace' ? stage.pids.server : undefined;
  // Without statistics of the jobs that were just added, some plan each fetch as if the table were empty.
  await stage.database.query('analyze');
  try {
    return await observe(stage.database, { ...stage.pids, server, load: pid }, run, false);
  } finally {
    await stop();
  }
}
