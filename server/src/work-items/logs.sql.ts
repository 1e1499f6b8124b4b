import { stringifyJson, type Id } from '@millrace/api';
import { named, sql, type Db } from '../db.ts';

/** An item, and the newest output of the bot that works on it, if there is some. */
export interface LogTail {
  readonly id: Id;
  readonly logTail?: string | undefined;
}

/** Keeps the newest output of bots with their items, in the place of what was there; of several for one item, the last. */
export async function saveLogTails(db: Db, queueId: Id, told: readonly LogTail[], now: Date): Promise<void> {
  const tails = new Map(told.filter(({ logTail }) => logTail !== undefined).map((one) => [one.id, one]));
  if (tails.size === 0) return;
  const list = [...tails.values()].map(({ id, logTail }) => ({ id, tail: logTail }));
  // In the order of the ids, so that two transactions never wait for each other.
  const statement = sql`
    insert into work_item_logs (queue_id, item_id, tail, updated_on)
    select ${queueId}, l.id, l.tail, ${now}
    from json_to_recordset(${stringifyJson(list)}::json) as l (id bigint, tail text) order by l.id
    on conflict (queue_id, item_id) do update set tail = excluded.tail, updated_on = excluded.updated_on`;
  await db.write(named('saveLogTails', statement));
}

/** The newest output of the bots that worked on an item, and when it came. */
export interface Log {
  readonly tail: string;
  readonly updatedOn: Date;
}

export function selectLog(db: Db, queueId: Id, itemId: Id): Promise<Log | undefined> {
  return db.row(sql`
    select tail, updated_on as "updatedOn" from work_item_logs where queue_id = ${queueId} and item_id = ${itemId}`);
}
