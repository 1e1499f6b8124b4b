import { sql, type Db, type Sql } from '../engine/db.ts';
import type { Functions } from '../engine/operation.ts';

interface Plan {
  readonly Plan: { readonly 'Shared Hit Blocks': number; readonly 'Shared Read Blocks': number };
}

type AnyFunction = (context: { readonly db: Db }, input: never) => Promise<unknown>;

/** The amount that an operation had the database read. */
export interface Reading {
  /** Pages of 8 kB, each counted as often as it was read. */
  buffers: number;
  statements: string[];
}

/**
 * An operation that reads, with a record of the pages that the database read for it. Unlike time, that is the same on every machine.
 * @param reading is added to.
 */
export function noting<Name extends keyof Functions>(
  operation: Functions[Name],
  reading: Reading,
): Functions[Name] {
  const run = operation as unknown as AnyFunction;
  const noted: AnyFunction = (context, input) =>
    run({ ...context, db: notingDb(context.db, reading) }, input);
  return noted as unknown as Functions[Name];
}

function notingDb(db: Db, reading: Reading): Db {
  const note = async (statement: Sql) => {
    const [row] = await db.rows<{ 'QUERY PLAN': Plan[] }>(
      sql`explain (analyze, buffers, format json) ${statement}`,
    );
    const plan = row?.['QUERY PLAN'][0]?.Plan;
    if (plan) reading.buffers += plan['Shared Hit Blocks'] + plan['Shared Read Blocks'];
    reading.statements.push(statement.sql);
  };
  return {
    ...db,
    rows: async (statement) => {
      await note(statement);
      return db.rows(statement);
    },
    row: async (statement) => {
      await note(statement);
      return db.row(statement);
    },
  };
}
