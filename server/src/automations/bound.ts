import type { Db } from '../db.ts';
import { refuseBound } from './rules.ts';
import { selectBound, type Binding } from './sql.ts';

const namedAutomations = 10;

/** @throws Refusal IN_USE that names the automations of the queue or the pool, which cannot be deleted under them */
export async function refuseWhileBound(db: Db, binding: Binding): Promise<void> {
  const what = 'queueId' in binding ? `queue ${binding.queueId}` : `pool ${binding.poolId}`;
  refuseBound(what, await selectBound(db, binding, namedAutomations));
}
