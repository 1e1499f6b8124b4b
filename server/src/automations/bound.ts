import type { Id } from '@millrace/api';
import type { Db } from '../db.ts';
import { refuseBound, type NamedAutomation } from './rules.ts';
import { selectBound } from './sql.ts';

const namedAutomations = 10;

/** The automations of a queue, which cannot be deleted under them: the first few. */
export function automationsOf(db: Db, queueId: Id): Promise<NamedAutomation[]> {
  return selectBound(db, { queueId }, namedAutomations);
}

/** @throws Refusal IN_USE that names the automations of a pool, which cannot be deleted under them */
export async function refuseWhileBound(db: Db, poolId: Id): Promise<void> {
  refuseBound(poolId, await selectBound(db, { poolId }, namedAutomations));
}
