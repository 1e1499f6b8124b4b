import { queuesOf } from '../members/standings.ts';
import type { PlainOperation } from '../operation.ts';
import { countDoubts, selectDoubts } from './doubts.sql.ts';

const shownDoubts = 100;

export const listDoubts: PlainOperation<'listDoubts'> = async ({ db, actor }, { query }) => {
  const queues = actor.permissions.has('manageAllQueues') ? undefined : queuesOf(actor);
  const scope = { tenantId: actor.tenantId, queues };
  const total = await countDoubts(db, scope);
  return { total, list: await selectDoubts(db, scope, query.limit ?? shownDoubts) };
};
