import pg from 'pg';
import type { Order, Peer } from './peers.ts';

interface Graphile {
  readonly makeWorkerUtils: (options: object) => Promise<Utils>;
  readonly run: (options: object) => Promise<{ stop(): Promise<void> }>;
  readonly Logger: new (factory: () => () => void) => object;
}

interface Utils {
  migrate(): Promise<void>;
  addJob(name: string, payload: unknown): Promise<unknown>;
  addJobs(jobs: readonly object[]): Promise<unknown>;
}

const identifier = 'invoice';

export async function openGraphile(
  load: NodeJS.Require,
  { connection, usesLocalQueue, bots }: Order,
): Promise<Peer> {
  const { makeWorkerUtils, run, Logger } = load('graphile-worker') as Graphile;
  const logger = new Logger(() => () => undefined);
  const pgPool = new pg.Pool({ ...connection, max: 12 });
  pgPool.on('error', () => undefined);
  pgPool.on('connect', (client) => client.on('error', () => undefined));
  const utils = await makeWorkerUtils({ pgPool, logger });
  await utils.migrate();
  const create = async (records: readonly string[]) => {
    const payloads = records.map((record) => JSON.parse(record) as unknown);
    if (payloads.length === 1) await utils.addJob(identifier, payloads[0]);
    else await utils.addJobs(payloads.map((payload) => ({ identifier, payload })));
  };
  // It has no call that takes a job: its worker does everything.
  const worker = { concurrentJobs: bots, ...(usesLocalQueue && localQueue) };
  const work = async (handle: () => void) => {
    const taskList = { [identifier]: () => Promise.resolve(handle()) };
    const runner = await run({ pgPool, logger, taskList, noHandleSignals: true, preset: { worker } });
    return () => runner.stop();
  };
  return { create, work };
}

// The figures of its own benchmark.
const localQueue = {
  localQueue: { size: 500, refetchDelay: { durationMs: 10 } },
  completeJobBatchDelay: 0,
  failJobBatchDelay: 0,
};
