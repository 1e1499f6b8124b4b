import type { Id, Schemas } from '@millrace/api';

type Stats = Schemas['QueueStats'];
type Device = Schemas['Device'];
type Explanation = Schemas['Explanation'];
type Automation = Schemas['Automation'];
type Cluster = Schemas['FailureCluster'];

/** The figures, with newer ones in place of older ones. */
export function merged(known: readonly Stats[], newer: readonly Stats[]): Stats[] {
  const byId = new Map(newer.map((one) => [one.queueId, one]));
  const added = newer.filter(({ queueId }) => !known.some((one) => one.queueId === queueId));
  return [...known.map((one) => byId.get(one.queueId) ?? one), ...added];
}

/** The number of items in doubt. */
export function doubtsIn(stats: readonly Stats[]): number {
  return stats.reduce((sum, { inDoubt }) => sum + inDoubt, 0);
}

/** Whether items wait and none runs; only such a queue is asked for its reasons. */
export function standsStill({ counts, inBackOff }: Stats): boolean {
  return counts.NEW - inBackOff > 0 && counts.IN_PROGRESS === 0;
}

/** Reasons that last until somebody acts. */
const needing: readonly Explanation['code'][] = [
  'QUEUE_PAUSED',
  'AUTOMATION_STOPPED',
  'AUTOMATION_PAUSED',
  'NO_AUTOMATION',
  'NO_DEVICE',
  'NO_DEVICE_CONNECTED',
  'NO_DEVICE_WITH_LABELS',
  'NO_DEVICE_WITH_BOT',
  'DEVICES_HELD',
  'RUN_AS_USERS_DISABLED',
];

function needsSomebody({ code }: Pick<Explanation, 'code'>): boolean {
  return needing.includes(code);
}

/** Something that needs a person. */
export type Need =
  | {
      readonly kind: 'doubts';
      readonly queueId: Id;
      readonly queueName: string;
      readonly amount: number;
      readonly since: string | undefined;
    }
  | {
      readonly kind: 'lostWithItems' | 'quarantined' | 'lost';
      readonly device: Device;
      readonly since: string | undefined;
    }
  | {
      readonly kind: 'queue';
      readonly stats: Stats;
      readonly why: Explanation;
      readonly since: string | undefined;
    }
  | {
      readonly kind: 'level';
      readonly level: Schemas['QueueLevelState'];
      readonly since: string | undefined;
    }
  | { readonly kind: 'runAs'; readonly automation: Automation; readonly since: undefined }
  | { readonly kind: 'failures'; readonly cluster: Cluster; readonly since: string | undefined };

/** The facts about everything that may need a person. */
interface Facts {
  /** Items in doubt, the longest waiting ones, and the number of all. */
  readonly doubts: Schemas['ItemsInDoubt'];
  readonly stats: readonly Stats[];
  readonly devices: readonly Device[];
  /** The reasons of each queue that stands still. */
  readonly whys: readonly { readonly stats: Stats; readonly why: Explanation }[];
  readonly levels: readonly Schemas['QueueLevelState'][];
  readonly clusters: readonly Cluster[];
  /** Automations whose run-as users are all disabled. */
  readonly idle: readonly Automation[];
  readonly now: number;
}

/** Everything that needs a person, the most urgent first, and within a kind the longest waiting. */
export function needsOf({ doubts, stats, devices, whys, levels, clusters, idle, now }: Facts): Need[] {
  const queues = whys
    .filter(({ why }) => needsSomebody(why))
    .map((one): Need => ({ kind: 'queue', ...one, since: oldestOf(one.stats, now) }));
  const all = [
    ...doubtsByQueue(doubts, stats),
    ...devices.flatMap(needOfDevice),
    ...queues,
    ...idle.filter(({ queueId }) => !isTold(queueId, whys)).map(needOfAutomation),
    ...levels.flatMap(needOfLevel),
    ...clusters.flatMap(needOfCluster),
  ];
  return all.toSorted((one, other) => rankOf(one) - rankOf(other) || compare(one.since, other.since));
}

const ranks = [
  'doubts',
  'lostWithItems',
  'BROKEN',
  'queue',
  'runAs',
  'failures',
  'AT_RISK',
  'quarantined',
  'lost',
] as const;

