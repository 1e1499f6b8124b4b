import type { Client, Schemas } from '@millrace/api';
import type { Scenario as Load } from './load.ts';

/** A scenario, and how many waiting items it needs. */
export interface Scenario extends Load {
  readonly takes: number;
}

/** The queue under test. */
export interface BenchQueue {
  readonly id: number;
  /** Sees to it that at least so many items wait. */
  fill(client: Client, count: number): Promise<void>;
}

const few = 64;
const many = 16;

const record = {
  number: '2026-000123',
  customer: 'Jane Doe & Sons Ltd.',
  amount: 1299.9,
  due: '2026-12-01',
  urgent: false,
};
const workItems = (count: number) =>
  JSON.stringify({ workItems: Array.from({ length: count }, () => ({ json: record })) });

/** The yardstick: a request like the smallest create. */
export const bare: Load = {
  name: 'bare POST',
  connections: few,
  items: 1,
  steps: [{ path: '/', body: once(workItems(1)) }],
};

export async function prepareQueue(client: Client): Promise<BenchQueue> {
  const types = {
    number: 'TEXT',
    customer: 'TEXT',
    amount: 'NUMBER',
    due: 'DATE',
    urgent: 'BOOLEAN',
  } as const;
  const attributes = Object.entries(types).map(([name, type]) => ({ name, type }));
  const model = await client.createWorkItemModel({ body: { name: 'Invoice', attributes } });
  const queue = await client.createQueue({ body: { name: 'Invoices', workItemModelId: model.id as number } });
  const path = { id: Number(queue.id) };
  const body = JSON.parse(workItems(1000)) as Schemas['NewWorkItems'];
  const fill = async (by: Client, count: number) => {
    const { counts } = await by.getQueueStats({ path });
    for (let waiting = counts.NEW; waiting < count; waiting += 1000) await by.createWorkItems({ path, body });
  };
  return { id: path.id, fill };
}

export function scenariosOf({ id }: BenchQueue): Scenario[] {
  const path = `/v4/wlm/queues/${id}/workitems`;
  const create = (count: number) => [{ path, body: once(workItems(count)) }];
  const cycle = (count: number) => [
    { path: `${path}/claim`, body: once(JSON.stringify({ count })) },
    { path: `${path}/finish`, body: reportsOn },
  ];
  return [
    { name: 'create, 1 item', connections: few, items: 1, takes: 0, steps: create(1) },
    { name: 'claim + finish, 1 item', connections: few, items: 1, takes: 50_000, steps: cycle(1) },
    { name: 'create, 100 items', connections: many, items: 100, takes: 0, steps: create(100) },
    { name: 'claim + finish, 100 items', connections: many, items: 100, takes: 150_000, steps: cycle(100) },
    { name: 'create, 1000 items', connections: many, items: 1000, takes: 0, steps: create(1000) },
  ];
}

function once(text: string): () => string {
  return () => text;
}

/** The finish that goes with a claim. */
function reportsOn(claimed: string): string {
  const { list } = JSON.parse(claimed) as Schemas['WorkItemList'];
  const results = list.map(({ id, version }) => ({ id, version, status: 'COMPLETE' }));
  return JSON.stringify({ results });
}
