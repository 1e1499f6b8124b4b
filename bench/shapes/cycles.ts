import { pinned } from './client.ts';
import { compare, cycle, type Load, type Variant } from './cycle.ts';
import { payloadOf } from './report.ts';
import { base, type Shape } from './tables.ts';

const variant = (url: string, name: string, shape: Partial<Shape>, load: Load): Variant => [
  name,
  async () => cycle(url, { ...base, ...shape }, load),
];

const places = ['same', 'apart'] as const;

export async function payload(url: string, repeats: number): Promise<void> {
  const sizes = [
    [1, 1200],
    [32, 8000],
    [100, 12_000],
  ] as const;
  for (const bytes of [200, 1000]) {
    for (const [batch, items] of sizes) {
      const load = { batch, items, payload: payloadOf(bytes) };
      await compare(
        `Payload of ${bytes} B in the same table or apart, batches of ${batch}`,
        repeats,
        places.map((place) => variant(url, place, { payload: place }, load)),
      );
    }
  }
  const long = { batch: 100, items: 100_000, payload: payloadOf(1000) };
  await compare(
    'After 100,000 items with a payload of 1 kB, batches of 100, one run',
    1,
    places.map((place) => variant(url, place, { payload: place }, long)),
  );
}

export async function outputs(url: string, repeats: number): Promise<void> {
  const load = { batch: 32, items: 8000, payload: payloadOf(1000), output: payloadOf(200) };
  await compare('Where an output of 200 B goes (payload 1 kB, batches of 32)', repeats, [
    variant(url, 'all in one row', { payload: 'same', output: 'same' }, load),
    variant(url, 'output beside the payload', { output: 'same' }, load),
    variant(url, 'output in the item, payload apart', { output: 'item' }, load),
    variant(url, 'output in a third table', { output: 'apart' }, load),
  ]);
}

export async function leases(url: string, repeats: number): Promise<void> {
  const sizes = [
    [1, 800, 1],
    [1, 500, 5],
    [32, 6000, 1],
    [32, 6000, 5],
  ] as const;
  for (const [batch, items, heartbeats] of sizes) {
    const load = { batch, items, heartbeats, payload: payloadOf(200) };
    const more = [
      variant(url, 'in the item, fillfactor 50', { fillfactor: 50 }, load),
      variant(url, 'in the item, plain UPDATE', {}, { ...load, direct: true }),
      variant(url, 'in the item, snapshot held', {}, { ...load, held: true }),
      variant(url, 'lease table, snapshot held', { lease: 'apart' }, { ...load, held: true }),
    ];
    await compare(`Leases, batches of ${batch}, ${heartbeats} heartbeat(s) for each item`, repeats, [
      variant(url, 'in the item', {}, load),
      variant(url, 'lease table', { lease: 'apart' }, load),
      ...(batch === 1 ? [] : more),
    ]);
  }
}

export async function details(url: string, repeats: number): Promise<void> {
  const load = { batch: 32, items: 8000, payload: payloadOf(1000) };
  await compare('Details (payload 1 kB, batches of 32)', repeats, [
    variant(url, 'text status, json, one event index, no foreign keys', {}, load),
    variant(url, 'smallint status', { status: 'smallint' }, load),
    variant(url, 'foreign keys to work_items', { foreignKeys: true }, load),
    variant(url, 'jsonb payload', { json: 'jsonb' }, load),
    variant(url, 'planner pinned', {}, { ...load, settings: pinned }),
  ]);
}

export async function feed(url: string, repeats: number): Promise<void> {
  for (const [batch, items] of [
    [1, 1000],
    [32, 8000],
  ] as const) {
    const load = { batch, items, payload: payloadOf(200) };
    await compare(`Cost of the feed beside events (payload 200 B, batches of ${batch})`, repeats, [
      variant(url, 'nothing', {}, load),
      variant(url, 'transaction, index', { feed: 'transaction' }, load),
      variant(url, 'transaction, tenant by sub-select, index', { feed: 'tenant' }, load),
    ]);
  }
}

