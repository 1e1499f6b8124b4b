import { readFileSync } from 'node:fs';
import pg from 'pg';

/** Index scans only, and one plan for each statement instead of one for each call. */
export const pinned = '-c enable_seqscan=off -c enable_bitmapscan=off -c plan_cache_mode=force_generic_plan';

export async function connect(url: string, schema: string, settings = ''): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, options: `-c search_path=${schema} ${settings}` });
  await client.connect();
  return client;
}

const names = new Map<string, string>();

/** Runs a statement as a named prepared one, as the server does. */
export async function run<T extends pg.QueryResultRow>(
  client: pg.Client,
  text: string,
  values: unknown[],
): Promise<T[]> {
  const name = names.get(text) ?? `s${names.size}`;
  names.set(text, name);
  return (await client.query<T>({ name, text, values })).rows;
}

/** The number in the column `n` of the only row. */
export async function number(client: pg.Client, text: string): Promise<number> {
  const { rows } = await client.query<{ n: string | null }>(text);
  return rows[0]?.n == null ? Number.NaN : Number(rows[0].n);
}

/**
 * Processor time, in microseconds, that the server processes of these sessions have used: far steadier than
 * elapsed time on a busy machine. NaN when the server runs elsewhere.
 */
export async function cpuOf(clients: readonly pg.Client[]): Promise<number> {
  let sum = 0;
  for (const client of clients) {
    const pid = await number(client, 'SELECT pg_backend_pid() AS n');
    try {
      sum += Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0]) / 1000;
    } catch {
      return Number.NaN;
    }
  }
  return sum;
}

/** Opens a snapshot that keeps everything deleted or updated later from being cleaned away. */
export async function holdSnapshot(client: pg.Client): Promise<void> {
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1 FROM work_items LIMIT 1');
}

interface PlanNode {
  'Node Type': string;
  'Index Name'?: string;
  'Shared Hit Blocks': number;
  'Shared Read Blocks': number;
  Plans?: PlanNode[];
}

interface Plan {
  Plan: PlanNode;
  'Planning Time': number;
  'Execution Time': number;
}

export interface Cost {
  buffers: number;
  ms: number;
  planMs: number;
  scans: string;
}

function scansOf(node: PlanNode): string[] {
  const own = /(Seq|Index|Bitmap).* Scan|Join/.test(node['Node Type'])
    ? [node['Index Name'] ?? node['Node Type']]
    : [];
  return [...own, ...(node.Plans ?? []).flatMap(scansOf)];
}

/** The buffers that one statement touches, measured and rolled back. */
export async function explain(client: pg.Client, sql: string, values: readonly unknown[]): Promise<Cost> {
  let text = sql;
  for (const [at, value] of values.entries()) text = text.replaceAll(`$${at + 1}`, String(value));
  await client.query('BEGIN');
  const { rows } = await client.query<{ 'QUERY PLAN': Plan[] }>(
    `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${text}`,
  );
  await client.query('ROLLBACK');
  const plan = rows[0]?.['QUERY PLAN'][0];
  if (plan === undefined) throw new Error('no plan');
  return {
    buffers: plan.Plan['Shared Hit Blocks'] + plan.Plan['Shared Read Blocks'],
    ms: plan['Execution Time'],
    planMs: plan['Planning Time'],
    scans: scansOf(plan.Plan).join(', '),
  };
}
