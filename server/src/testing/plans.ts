import { sql, type Db } from '../engine/db.ts';
import type { Functions } from '../engine/operation.ts';
import * as functions from '../operations.ts';

// Rows come in the order of their tables, and joins mix them: a statement has its rows in order only where it asks for that.
const turned = {
  enable_seqscan: 'on',
  enable_indexscan: 'off',
  enable_indexonlyscan: 'off',
  enable_bitmapscan: 'off',
  enable_hashjoin: 'on',
  enable_material: 'on',
  enable_nestloop: 'off',
};

/** Has the statements of a transaction planned without any help of indexes, whatever the settings of its session. */
export async function turnPlans(db: Db): Promise<void> {
  await db.rows(
    sql`select set_config(key, value, true) from json_each_text(${JSON.stringify(turned)}::json)`,
  );
}

/** Stores the rows of a table in the opposite order of their ids. */
export async function turnOver(
  query: (text: string) => Promise<unknown>,
  table: 'work_items' | 'pools' | 'automations' | 'events',
): Promise<void> {
  await query(`create index turned on ${table} ((-id))`);
  await query(`cluster ${table} using turned`);
  await query('drop index turned');
}

type AnyFunction = (context: never, input: never) => Promise<unknown>;
type Work = (context: { db: Db }) => Promise<unknown>;

/** The functions of all operations, with statements planned without any help of indexes. */
export const functionsWithTurnedPlans = Object.fromEntries(
  Object.entries(functions as unknown as Record<string, AnyFunction>).map(([name, run]) => [
    name,
    turnedRun(run),
  ]),
) as unknown as Functions;

/**
 * The functions of all operations; those that work in a transaction of their callers report the number of index entries of items that they
 * have read.
 */
export function functionsThatCount(tell: (operation: string, entries: number) => void): Functions {
  const counted = Object.entries(functions as unknown as Record<string, AnyFunction>).map(([name, run]) => {
    const counting: AnyFunction = async (context: { db?: Db }, input) => {
      const before = context.db ? await entriesRead(context.db) : 0;
      const answer = await run(context as never, input);
      if (context.db) tell(name, (await entriesRead(context.db)) - before);
      return answer;
    };
    return [name, counting];
  });
  return Object.fromEntries(counted) as Functions;
}

async function entriesRead(db: Db): Promise<number> {
  const row = await db.row<{ entries: number }>(sql`
    select sum(pg_stat_get_xact_tuples_returned(indexrelid))::int as entries from pg_index where indrelid = 'work_items'::regclass`);
  return row?.entries ?? 0;
}

function turnedRun(run: AnyFunction): AnyFunction {
  return async (context: { db?: Db; transact?: (work: Work) => Promise<unknown> }, input) => {
    const { db, transact } = context;
    if (db) await turnPlans(db);
    if (!transact) return run(context as never, input);
    const transactTurned = (work: Work) =>
      transact(async (inner) => {
        await turnPlans(inner.db);
        return work(inner);
      });
    return run({ ...context, transact: transactTurned } as never, input);
  };
}
