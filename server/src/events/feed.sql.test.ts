import { beforeAll, describe, expect, it } from 'vitest';
import { openPool, type Pool, type Reader } from '../db.ts';
import { startApp, type App } from '../testing/app.ts';
import { selectFeedAfter, type Filter } from './feed.sql.ts';

interface Plan {
  readonly 'Node Type': string;
  readonly 'Index Name'?: string;
  readonly Plans?: readonly Plan[];
}

let app: App;
let pool: Pool;

beforeAll(async () => {
  app = await startApp();
  // Many events, so that a plan that reads them all would be a bad one.
  await app.sql(`
    insert into events (tenant_id, queue_id, item_id, operation, actor_id, at)
    select t.id, 1 + n % 50, n, 'createWorkItems', 0, now() from tenants t, generate_series(1, 20000) n`);
  await app.sql('analyze events');
  pool = openPool(app.connection, 1);
  return () => pool.end();
});

/** How a session of the server runs the statement that reads the feed: indexes of the events that it uses. */
async function indexesOf(filter: Filter): Promise<string[]> {
  const plans: Plan[] = [];
  const db: Reader = {
    rows: async (statement) => {
      const values = statement.values;
      const { rows } = await pool.query({ text: `explain (format json) ${statement.text}`, values });
      plans.push((rows as { 'QUERY PLAN': { Plan: Plan }[] }[])[0]?.['QUERY PLAN'][0]?.Plan as Plan);
      return [{ found: { matched: 0, horizon: '0', isBehind: false } }] as never;
    },
    row: () => Promise.reject(new Error('reads rows only')),
  };
  const view = { tenantId: 1, userId: 1, seesAllQueues: false, visibleOperations: '', filter };
  await selectFeedAfter(db, view, { tx: '0', id: 0 }, 100);
  return plans.flatMap(indexesIn).filter((name) => name.startsWith('events'));
}

function indexesIn(plan: Plan): string[] {
  const own = plan['Node Type'].startsWith('Seq Scan') ? ['events by reading all'] : [];
  const index = plan['Index Name'] === undefined ? [] : [plan['Index Name']];
  return [...own, ...index, ...(plan.Plans ?? []).flatMap(indexesIn)];
}

describe('the statement that reads the feed', () => {
  it('listEvents of one item finds them by the primary key', async () => {
    const indexes = await indexesOf({ queueId: 7, itemId: 57 });
    // The feed alone can say whether something waits for the horizon.
    expect(indexes.toSorted()).toEqual(['events_feed', 'events_pkey', 'events_pkey']);
  });

  it('listEvents of a tenant, or of a queue, reads the feed in its order', async () => {
    expect(new Set(await indexesOf({}))).toEqual(new Set(['events_feed']));
    expect(new Set(await indexesOf({ queueId: 7 }))).toEqual(new Set(['events_feed']));
  });
});
