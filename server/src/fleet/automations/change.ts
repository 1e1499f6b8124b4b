import type { Id, Schemas } from '@millrace/api';
import { capabilitiesOf } from '../../access/members/rules.ts';
import { nameProblems, namesOf, storedName, textProblems } from '../../engine/checks.ts';
import { join, raw, sql, type Db } from '../../engine/db.ts';
import { Refusal, refuseStale, registerConstraints, type ErrorDetail } from '../../engine/errors.ts';
import { authorOf, type Author, type Context, type PlainOperation } from '../../engine/operation.ts';
import { refuseExcess, refuseLookalike, type Kind } from '../../engine/quotas.ts';
import { poolWakeUp } from '../../engine/wake-ups.ts';
import { changedMembers, recordOfQueue } from '../../journal/journal.ts';
import type { NamedAutomation } from '../pools/pools.ts';
import { findAutomation, mayChange, useOf, type Use } from './automations.ts';

type Automation = Schemas['Automation'];

export const createAutomation: PlainOperation<'createAutomation'> = async (context, { body }) => {
  const { db, actor } = context;
  const settings = newAutomation(body);
  await lockQueue(db, actor.tenantId, settings.queueId);
  refuseBinding(settings, await useOf(context, settings));
  refuseRunAs(settings, [], actor);
  await refuseConflicts(context, settings, undefined);
  const stored = { ...settings, ...heldBy(undefined, settings, holder(context)) };
  const id = await insertAutomation(db, actor.tenantId, stored, authorOf(context));
  await refuseExcess(db, automationsOfTenant(actor.tenantId));
  await refuseNamesake(context, settings.name);
  await saveRunAsUsers(db, id, settings.runAsUserIds);
  wakeDevices(context, settings.poolId);
  // In the record of the queue, where people look for the fate of its items.
  await recordOfQueue(context, settings.queueId, {
    operation: 'createAutomation',
    changes: { automationId: id, ...settings },
  });
  return findAutomation(context, id);
};

const automationsOfTenant = (tenantId: Id): Kind => ({
  things: 'automations in this tenant',
  rows: sql`automations where tenant_id = ${tenantId}`,
  quota: 10_000,
  wayOut: 'Delete those that nobody needs first.',
});

function refuseNamesake({ db, actor }: Context, name: string): Promise<void> {
  return refuseLookalike(db, automationsOfTenant(actor.tenantId).rows, raw('name'), name);
}

