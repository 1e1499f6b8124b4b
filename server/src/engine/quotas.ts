import { sql, type Db, type Sql } from './db.ts';
import { Refusal } from './errors.ts';

/** A kind of named things, and their owner: a tenant, or a user. */
export interface Kind {
  /** The things of the owner, in the words of a sentence: `queues in this tenant`. */
  readonly things: string;
  /** The rows of the owner, as SQL that follows "from" and ends in a condition. */
  readonly rows: Sql;
  /** The greatest number allowed. Far more than a company needs: it stops a program that makes them without end. */
  readonly quota: number;
  /** Advice to a caller when the quota is reached. */
  readonly wayOut: string;
}

/**
 * Refuses a thing that was just stored when there are now too many; its transaction is undone. Transactions do not see each other's
 * uncommitted rows, so that calls at the same moment may make a few more.
 */
export async function refuseExcess(db: Db, { things, rows, quota, wayOut }: Kind): Promise<void> {
  if ((await count(db, sql`select from ${rows} limit ${quota + 1}`)) <= quota) return;
  // Counted to the end only for the sentence.
  const others = (await count(db, sql`select from ${rows}`)) - 1;
  throw new Refusal(
    'QUOTA_REACHED',
    `There are ${others} ${things} already, and ${quota} is the most that there may be. ${wayOut}`,
  );
}

async function count(db: Db, selection: Sql): Promise<number> {
  const row = await db.row<{ count: number }>(sql`select count(*) as count from (${selection}) s`);
  return row?.count ?? 0;
}

/**
 * Refuses a name that was just stored when another differs from it only in the form of its characters: constraints compare them one by one.
 * @param column the column of the names, in the form in which they are unique
 * @throws Refusal NAME_TAKEN
 */
export async function refuseLookalike(db: Db, rows: Sql, column: Sql, name: string): Promise<void> {
  const other = await db.row<{ name: string }>(sql`
    select ${column} as name from ${rows} and ${column} <> ${name}
      and normalize(${column}, NFKC) = normalize(${name}::text, NFKC) limit 1`);
  if (!other) return;
  throw new Refusal(
    'NAME_TAKEN',
    `The name ${JSON.stringify(name)} differs from ${JSON.stringify(other.name)}, which exists already, only in the form of its ` +
      'characters. Choose another name.',
  );
}
