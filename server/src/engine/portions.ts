import { sql, type Sql } from './db.ts';

// All rows read are held in memory, and may be large: code that reads many of them takes portions.

/** The bytes of rows in one answer, or in one read, though never less than one row. */
export const portionBytes = 4 * 1024 * 1024;

/** The rows examined by one read: few enough that the database does not work on large ones that are cut off in the end. */
export const rowsAtOnce = 200;

/** The bytes of the rows that come before a row, in an order. */
export function bytesBefore(bytes: Sql, order: Sql): Sql {
  return sql`coalesce(sum(${bytes}) over (order by ${order} rows between unbounded preceding and 1 preceding), 0)`;
}

/** Statements that share a round trip: enough to make its time hardly felt, and few enough not to keep later ones waiting. */
export const statementsAtOnce = 25;

/** The answers about many things, in their order; the statements about some of them share a round trip. */
export async function askedTogether<Thing, Answer>(
  things: readonly Thing[],
  ask: (thing: Thing) => Promise<Answer>,
): Promise<Answer[]> {
  const answers: Answer[] = [];
  while (answers.length < things.length) {
    const next = things.slice(answers.length, answers.length + statementsAtOnce);
    answers.push(...(await Promise.all(next.map(ask))));
  }
  return answers;
}
