import type { Id, Schemas } from '@millrace/api';
import { nameProblems, storedName } from '../../engine/checks.ts';
import { Refusal, refuseStale, type ErrorDetail } from '../../engine/errors.ts';

/** A capability of a user for a pool. */
export type PoolCapability = 'view' | 'use' | 'edit';

/** The ground of a capability: as an owner, by a role that consumes the pool, or by a permission over all pools. */
export type PoolMembership = 'OWNER' | 'CONSUMER' | 'POOL_ADMIN' | 'VIEWER';

/** A user without a membership does not even see the pool. */
const capabilitiesByMembership: Record<PoolMembership, readonly PoolCapability[]> = {
  OWNER: ['view', 'use', 'edit'],
  CONSUMER: ['view', 'use'],
  POOL_ADMIN: ['view', 'use', 'edit'],
  VIEWER: ['view'],
};

/** The capabilities that memberships give together. */
export function poolCapabilitiesOf(memberships: readonly PoolMembership[]): ReadonlySet<PoolCapability> {
  return new Set(memberships.flatMap((membership) => capabilitiesByMembership[membership]));
}

/** The settings of a pool that a person may change. */
export type PoolSettings = Pick<Schemas['Pool'], (typeof settingNames)[number]>;

const settingNames = [
  'name',
  'description',
  'scheme',
  'timeSliceSeconds',
  'deviceIds',
  'ownerIds',
  'consumerRoleIds',
] as const;

/** The settings of a new pool, which belongs to its creator unless owners are named. @throws Refusal INVALID_REQUEST */
export function newPool(sent: Schemas['NewPool'], creatorId: Id): PoolSettings {
  const defaults: PoolSettings = {
    name: sent.name,
    description: '',
    scheme: 'FAIR',
    timeSliceSeconds: 300,
    deviceIds: [],
    ownerIds: [creatorId],
    consumerRoleIds: [],
  };
  return settle({ ...defaults, ...settingsIn(sent) });
}

/** The settings of a pool after a change. @throws Refusal VERSION_CONFLICT, INVALID_REQUEST */
export function changedPool(current: Schemas['Pool'], sent: Schemas['PoolUpdate']): PoolSettings {
  refuseStale('pool', current, sent);
  return settle({ ...settingsIn(current), ...settingsIn(sent) } as PoolSettings, current.name);
}

function settingsIn(sent: Partial<Schemas['Pool']>): Partial<PoolSettings> {
  return Object.fromEntries(
    settingNames.flatMap((name) => (sent[name] === undefined ? [] : [[name, sent[name]]])),
  );
}

/** The lists are sets: each id once, sorted, in the form in which they are read later. */
function settle(
  { deviceIds, ownerIds, consumerRoleIds, ...settings }: PoolSettings,
  currentName?: string,
): PoolSettings {
  const details = nameProblems(settings.name, currentName);
  if (details.length > 0) throw invalid(details);
  return {
    ...settings,
    name: settings.name === currentName ? settings.name : storedName(settings.name),
    deviceIds: sortedSet(deviceIds),
    ownerIds: sortedSet(ownerIds),
    consumerRoleIds: sortedSet(consumerRoleIds),
  };
}

function sortedSet(ids: readonly Id[]): Id[] {
  return [...new Set(ids)].toSorted((one, other) => (one < other ? -1 : 1));
}

/** The sent ids that a pool may name. */
export type Known = Pick<PoolSettings, 'deviceIds' | 'ownerIds' | 'consumerRoleIds'>;

const lists = {
  deviceIds: 'device that you may put into a pool',
  ownerIds: 'user',
  consumerRoleIds: 'role',
} as const;

/** @throws Refusal INVALID_REQUEST that names each id that is unknown */
export function refuseUnknown(settings: PoolSettings, known: Known): void {
  const details = Object.entries(lists).flatMap(([list, kind]) => {
    const field = list as keyof typeof lists;
    const there = new Set(known[field]);
    const unknown = settings[field].filter((id) => !there.has(id));
    return unknown.map((id) => ({ field, message: `names no ${kind}: there is none with the id ${id}` }));
  });
  if (details.length > 0) throw invalid(details);
}

function invalid(details: ErrorDetail[]): Refusal {
  const sentences = details.map(({ field, message }) => `${field} ${message}`).join('; ');
  return new Refusal('INVALID_REQUEST', `This is no pool: ${sentences}.`, { details });
}

/** The devices that came into the pool or left it. */
export function movedDevices(
  before: Pick<PoolSettings, 'deviceIds'>,
  after: Pick<PoolSettings, 'deviceIds'>,
): Id[] {
  const [old, wanted] = [new Set(before.deviceIds), new Set(after.deviceIds)];
  const came = after.deviceIds.filter((id) => !old.has(id));
  const left = before.deviceIds.filter((id) => !wanted.has(id));
  return [...came, ...left];
}

/** Automations in words, for refusals. */
export function namesOfAutomations(automations: readonly NamedAutomation[]): string {
  const names = automations.map(({ id, name }) => `${id} "${name}"`).join(', ');
  return `${automations.length === 1 ? 'automation' : 'automations'} ${names}`;
}

/** @throws Refusal IN_USE that names the automations bound to a pool */
export function refuseBound(poolId: Id, bound: readonly NamedAutomation[]): void {
  if (bound.length === 0) return;
  const them = bound.length === 1 ? 'it' : 'them';
  throw new Refusal('IN_USE', `Pool ${poolId} has the ${namesOfAutomations(bound)}. Delete ${them} first.`);
}

/** An automation by the names that people know it by. */
export interface NamedAutomation {
  readonly id: Id;
  readonly name: string;
}