function rankOf(need: Need): number {
  const what = need.kind === 'level' ? need.level.state : need.kind;
  return ranks.findIndex((one) => one === what);
}

function compare(one = '', other = ''): number {
  return one < other ? -1 : Number(one > other);
}

function oldestOf({ oldestWaitingSeconds }: Stats, now: number): string | undefined {
  if (oldestWaitingSeconds === undefined) return undefined;
  return new Date(now - 1000 * oldestWaitingSeconds).toISOString();
}

/** Where more items are in doubt than were listed, the figures of the queues have their number. */
function doubtsByQueue({ list, total }: Schemas['ItemsInDoubt'], stats: readonly Stats[]): Need[] {
  const listed = new Map(list.toReversed().map(({ queueId, queueName }) => [queueId, queueName]));
  const counted = stats.filter(({ inDoubt }) => total > list.length && inDoubt > 0);
  const names = new Map([...listed, ...counted.map((one) => [one.queueId, one.queueName] as const)]);
  return [...names].map(([queueId, queueName]) => {
    const own = list.filter((one) => one.queueId === queueId);
    const { inDoubt = 0 } = counted.find((one) => one.queueId === queueId) ?? {};
    return {
      kind: 'doubts',
      queueId,
      queueName,
      amount: Math.max(own.length, inDoubt),
      since: own[0]?.since,
    };
  });
}

/** Whether the reason why a queue stands still says it already. */
function isTold(queueId: Id, whys: Facts['whys']): boolean {
  return whys.some(({ stats, why }) => stats.queueId === queueId && why.code === 'RUN_AS_USERS_DISABLED');
}

function needOfAutomation(automation: Automation): Need {
  return { kind: 'runAs', automation, since: undefined };
}

function needOfLevel(level: Schemas['QueueLevelState']): Need[] {
  const { state, stateOn } = level;
  return state === 'KEPT' ? [] : [{ kind: 'level', level, since: stateOn }];
}

/** A new cause that nobody has acted on yet; items in doubt are a need of their own. */
function needOfCluster(cluster: Cluster): Need[] {
  const { isNew, count, failureKind, firstSeenOn } = cluster;
  if (!isNew || count === 0 || failureKind === 'IN_DOUBT') return [];
  return [{ kind: 'failures', cluster, since: firstSeenOn }];
}

function needOfDevice(device: Device): Need[] {
  const { state, status, stateOn, lastSeenOn, busySlots } = device;
  if (state === 'QUARANTINED') return [{ kind: 'quarantined', device, since: stateOn }];
  if (status === 'CONNECTED') return [];
  return [{ kind: busySlots > 0 ? 'lostWithItems' : 'lost', device, since: lastSeenOn }];
}

/** Queues that need a person first, then those with items in doubt, recent failures, and open items. */
export function worstQueuesFirst(stats: readonly Stats[], needy: ReadonlySet<Id>): Stats[] {
  const rank = ({ queueId, inDoubt, recent, counts }: Stats) => {
    if (needy.has(queueId)) return 0;
    if (inDoubt > 0) return 1;
    if (recent.failed > 0) return 2;
    return counts.NEW + counts.IN_PROGRESS > 0 ? 3 : 4;
  };
  return stats.toSorted(
    (one, other) =>
      rank(one) - rank(other) || other.counts.NEW - one.counts.NEW || compare(one.queueName, other.queueName),
  );
}

/** Causes of failures first seen at a time or later, with that time. */
export function bornSince(clusters: readonly Cluster[], from: string | undefined) {
  return clusters.flatMap((cluster) => {
    const { firstSeenOn: on, count } = cluster;
    const isBorn = from !== undefined && on !== undefined && count > 0 && Date.parse(on) >= Date.parse(from);
    return isBorn ? [{ ...cluster, on }] : [];
  });
}

/** The figures in an order chosen before; newer queues come last. */
export function inOrder(stats: readonly Stats[], order: readonly Id[]): Stats[] {
  const places = new Map(order.map((id, place) => [id, place]));
  const placeOf = ({ queueId }: Stats) => places.get(queueId) ?? order.length;
  return stats.toSorted((one, other) => placeOf(one) - placeOf(other));
}
