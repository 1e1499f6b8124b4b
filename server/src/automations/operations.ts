import type { Id, Schemas } from '@millrace/api';
import { poolBell } from '../dispatch/bell.ts';
import { changedMembers } from '../events/rules.ts';
import { insertEvents } from '../events/sql.ts';
import { listQuery } from '../lists.ts';
import { standingsIn } from '../members/standings.ts';
import type { Context, PlainOperation } from '../operation.ts';
import { poolCapabilities } from '../pools/find.ts';
import { findAutomation, scopeOf } from './find.ts';
import {
  changedAutomation,
  heldBy,
  newAutomation,
  refuseBinding,
  refuseChange,
  refuseRunAs,
  refuseSecond,
  refuseUnknownUsers,
  refuseWhileRunning,
  type AutomationSettings,
  type Use,
} from './rules.ts';
import {
  automationFields,
  automationId,
  countAutomations,
  countRuns,
  deleteAutomationRow,
  insertAutomation,
  lockOutGrants,
  lockQueue,
  saveRunAsUsers,
  selectActive,
  selectAutomations,
  selectUserIds,
  updateAutomationSettings,
} from './sql.ts';

type Automation = Schemas['Automation'];

export const createAutomation: PlainOperation<'createAutomation'> = async (context, { body }) => {
  const { db, actor } = context;
  const settings = newAutomation(body);
  await lockQueue(db, actor.tenantId, settings.queueId);
  refuseBinding(settings, await useOf(context, settings));
  refuseRunAs(settings, [], actor);
  await refuseConflicts(context, settings, undefined);
  const stored = { ...settings, ...heldBy(undefined, settings, holder(context)) };
  const id = await insertAutomation(db, actor.tenantId, stored, author(context));
  await saveRunAsUsers(db, id, settings.runAsUserIds);
  wakeDevices(context, settings.poolId);
  await record(context, settings.queueId, {
    operation: 'createAutomation',
    changes: { automationId: id, ...settings },
  });
  return findAutomation(context, id);
};

export const updateAutomation: PlainOperation<'updateAutomation'> = async (context, { path, body }) => {
  const { db, actor } = context;
  const current = await findChangeable(context, path.id);
  const settings = changedAutomation(current, body);
  if (settings.poolId !== current.poolId) refuseBinding(settings, await useOf(context, settings));
  refuseRunAs(settings, current.runAsUserIds, actor);
  await refuseConflicts(context, settings, current.id);
  const stored = { ...settings, ...heldBy(current, settings, holder(context)) };
  await updateAutomationSettings(db, current.id, stored, author(context));
  await saveRunAsUsers(db, current.id, settings.runAsUserIds);
  wakeDevices(context, settings.poolId);
  const changes = { automationId: current.id, ...changedMembers(current, settings) };
  await record(context, current.queueId, {
    operation: 'updateAutomation',
    reason: body.statusReason,
    changes,
  });
  return findAutomation(context, current.id);
};

export const deleteAutomation: PlainOperation<'deleteAutomation'> = async (context, { path }) => {
  const { db } = context;
  const { id, name, queueId, poolId } = await findChangeable(context, path.id);
  await lockOutGrants(db, { id, poolId });
  refuseWhileRunning(id, await countRuns(db, id));
  await record(context, queueId, { operation: 'deleteAutomation', changes: { automationId: id, name } });
  await deleteAutomationRow(db, id);
};

/** An automation that the caller may change; the changes of automations of one queue come one after the other. */
async function findChangeable(context: Context, id: Id): Promise<Automation> {
  const { queueId } = await findAutomation(context, id);
  await lockQueue(context.db, context.actor.tenantId, queueId);
  const automation = await findAutomation(context, id);
  refuseChange(automation, await useOf(context, automation));
  return automation;
}

async function useOf(
  context: Context,
  { queueId, poolId }: Pick<Automation, 'queueId' | 'poolId'>,
): Promise<Use> {
  const [queue, pool] = await Promise.all([standingsIn(context, queueId), poolCapabilities(context, poolId)]);
  return { queue, pool };
}

/** Refuses run-as users that there are not, and a second ACTIVE automation of the queue. */
async function refuseConflicts(
  { db, actor }: Context,
  settings: AutomationSettings,
  id: Id | undefined,
): Promise<void> {
  const { queueId, runAsUserIds, status } = settings;
  refuseUnknownUsers(settings, await selectUserIds(db, actor.tenantId, runAsUserIds));
  if (status === 'ACTIVE') refuseSecond(queueId, await selectActive(db, queueId, id));
}

const holder = ({ actor, now }: Context) => ({ statusBy: actor.id, statusOn: now.toISOString() });

const author = ({ actor, now }: Context) => ({ actorId: actor.id, now });

// More than a pool has devices.
const all = 10_000;

/** Devices of the pool that wait for work look again: there may be some for them now. */
function wakeDevices({ woken }: Context, poolId: Id): void {
  woken.set(poolBell(poolId), all);
}

/** On the record of the queue, where people look for what became of its items. */
function record(
  { db, actor, now }: Context,
  queueId: Id,
  what: { operation: string; reason?: string | undefined; changes: object },
): Promise<void> {
  return insertEvents(db, queueId, [{ actorId: actor.id, ...what }], now);
}

export const getAutomation: PlainOperation<'getAutomation'> = async (context, { path }) =>
  findAutomation(context, path.id);

export const listAutomations: PlainOperation<'listAutomations'> = async ({ db, actor }, { body }) => {
  const query = listQuery(body, automationFields, automationId);
  const scope = scopeOf(actor);
  const counts = await countAutomations(db, scope, query.where);
  return { page: { offset: query.offset, ...counts }, list: await selectAutomations(db, scope, query) };
};
