import type { Schemas } from '@millrace/api';
import { RanDry, type Load } from './load.ts';
import type { Stage } from './stage.ts';

/** The kinds of work that every contestant does in its own way. */
export type Kind = 'create' | 'cycle';

export interface Scenario {
  readonly name: string;
  readonly kind: Kind;
  /** Items a request; peers take the batch that suits them best where it is more than one. */
  readonly items: number;
  readonly bytes: Size;
  /** Whether it belongs to `--quick`. */
  readonly isQuick: boolean;
}

export type Size = 200 | 1000;

/** As few connections as keep all processors busy: requests that are still under way when a load ends cost time and count for nothing. */
const connectionsFor = (items: number) => (items === 1 ? 64 : items < 1000 ? 16 : 4);

export const scenarios: readonly Scenario[] = [
  { name: 'create, 1 item of 200 B', kind: 'create', items: 1, bytes: 200, isQuick: true },
  { name: 'create, 1 item of 1 kB', kind: 'create', items: 1, bytes: 1000, isQuick: false },
  { name: 'claim + finish, 1 item of 200 B', kind: 'cycle', items: 1, bytes: 200, isQuick: true },
  { name: 'create, 100 items of 200 B', kind: 'create', items: 100, bytes: 200, isQuick: false },
  { name: 'claim + finish, 100 items of 200 B', kind: 'cycle', items: 100, bytes: 200, isQuick: true },
  { name: 'create, 1000 items of 200 B', kind: 'create', items: 1000, bytes: 200, isQuick: true },
  { name: 'create, 1000 items of 1 kB', kind: 'create', items: 1000, bytes: 1000, isQuick: false },
];

/** The load of a scenario on Millrace. */
export function loadOf({ kind, items }: Scenario, queueId: number, record: () => string): Load {
  const path = `/v4/wlm/queues/${queueId}/workitems`;
  const connections = connectionsFor(items);
  if (kind === 'create') return { connections, items, steps: [{ path, body: () => bodyOf(items, record) }] };
  const claim = JSON.stringify({ count: items });
  const steps = [
    { path: `${path}/claim`, body: () => claim },
    { path: `${path}/finish`, body: (claimed: string) => reportsOn(claimed, items) },
  ];
  return { connections, items, steps };
}

/** The yardstick: a request like the smallest create. */
export const bareLoad = (record: () => string): Load => ({
  connections: connectionsFor(1),
  items: 1,
  steps: [{ path: '/', body: () => bodyOf(1, record) }],
});

/** Fills the queue up to this number of waiting items. */
export async function fill({ client, queueId }: Stage, count: number, record: () => string): Promise<void> {
  const path = { id: queueId };
  const { counts } = await client.getQueueStats({ path });
  let left = count - counts.NEW;
  const produce = async () => {
    while (left > 0) {
      left -= 1000;
      await client.createWorkItems({
        path,
        body: JSON.parse(bodyOf(1000, record)) as Schemas['NewWorkItems'],
      });
    }
  };
  await Promise.all([produce(), produce(), produce()]);
}

const bodyOf = (items: number, record: () => string) =>
  `{"workItems":[${Array.from({ length: items }, () => `{"json":${record()}}`).join()}]}`;

/** The finish for a claim, which must have found as many as it asked for; empty before the first answer. */
function reportsOn(claimed: string, items: number): string {
  if (claimed === '') return '';
  const { list } = JSON.parse(claimed) as Partial<Schemas['WorkItemList']>;
  if (!list) throw new Error(`A claim was refused: ${claimed.slice(0, 500)}`);
  if (list.length < items) throw new RanDry(`The queue ran dry: ${list.length} of ${items} were found`);
  const results = list.map(({ id, version }) => ({ id, version, status: 'COMPLETE' }));
  return JSON.stringify({ results });
}

const words = 'freight invoice pallet customs ledger harbour credit transfer audit parcel order stock'.split(
  ' ',
);

/** A maker of records of about this number of bytes as JSON; no two are the same. */
export function recordsOf(bytes: Size): () => string {
  let count = 0;
  return () => {
    count += 1;
    const customer = `${words[count % 12]} & ${words[(count * 7) % 11]} Ltd.`;
    const due = `2026-${String(1 + (count % 12)).padStart(2, '0')}-15`;
    const start = `{"number":"2026-${String(count).padStart(9, '0')}","customer":"${customer}","amount":${count % 9973}.25,"due":"${due}","urgent":${count % 3 === 0},"note":"`;
    return `${start}${noteOf(count, bytes - start.length - 2)}"}`;
  };
}

function noteOf(seed: number, length: number): string {
  let text = '';
  for (let turn = seed; text.length < length; turn = (turn * 31 + 7) % 1_000_003)
    text += `${words[turn % 12]} ${turn} `;
  return text.slice(0, Math.max(length, 0)).trimEnd();
}
