import type { Order, Peer } from './peers.ts';

interface Bullmq {
  Queue: new (
    name: string,
    options: object,
  ) => {
    add(name: string, data: unknown): Promise<unknown>;
    addBulk(jobs: readonly object[]): Promise<unknown>;
  };
  Worker: new (
    name: string,
    handler: () => Promise<void>,
    options: object,
  ) => { close(force: boolean): Promise<void> };
}

const name = 'invoices';

export function openBullmq(load: NodeJS.Require, { redisPort, bots }: Order): Promise<Peer> {
  const { Queue, Worker } = load('bullmq') as Bullmq;
  const connection = { host: '127.0.0.1', port: redisPort };
  const queue = new Queue(name, { connection });
  const create = async (records: readonly string[]) => {
    const jobs = records.map((record) => ({ name, data: JSON.parse(record) as unknown }));
    if (jobs.length === 1) await queue.add(name, jobs[0]?.data);
    else await queue.addBulk(jobs);
  };
  // It has no calls to take and to end a job that programs use: its worker does everything.
  const work = (handle: () => void) => {
    const options = { connection, concurrency: bots, removeOnComplete: { count: 0 } };
    const worker = new Worker(name, () => Promise.resolve(handle()), options);
    return Promise.resolve(() => worker.close(true));
  };
  return Promise.resolve({ create, work });
}
