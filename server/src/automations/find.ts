import type { Id, Schemas } from '@millrace/api';
import { Refusal } from '../errors.ts';
import type { Actor, Context } from '../operation.ts';
import { queuesOf } from '../members/standings.ts';
import { seesAllDevices, visiblePools } from '../pools/find.ts';
import { selectAutomation, type AutomationScope } from './sql.ts';

/** The automations that somebody may see: those of the queues and of the pools that one may see. */
export function scopeOf(actor: Actor): AutomationScope {
  const seesAll = seesAllDevices(actor) || actor.permissions.has('manageAllQueues');
  const [queues, pools] = seesAll ? [undefined, undefined] : [queuesOf(actor), visiblePools(actor)];
  return { tenantId: actor.tenantId, queues, pools };
}

/** An automation that the caller may see. @throws Refusal NOT_FOUND */
export async function findAutomation(
  { db, actor }: Pick<Context, 'db' | 'actor'>,
  id: Id,
): Promise<Schemas['Automation']> {
  const automation = await selectAutomation(db, scopeOf(actor), id);
  if (automation) return automation;
  throw new Refusal(
    'NOT_FOUND',
    `There is no automation ${id} for you. POST /v4/wlm/automations/list lists those.`,
  );
}
