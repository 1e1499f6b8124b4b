import { sql, type Sql } from './db.ts';

// All that is read is held in memory, and rows may be large: who reads many of them takes portions.

/** The bytes of rows in one answer, or in one read, though never less than one row. */
export const portionBytes = 4 * 1024 * 1024;

/** The rows that one read looks at: few enough that the database is not kept busy with large ones that are cut off in the end. */
export const rowsAtOnce = 200;

/** How many bytes the rows have that come before a row, in an order. */
export function bytesBefore(bytes: Sql, order: Sql): Sql {
  return sql`coalesce(sum(${bytes}) over (order by ${order} rows between unbounded preceding and 1 preceding), 0)`;
}

/** So many statements share a round trip: enough that its time is hardly felt, and few enough that what follows is not kept waiting. */
export const statementsAtOnce = 25;

/** What is answered about each of many things, in their order; the statements about some of them share a round trip. */
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
