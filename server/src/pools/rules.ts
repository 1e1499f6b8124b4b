import type { Id, Schemas } from '@millrace/api';
import { Refusal, refuseStale, type ErrorDetail } from '../errors.ts';
import { nameProblems } from '../models/rules.ts';

/** What somebody may do with a pool. */
export type PoolCapability = 'view' | 'use' | 'edit';

/** Why somebody may do it: as its owner, by a role that consumes it, or by a permission over all pools. */
export type PoolStanding = 'OWNER' | 'CONSUMER' | 'POOL_ADMIN' | 'VIEWER';

/** Who may do what with a pool. Whoever has no standing does not see the pool at all. */
const capabilitiesByStanding: Record<PoolStanding, readonly PoolCapability[]> = {
  OWNER: ['view', 'use', 'edit'],
  CONSUMER: ['view', 'use'],
  POOL_ADMIN: ['view', 'use', 'edit'],
  VIEWER: ['view'],
};

/** What the standings of a user allow together. */
export function poolCapabilitiesOf(standings: readonly PoolStanding[]): ReadonlySet<PoolCapability> {
  return new Set(standings.flatMap((standing) => capabilitiesByStanding[standing]));
}

/** What a person may set of a pool. */
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
  return settle({ ...settingsIn(current), ...settingsIn(sent) } as PoolSettings);
}

function settingsIn(sent: Partial<Schemas['Pool']>): Partial<PoolSettings> {
  return Object.fromEntries(
    settingNames.flatMap((name) => (sent[name] === undefined ? [] : [[name, sent[name]]])),
  );
}

/** The lists are sets: each id once, in order, as they are read later. */
function settle({ deviceIds, ownerIds, consumerRoleIds, ...settings }: PoolSettings): PoolSettings {
  const details = nameProblems(settings.name);
  if (details.length > 0) throw invalid(details);
  return {
    ...settings,
    deviceIds: sortedSet(deviceIds),
    ownerIds: sortedSet(ownerIds),
    consumerRoleIds: sortedSet(consumerRoleIds),
  };
}

function sortedSet(ids: readonly Id[]): Id[] {
  return [...new Set(ids)].toSorted((one, other) => (one < other ? -1 : 1));
}

/** The ids that a pool may name, among those that were sent. */
export type Known = Pick<PoolSettings, 'deviceIds' | 'ownerIds' | 'consumerRoleIds'>;

const lists = {
  deviceIds: 'device that you may put into a pool',
  ownerIds: 'user',
  consumerRoleIds: 'role',
} as const;

/** @throws Refusal INVALID_REQUEST that names each id that is none. */
export function refuseUnknown(settings: PoolSettings, known: Known): void {
  const details = Object.entries(lists).flatMap(([list, what]) => {
    const field = list as keyof typeof lists;
    const there = new Set(known[field]);
    const unknown = settings[field].filter((id) => !there.has(id));
    return unknown.map((id) => ({ field, message: `names no ${what}: there is none with the id ${id}` }));
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
