import type { Id } from '@millrace/api';
import type { Sql } from '../db.ts';
import type { Actor, Context } from '../operation.ts';
import type { Standing } from './rules.ts';
import { queuesOfUser, selectStandings } from './sql.ts';

/** Why the caller belongs to a queue that is not the one of the operation; empty when there is none for the caller. */
export async function standingsIn(
  { db, actor }: Pick<Context, 'db' | 'actor'>,
  queueId: Id,
): Promise<readonly Standing[]> {
  const standings = await selectStandings(db, actor, queueId);
  if (!standings) return [];
  return actor.permissions.has('manageAllQueues') ? [...standings, 'QUEUE_ADMIN'] : standings;
}

/** The ids of the queues that the caller belongs to, as SQL. */
export function queuesOf({ id }: Pick<Actor, 'id'>): Sql {
  return queuesOfUser(id);
}
