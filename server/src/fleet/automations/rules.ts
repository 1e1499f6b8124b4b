import type { Id, Schemas } from '@millrace/api';
import { capabilitiesOf, type Membership } from '../../access/members/rules.ts';
import { nameProblems, namesOf, storedName, textProblems } from '../../engine/checks.ts';
import { Refusal, refuseStale, type ErrorDetail } from '../../engine/errors.ts';
import type { NamedAutomation, PoolCapability } from '../pools/rules.ts';

/** The settings of an automation that a person may change. */
export type AutomationSettings = Pick<Schemas['Automation'], (typeof settingNames)[number]>;

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
export type Held = Pick<Schemas['Automation'], 'statusBy' | 'statusOn'>;

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

/** The caller's memberships of a queue, and capabilities in a pool. */
export interface Use {
  readonly queue: readonly Membership[];
  readonly pool: ReadonlySet<PoolCapability>;
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

/** Whether a caller may change an automation: one who could have created it, or who owns its queue or pool. */
export function mayChange({ queue, pool }: Use): boolean {
  const inQueue = capabilitiesOf(queue);
  const mayCreate = (inQueue.has('edit') || inQueue.has('process')) && pool.has('use');
  return mayCreate || inQueue.has('edit') || pool.has('edit');
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
export function refuseRunAs(
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
