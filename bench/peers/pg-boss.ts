import type { Order, Peer } from './peers.ts';

interface Boss {
  start(): Promise<unknown>;
  stop(options: object): Promise<void>;
  on(event: 'error', listen: () => void): void;
  createQueue(name: string): Promise<void>;
  send(name: string, data: object): Promise<unknown>;
  insert(jobs: readonly object[]): Promise<void>;
  fetch(name: string, options: object): Promise<{ id: string }[] | null>;
  complete(name: string, ids: string | readonly string[]): Promise<void>;
  work(name: string, options: object, handler: (jobs: readonly unknown[]) => Promise<void>): Promise<string>;
}

const name = 'invoices';

export async function openPgBoss(load: NodeJS.Require, { connection, items, bots }: Order): Promise<Peer> {
  const PgBoss = load('pg-boss') as new (options: object) => Boss;
  const boss = new PgBoss({ ...connection, max: 10, supervise: false });
  boss.on('error', () => undefined);
  await boss.start();
  await boss.createQueue(name);
  const create = async (records: readonly string[]) => {
    if (records.length === 1) await boss.send(name, JSON.parse(records[0] ?? '{}') as object);
    else await boss.insert(records.map((record) => ({ name, data: JSON.parse(record) as object })));
  };
  const cycle = async (count: number) => {
    const jobs = (await boss.fetch(name, { batchSize: count })) ?? [];
    if (jobs.length > 0)
      await boss.complete(name, items === 1 ? (jobs[0]?.id ?? '') : jobs.map(({ id }) => id));
    return jobs.length;
  };
  // By its documents, a worker polls, every half second at the most often, and takes a batch.
  const work = async (handle: () => void) => {
    const options = { batchSize: 100, pollingIntervalSeconds: 0.5 };
    for (let index = 0; index < bots; index += 1)
      await boss.work(name, options, async (jobs) => jobs.forEach(handle));
    return () => boss.stop({ graceful: false });
  };
  return { create, cycle, work };
}