export const updateAutomation: PlainOperation<'updateAutomation'> = async (context, { path, body }) => {
  const { db, actor } = context;
  const current = await findChangeable(context, path.id);
  const settings = changedAutomation(current, body);
  if (settings.poolId !== current.poolId) refuseBinding(settings, await useOf(context, settings));
  refuseRunAs(settings, current.runAsUserIds, actor);
  await refuseConflicts(context, settings, current.id);
  const stored = { ...settings, ...heldBy(current, settings, holder(context)) };
  await updateAutomationSettings(db, current.id, stored, authorOf(context));
  if (settings.name !== current.name) await refuseNamesake(context, settings.name);
  await saveRunAsUsers(db, current.id, settings.runAsUserIds);
  wakeDevices(context, settings.poolId);
  const changes = { automationId: current.id, ...changedMembers(current, settings) };
  await recordOfQueue(context, current.queueId, {
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
  await recordOfQueue(context, queueId, {
    operation: 'deleteAutomation',
    changes: { automationId: id, name },
  });
  await deleteAutomationRow(db, id);
};

/** An automation that the caller may change; changes of automations of one queue come one after the other. */
async function findChangeable(context: Context, id: Id): Promise<Automation> {
  const { queueId } = await findAutomation(context, id);
  await lockQueue(context.db, context.actor.tenantId, queueId);
  const automation = await findAutomation(context, id);
  refuseChange(automation, await useOf(context, automation));
  return automation;
}

/** Refuses run-as users that do not exist, and a second ACTIVE automation of the queue. */
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

// More than the devices of any pool.
const all = 10_000;

/** Wakes waiting devices of the pool: there may be work for them now. */
function wakeDevices({ wake }: Context, poolId: Id): void {
  wake(poolWakeUp(poolId), all);
}

/** Locks a queue of the tenant, so that its automations are changed one after the other. */
async function lockQueue(db: Db, tenantId: Id, queueId: Id): Promise<void> {
  await db.rows(sql`select from queues where id = ${queueId} and tenant_id = ${tenantId} for no key update`);
}

/** The ACTIVE automation of a queue, unless it is this one. */
function selectActive(db: Db, queueId: Id, other: Id | undefined): Promise<NamedAutomation | undefined> {
  return db.row(sql`
    select a.id, a.name from automations a
    where a.queue_id = ${queueId} and a.status = 'ACTIVE' and a.id is distinct from ${other}::bigint`);
}

/** The ids that belong to users of the tenant. */
async function selectUserIds(db: Db, tenantId: Id, ids: readonly Id[]): Promise<Id[]> {
  const rows = await db.rows<{ id: Id }>(
    sql`select id from users where tenant_id = ${tenantId} and id = any(${ids}::bigint[])`,
  );
  return rows.map(({ id }) => id);
}

registerConstraints({
  automations_name_unique: {
    code: 'NAME_TAKEN',
    message: 'An automation of this name exists already. Choose another name.',
  },
});

/** Stores an automation without its run-as users; returns its id. */
async function insertAutomation(
  db: Db,
  tenantId: Id,
  settings: AutomationSettings & Held,
  { actorId, now }: Author,
): Promise<Id> {
  const [row] = await db.rows<{ id: Id }>(sql`
    insert into automations (tenant_id, name, description, queue_id, pool_id, bot_name, labels, priority, weight, status,
      status_reason, status_by, status_on, created_by, created_on, updated_by, updated_on)
    values (${tenantId}, ${join(valuesOf(settings))}, ${actorId}, ${now}, ${actorId}, ${now})
    returning id`);
  return (row as { id: Id }).id;
}

/** Changes an automation without its run-as users, one version up. */
async function updateAutomationSettings(
  db: Db,
  id: Id,
  settings: AutomationSettings & Held,
  { actorId, now }: Author,
): Promise<void> {
  await db.rows(sql`
    update automations set (name, description, queue_id, pool_id, bot_name, labels, priority, weight, status,
        status_reason, status_by, status_on) = (${join(valuesOf(settings))}), version = version + 1,
      updated_by = ${actorId}, updated_on = ${now}
    where id = ${id}`);
}

/** In the order of the columns in the statements above. */
function valuesOf(settings: AutomationSettings & Held): unknown[] {
  return [
    settings.name,
    settings.description,
    settings.queueId,
    settings.poolId,
    settings.botName,
    settings.labels,
    settings.priority,
    settings.weight,
    settings.status,
    settings.statusReason ?? null,
    settings.statusBy ?? null,
    settings.statusOn ?? null,
  ];
}

/** Locks an automation against grants of its items. Grants lock the pool first, and so does this: otherwise they would deadlock. */
async function lockOutGrants(db: Db, { id, poolId }: { id: Id; poolId: Id }): Promise<void> {
  await db.rows(sql`select from pools where id = ${poolId} for no key update`);
  await db.rows(sql`select from automations where id = ${id} for update`);
}

/** Items in progress by an automation. */
async function countRuns(db: Db, id: Id): Promise<number> {
  const row = await db.row<{ running: number }>(sql`
    select count(*) as running from runs where automation_id = ${id}`);
  return row?.running ?? 0;
}

async function deleteAutomationRow(db: Db, id: Id): Promise<void> {
  await db.rows(sql`delete from automations where id = ${id}`);
}

/** Replaces the run-as users of an automation. */
async function saveRunAsUsers(db: Db, id: Id, userIds: readonly Id[]): Promise<void> {
  await db.rows(sql`
    with gone as (
      delete from automation_run_as_users where automation_id = ${id} and user_id <> all(${userIds}::bigint[]))
    insert into automation_run_as_users (automation_id, user_id) select ${id}, unnest(${userIds}::bigint[])
    on conflict do nothing`);
}

/** The settings of an automation that a person may change. */
type AutomationSettings = Pick<Schemas['Automation'], (typeof settingNames)[number]>;

const settingNames = [
  'name',
  'description',
  'queueId',
  'poolId',
  'botName',
  'labels',
  'priority',
  'weight',
  'status',
  'statusReason',
  'runAsUserIds',
] as const;

/** The settings of a new automation. @throws Refusal INVALID_REQUEST that names each member that is wrong. */
export function newAutomation(sent: Schemas['NewAutomation']): AutomationSettings {
  const { name, queueId, poolId, botName } = sent;
  const defaults: AutomationSettings = {
    name,
    description: '',
    queueId,
    poolId,
    botName,
    labels: [],
    priority: 4,
    weight: 1,
    status: 'ACTIVE',
    runAsUserIds: [],
  };
  return settle({ ...defaults, ...settingsIn(sent) });
}

/** The settings of an automation after a change. @throws Refusal VERSION_CONFLICT, INVALID_REQUEST */
export function changedAutomation(
  current: Schemas['Automation'],
  sent: Schemas['AutomationUpdate'],
): AutomationSettings {
  refuseStale('automation', current, sent);
  if (sent.queueId !== undefined && sent.queueId !== current.queueId) {
    const message = `cannot change: automation ${current.id} is for queue ${current.queueId}`;
    throw new Refusal('INVALID_REQUEST', `queueId ${message}. Create another automation.`, {
      details: [{ field: 'queueId', message }],
    });
  }
  return settle({ ...settingsIn(current), ...settingsIn(sent) } as AutomationSettings, current.name);
}

/** The person who put an automation on hold, and the time; none when it is ACTIVE. */
type Held = Pick<Schemas['Automation'], 'statusBy' | 'statusOn'>;

/** The holder after a change: its author if status or reason changed, otherwise the same as before. */
export function heldBy(
  current: (Held & Pick<AutomationSettings, 'status' | 'statusReason'>) | undefined,
  { status, statusReason }: Pick<AutomationSettings, 'status' | 'statusReason'>,
  author: Required<Held>,
): Held {
  if (status === 'ACTIVE') return {};
  const isAsBefore = current?.status === status && current.statusReason === statusReason;
  return isAsBefore ? ({ statusBy: current.statusBy, statusOn: current.statusOn } as Held) : author;
}

function settingsIn(sent: Partial<Schemas['Automation']>): Partial<AutomationSettings> {
  return Object.fromEntries(
    settingNames.flatMap((name) => (sent[name] === undefined ? [] : [[name, sent[name]]])),
  );
}

function settle({ statusReason, ...wanted }: AutomationSettings, currentName?: string): AutomationSettings {
  const isHeld = wanted.status !== 'ACTIVE';
  const unsaid = { field: 'statusReason', message: `is missing: say why the automation is ${wanted.status}` };
  const details = [
    ...nameProblems(wanted.name, currentName),
    ...textProblems('botName', [wanted.botName]),
    ...textProblems('labels', wanted.labels),
    ...(isHeld && statusReason === undefined ? [unsaid] : []),
  ];
  if (details.length > 0) throw invalid(details);
  const runAsUserIds = [...new Set(wanted.runAsUserIds)].toSorted((one, other) => (one < other ? -1 : 1));
  const name = wanted.name === currentName ? wanted.name : storedName(wanted.name);
  const settings = { ...wanted, name, labels: namesOf(wanted.labels), runAsUserIds };
  return isHeld && statusReason !== undefined ? { ...settings, statusReason } : settings;
}

/**
 * Refuses to bind a queue to a pool for a caller who may not use both. A queue or pool that the caller may not see is refused as if it did
 * not exist.
 */
export function refuseBinding({ queueId, poolId }: AutomationSettings, { queue, pool }: Use): void {
  const inQueue = capabilitiesOf(queue);
  const details = [
    ...(inQueue.size === 0 ? [{ field: 'queueId', message: unknown('queue', queueId) }] : []),
    ...(pool.has('view') ? [] : [{ field: 'poolId', message: unknown('pool', poolId) }]),
  ];
  if (details.length > 0) throw invalid(details);
  if (!inQueue.has('edit') && !inQueue.has('process')) {
    throw new Refusal(
      'FORBIDDEN',
      `To send the items of queue ${queueId} to devices, one must own or consume it. Ask an owner of the queue.`,
    );
  }
  if (!pool.has('use')) {
    throw new Refusal(
      'FORBIDDEN',
      `To send work to the devices of pool ${poolId}, one must own or consume it. Ask an owner of the pool.`,
    );
  }
}

/** Refuses a change by a caller who could not have created the automation, and who owns neither queue nor pool. */
export function refuseChange(
  { id, queueId, poolId }: Pick<Schemas['Automation'], 'id' | 'queueId' | 'poolId'>,
  { queue, pool }: Use,
): void {
  if (mayChange({ queue, pool })) return;
  throw new Refusal(
    'FORBIDDEN',
    `Automation ${id} can be changed by owners of queue ${queueId} and of pool ${poolId}, and by those who may use both. ` +
      'Ask one of them.',
  );
}

/** @throws Refusal IN_USE while items run by the automation */
export function refuseWhileRunning(id: Id, running: number): void {
  if (running === 0) return;
  const items = running === 1 ? '1 item runs' : `${running} items run`;
  throw new Refusal('IN_USE', `${items} by automation ${id}. Stop it, wait for them, and delete it then.`);
}

function unknown(kind: string, id: Id): string {
  return `names no ${kind}: there is none with the id ${id} for you`;
}

/**
 * Refuses run-as users whom the caller may not name. A caller may name themselves and users already named by the automation; a caller who
 * manages devices may name anybody.
 * @throws Refusal FORBIDDEN that names each of the others, whether there is such a user or not
 */
function refuseRunAs(
  { runAsUserIds }: Pick<AutomationSettings, 'runAsUserIds'>,
  former: readonly Id[],
  actor: { readonly id: Id; readonly permissions: ReadonlySet<string> },
): void {
  if (actor.permissions.has('manageDevices')) return;
  const others = runAsUserIds.filter((id) => id !== actor.id && !former.includes(id));
  if (others.length === 0) return;
  const message = 'is neither you nor a user whom the automation names already';
  throw new Refusal(
    'FORBIDDEN',
    `You may not have bots work as ${others.length === 1 ? 'user' : 'users'} ${others.join(', ')}: one names oneself, and whom the ` +
      'automation names already. Ask somebody with the permission manageDevices, such as a pool admin, to name others.',
    { details: others.map((id) => ({ field: 'runAsUserIds', message: `user ${id} ${message}` })) },
  );
}

/** @throws Refusal INVALID_REQUEST that names each id without a user */
export function refuseUnknownUsers({ runAsUserIds }: AutomationSettings, known: readonly Id[]): void {
  const unknownIds = runAsUserIds.filter((id) => !known.includes(id));
  const details = unknownIds.map((id) => ({ field: 'runAsUserIds', message: unknown('user', id) }));
  if (details.length > 0) throw invalid(details);
}

/** @throws Refusal STATUS_CONFLICT when another automation works on the queue. */
export function refuseSecond(queueId: Id, active: NamedAutomation | undefined): void {
  if (!active) return;
  throw new Refusal(
    'STATUS_CONFLICT',
    `Queue ${queueId} has an ACTIVE automation already: ${active.id}, "${active.name}". Pause or stop that one first.`,
  );
}

function invalid(details: ErrorDetail[]): Refusal {
  const sentences = details.map(({ field, message }) => `${field} ${message}`).join('; ');
  return new Refusal('INVALID_REQUEST', `This is no automation: ${sentences}.`, { details });
}
