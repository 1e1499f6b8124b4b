import type { Db, Sql } from '../db.ts';

/**
 * The same connection, which notices when events are written through it. Whoever writes them cannot forget to tell, and a
 * statement that would have written some but answers no row, such as a claim that found nothing, wakes nobody.
 */
export function noticingEvents(db: Db, notice: () => void): Db {
  const rows: Db['rows'] = async <T>(statement: Sql) => {
    const answer = await db.rows<T>(statement);
    if (answer.length > 0 && writesEvents(statement)) notice();
    return answer;
  };
  const write: Db['write'] = (statement) => {
    if (writesEvents(statement)) notice();
    return db.write(statement);
  };
  return { rows, row: async <T>(statement: Sql) => (await rows<T>(statement))[0], write };
}

function writesEvents({ strings }: Sql): boolean {
  return strings.some((part) => part.includes('insert into events'));
}
