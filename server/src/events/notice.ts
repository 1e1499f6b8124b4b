import type { Db } from '../db.ts';

/**
 * The same connection, which notices when events are written through it. Whoever writes them cannot forget to tell, and a
 * statement that would have written some but answers no row, such as a claim that found nothing, wakes nobody.
 */
export function noticingEvents(db: Db, notice: () => void): Db {
  const rows: Db['rows'] = async <T>(statement: Parameters<Db['rows']>[0]) => {
    const answer = await db.rows<T>(statement);
    if (answer.length > 0 && statement.strings.some((part) => part.includes('insert into events'))) notice();
    return answer;
  };
  return { rows, row: async <T>(statement: Parameters<Db['row']>[0]) => (await rows<T>(statement))[0] };
}
