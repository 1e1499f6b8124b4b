import { beforeAll, describe, expect, it } from 'vitest';
import { openPool, type Pool, type Reader } from '../engine/db.ts';
import { startApp, type App } from '../testing/app.ts';
import { selectFeed, type Filter, type Stretch } from './feed.ts';
import { selectRange } from './times.ts';

interface Plan {
  readonly 'Node Type': string;
  readonly 'Index Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Shared Hit Blocks': number;
  readonly 'Shared Read Blocks': number;
  readonly Plans?: readonly Plan[];
}

let app: App;
let pool: Pool;

beforeAll(async () => {
  app = await startApp();
  // Enough events to make a plan that reads them all a bad one.
  await app.sql(`
    insert into events (tenant_id, queue_id, item_id, operation, actor_id, at, tx)
    select t.id, 1 + n % 50, n, 'createWorkItems', 0, now(), (100 + n / 100)::text::xid8
    from tenants t, generate_series(1, 20000) n`);
  await app.sql('analyze events');
  pool = openPool(app.connection, 1);
  return () => pool.end();
});

/** A reader that explains statements instead of running them. */
function explainer(plans: Plan[], how = ''): Reader {
  return {
    rows: async (statement) => {
      const values = statement.values;
      const { rows } = await pool.query({ text: `explain (${how}format json) ${statement.text}`, values });
      const [explained] = rows as { 'QUERY PLAN': string }[];
      const [found] = JSON.parse(explained?.['QUERY PLAN'] ?? '[]') as { Plan: Plan }[];
      plans.push(found?.Plan as Plan);
      return [{ found: { matched: 0, horizon: '0', isBehind: false } }] as never;
    },
    row: () => Promise.reject(new Error('reads rows only')),
  };
}

function viewOf(filter: Filter) {
  return { tenantId: 1, userId: 1, seesAll: false, visibleOperations: '', seesOrigin: false, filter };
}

/** The walk through the feed for the newest or oldest 100 of a stretch: the number of events found, and of pages read. */
async function walked(stretch: Partial<Stretch>): Promise<{ rows: number; pages: number }> {
  const plans: Plan[] = [];
  const view = { ...viewOf({}), seesAll: true };
  await selectFeed(explainer(plans, 'analyze, buffers, '), view, {
    isBackwards: false,
    limit: 100,
    ...stretch,
  });
  const walks = plans.flatMap(nodesIn).filter((node) => node['Index Name'] === 'events_feed');
  return {
    rows: Math.max(...walks.map((node) => node['Actual Rows'])),
    pages: Math.max(...walks.map((node) => node['Shared Hit Blocks'] + node['Shared Read Blocks'])),
  };
}

function nodesIn(plan: Plan): Plan[] {
  return [plan, ...(plan.Plans ?? []).flatMap(nodesIn)];
}

/** The indexes of events used by the statement that reads the feed, in a session of the server. */
async function indexesOf(filter: Filter, stretch: Partial<Stretch> = {}): Promise<string[]> {
  const plans: Plan[] = [];
  await selectFeed(explainer(plans), viewOf(filter), { isBackwards: false, limit: 100, ...stretch });
  return plans.flatMap(indexesIn).filter((name) => name.startsWith('events'));
}

function indexesIn(plan: Plan): string[] {
  const own = plan['Node Type'].startsWith('Seq Scan') ? ['events by reading all'] : [];
  const index = plan['Index Name'] === undefined ? [] : [plan['Index Name']];
  return [...own, ...index, ...(plan.Plans ?? []).flatMap(indexesIn)];
}

describe('the statement that reads the feed', () => {
  it('listEvents of one item finds them by the primary key', async () => {
    const indexes = await indexesOf({ queueIds: [7], itemId: 57 });
    // Only the feed can tell whether anything waits for the horizon.
    expect(indexes.toSorted()).toEqual(['events_feed', 'events_pkey', 'events_pkey']);
  });

  it('listEvents of a tenant, or of a queue, reads the feed in its order', async () => {
    expect(new Set(await indexesOf({}))).toEqual(new Set(['events_feed']));
    expect(new Set(await indexesOf({ queueIds: [7, 8], actorKinds: ['USER'] }))).toEqual(
      new Set(['events_feed']),
    );
  });

  it('listEvents backwards reads the feed in its order, and begins where it was told to', async () => {
    const stretch = { isBackwards: true, before: { tx: '200', id: 0 }, after: { tx: '101', id: 0 } };
    expect(new Set(await indexesOf({}, stretch))).toEqual(new Set(['events_feed']));
    const { rows, pages } = await walked(stretch);
    expect(rows).toBe(101);
    // The events between there and the end of the feed fill more than that.
    expect(pages).toBeLessThan(15);
  });

  it('listEvents forwards ends where it was told to', async () => {
    expect(await walked({ after: { tx: '299', id: 0 }, before: { tx: '300', id: 0 } })).toMatchObject({
      rows: 100,
    });
    expect(await walked({ isBackwards: true, before: { tx: '2', id: 0 } })).toMatchObject({ rows: 0 });
  });

  it('listEvents of a time range finds it by halves of the feed, by its index alone', async () => {
    const plans: Plan[] = [];
    await selectRange(explainer(plans, 'analyze, buffers, '), viewOf({ from: '2026-01-01T00:00:00Z' }));
    // Events and index have some hundreds of pages.
    expect(plans[0]?.['Shared Hit Blocks']).toBeLessThan(100);
    const indexes = plans.flatMap(indexesIn).filter((name) => name.startsWith('events'));
    expect(new Set(indexes)).toEqual(new Set(['events_feed']));
  });
});
