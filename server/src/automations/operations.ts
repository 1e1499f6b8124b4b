import { listQuery } from '../lists.ts';
import { standingsIn } from '../members/standings.ts';
import type { Context, PlainOperation } from '../operation.ts';
import { poolCapabilities } from '../pools/find.ts';
import { findAutomation, scopeOf } from './find.ts';
import {
  newAutomation,
  refuseBinding,
  refuseSecond,
  refuseUnknownUsers,
  type AutomationSettings,
  type Use,
} from './rules.ts';
import {
  automationFields,
  automationId,
  countAutomations,
  insertAutomation,
  lockQueue,
  saveRunAsUsers,
  selectActive,
  selectAutomations,
  selectUserIds,
} from './sql.ts';

export const createAutomation: PlainOperation<'createAutomation'> = async (context, { body }) => {
  const { db, actor, now } = context;
  const settings = newAutomation(body);
  await lockQueue(db, settings.queueId);
  refuseBinding(settings, await useOf(context, settings));
  refuseUnknownUsers(settings, await selectUserIds(db, actor.tenantId, settings.runAsUserIds));
  if (settings.status === 'ACTIVE') {
    refuseSecond(settings.queueId, await selectActive(db, settings.queueId, undefined));
  }
  const id = await insertAutomation(db, actor.tenantId, settings, { actorId: actor.id, now });
  await saveRunAsUsers(db, id, settings.runAsUserIds);
  return findAutomation(context, id);
};

async function useOf(context: Context, { queueId, poolId }: AutomationSettings): Promise<Use> {
  const [queue, pool] = await Promise.all([standingsIn(context, queueId), poolCapabilities(context, poolId)]);
  return { queue, pool };
}

export const getAutomation: PlainOperation<'getAutomation'> = async (context, { path }) =>
  findAutomation(context, path.id);

export const listAutomations: PlainOperation<'listAutomations'> = async ({ db, actor }, { body }) => {
  const query = listQuery(body, automationFields, automationId);
  const scope = scopeOf(actor);
  const counts = await countAutomations(db, scope, query.where);
  return { page: { offset: query.offset, ...counts }, list: await selectAutomations(db, scope, query) };
};
