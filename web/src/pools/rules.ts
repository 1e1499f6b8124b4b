import { stringifyJson, toId, type Id, type Schemas } from '@millrace/api';

type Automation = Schemas['Automation'];
type Pool = Schemas['Pool'];

/** The share of an automation in the work of its pool, intended and recent, each as a part of 1. */
export interface Share {
  readonly automation: Automation;
  readonly due: number;
  /** Undefined as long as nothing was finished in the pool. */
  readonly got: number | undefined;
  /** The recently finished items of its queue; undefined where the queue is not visible. */
  readonly finished: number | undefined;
}

/** The shares of the active automations of a pool: by weight with FAIR, otherwise equal. */
export function sharesOf(
  pool: Pool,
  automations: readonly Automation[],
  stats: readonly Schemas['QueueStats'][],
): Share[] {
  const own = automations.filter(({ poolId, status }) => poolId === pool.id && status === 'ACTIVE');
  const weightOf = ({ weight }: Automation) => (pool.scheme === 'FAIR' ? weight : 1);
  const weights = own.reduce((sum, one) => sum + weightOf(one), 0);
  const counts = own.map(({ queueId }) => {
    const recent = stats.find((one) => one.queueId === queueId)?.recent;
    return recent && recent.complete + recent.failed;
  });
  const all = counts.reduce<number>((sum, count) => sum + (count ?? 0), 0);
  return own.map((automation, index) => {
    const finished = counts[index];
    const got = finished === undefined || all === 0 ? undefined : finished / all;
    return { automation, due: weightOf(automation) / weights, got, finished };
  });
}

/** A pool while somebody writes it: ids and numbers as texts. */
export interface Draft {
  readonly name: string;
  readonly description: string;
  readonly scheme: Pool['scheme'];
  readonly slice: string;
  readonly devices: readonly string[];
  readonly owners: readonly string[];
  readonly consumers: readonly string[];
}

/** The draft of a pool; without one, of a new pool. @param me the owner of a new pool */
export function draftOf(pool: Partial<Pool>, me?: Id): Draft {
  const texts = (ids: readonly Id[] = []) => ids.map(String);
  return {
    name: pool.name ?? '',
    description: pool.description ?? '',
    scheme: pool.scheme ?? 'FAIR',
    slice: String(pool.timeSliceSeconds ?? 300),
    devices: texts(pool.deviceIds),
    owners: texts(pool.ownerIds ?? (me === undefined ? [] : [me])),
    consumers: texts(pool.consumerRoleIds),
  };
}

type Settings = Omit<Schemas['NewPool'], 'id'>;

/** The lists of drafts and settings: they have no order. */
export const sets = {
  devices: 'set',
  deviceIds: 'set',
  owners: 'set',
  ownerIds: 'set',
  consumers: 'set',
  consumerRoleIds: 'set',
} as const;

/** The settings of a draft, as in the contract. Lists are sorted, as the server has them. */
export function settingsOf(draft: Draft): Settings {
  const ids = (texts: readonly string[]) =>
    texts.map((text) => toId(text)).toSorted((one, other) => (one < other ? -1 : 1));
  return {
    name: draft.name.trim(),
    description: draft.description,
    scheme: draft.scheme,
    timeSliceSeconds: Number(draft.slice),
    deviceIds: ids(draft.devices),
    ownerIds: ids(draft.owners),
    consumerRoleIds: ids(draft.consumers),
  };
}

/** The settings that a draft changes in a pool. */
export function changesIn(pool: Pool, draft: Draft): Partial<Settings> {
  const [before, after] = [settingsOf(draftOf(pool)), settingsOf(draft)];
  const names = Object.keys(after) as (keyof Settings)[];
  const changed = names.filter((name) => stringifyJson(before[name]) !== stringifyJson(after[name]));
  return Object.fromEntries(changed.map((name) => [name, after[name]]));
}

/** The numbers of devices that a draft puts into a pool, and takes out of it. */
export function movesIn({ deviceIds = [] }: Partial<Pool>, { devices }: Draft) {
  const before = deviceIds.map(String);
  return {
    into: devices.filter((id) => !before.includes(id)).length,
    out: before.filter((id) => !devices.includes(id)).length,
  };
}