const ended = `
  CREATE INDEX failed ON work_items (queue_id, id) WHERE status = 'FAILED';
  CREATE INDEX completed ON work_items (queue_id, id) WHERE status = 'COMPLETED';`;

/** Narrow tables for what is ready and leased, and a journal of batches. */
export async function narrow(url: string, repeats: number): Promise<void> {
  const sizes = [
    [1, 1500],
    [32, 10_000],
    [100, 20_000],
  ] as const;
  for (const [batch, items] of sizes) {
    const load = { batch, items, heartbeats: 1, payload: payloadOf(200), settings: pinned };
    const waiting = "CREATE INDEX waiting ON work_items (queue_id, id) WHERE status = 'NEW';";
    await compare(`Narrow tables, journal of batches (payload 200 B, batches of ${batch})`, repeats, [
      variant(url, 'in the item', { feed: 'transaction' }, { ...load, added: ended + waiting }),
      variant(url, 'narrow tables', { feed: 'transaction', state: 'narrow' }, { ...load, added: ended }),
      variant(
        url,
        'narrow tables, journal of batches',
        { state: 'narrow', journal: 'batch' },
        { ...load, added: ended },
      ),
    ]);
  }
}

/** A transaction in one round trip, as if nothing had to be decided before its statement is sent, or in three. */
export async function trips(url: string, repeats: number): Promise<void> {
  for (const [batch, items] of [
    [1, 1500],
    [32, 10_000],
  ] as const) {
    const load = { batch, items, payload: payloadOf(200), settings: pinned };
    await compare(`Round trips of a transaction (payload 200 B, batches of ${batch})`, repeats, [
      variant(url, 'three', {}, { ...load, threeTrips: true }),
      variant(url, 'one', {}, load),
    ]);
  }
}

const byStatus = `
  CREATE INDEX waiting ON work_items (queue_id, id) WHERE status = 'NEW';
  CREATE INDEX failed ON work_items (queue_id, id) WHERE status = 'FAILED';
  CREATE INDEX completed ON work_items (queue_id, id) WHERE status = 'COMPLETED';`;
const inItem = `
  CREATE INDEX by_created ON work_items (queue_id, created_on, id);
  CREATE INDEX by_priority ON work_items (queue_id, priority, id);`;
const inData = `
  ALTER TABLE work_item_data ADD created_on timestamptz DEFAULT now(), ADD priority smallint DEFAULT 4;
  CREATE INDEX by_created ON work_item_data (queue_id, created_on, item_id);
  CREATE INDEX by_priority ON work_item_data (queue_id, priority, item_id);`;
const keys = (count: number) =>
  Array.from(
    { length: count },
    (_, at) => `
  ALTER TABLE work_item_data ADD k${at} bytea DEFAULT decode(md5(random()::text), 'hex');
  CREATE INDEX by_k${at} ON work_item_data (queue_id, k${at}, item_id) WHERE k${at} IS NOT NULL;`,
  ).join('');

/** The cost of the indexes by which lists are read: docs/decisions/0014-reads-at-scale.md. */
export async function reads(url: string, repeats: number): Promise<void> {
  const load = { batch: 32, items: 8000, payload: payloadOf(1000) };
  const more = (name: string, added: string) => variant(url, name, {}, { ...load, added });
  await compare('Indexes for lists (payload 1 kB, batches of 32)', repeats, [
    variant(url, 'none', {}, load),
    more('by status', byStatus),
    more('by status, full', 'CREATE INDEX by_status ON work_items (queue_id, status, id);'),
    more(
      'by status; ended',
      `${byStatus} CREATE INDEX by_ended ON work_items (queue_id, ended_on, id) WHERE ended_on IS NOT NULL;`,
    ),
    more('by status; created and priority in the item', byStatus + inItem),
    more('by status; created and priority beside the payload', byStatus + inData),
    more('by status; one key beside the payload', byStatus + keys(1)),
    more('by status; five keys beside the payload', byStatus + keys(5)),
  ]);
}
