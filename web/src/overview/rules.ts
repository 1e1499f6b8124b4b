import type { Id, Schemas } from '@millrace/api';

type Stats = Schemas['QueueStats'];
type Device = Schemas['Device'];
type Explanation = Schemas['Explanation'];

/** The figures with those that are newer in their places. */
export function merged(known: readonly Stats[], newer: readonly Stats[]): Stats[] {
  const byId = new Map(newer.map((one) => [one.queueId, one]));
  const added = newer.filter(({ queueId }) => !known.some((one) => one.queueId === queueId));
  return [...known.map((one) => byId.get(one.queueId) ?? one), ...added];
}

/** How many items are in doubt. */
export function doubtsIn(stats: readonly Stats[]): number {
  return stats.reduce((sum, { inDoubt }) => sum + inDoubt, 0);
}

/** Whether items wait and none runs: such a queue is asked why. */
export function standsStill({ counts, inBackOff }: Stats): boolean {
  return counts.NEW - inBackOff > 0 && counts.IN_PROGRESS === 0;
}

/** Reasons that last until somebody does something. */
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

/** The page on which somebody does what a reason asks for. */
export function remedyOf(code: Explanation['code']): 'automation' | 'device' | 'queue' {
  if (code === 'NO_AUTOMATION' || code.startsWith('AUTOMATION')) return 'automation';
  return code.startsWith('NO_DEVICE') || code === 'DEVICES_HELD' ? 'device' : 'queue';
}

/** Something that waits for a person. */
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
    };

/** What is known of everything that may need somebody. */
interface Facts {
  readonly doubts: readonly Schemas['ItemInDoubt'][];
  readonly devices: readonly Device[];
  /** Why each queue that stands still does. */
  readonly whys: readonly { readonly stats: Stats; readonly why: Explanation }[];
  readonly now: number;
}

/** What needs a person, the most urgent first, and of the same kind what waits longest. */
export function needsOf({ doubts, devices, whys, now }: Facts): Need[] {
  const queues = whys
    .filter(({ why }) => needsSomebody(why))
    .map(({ stats, why }): Need => ({ kind: 'queue', stats, why, since: oldestOf(stats, now) }));
  const all = [...doubtsByQueue(doubts), ...devices.flatMap(needOfDevice), ...queues];
  return all.toSorted((one, other) => rankOf(one) - rankOf(other) || compare(one.since, other.since));
}

const ranks = ['doubts', 'lostWithItems', 'queue', 'quarantined', 'lost'] as const;

function rankOf({ kind }: Need): number {
  return ranks.indexOf(kind);
}

function compare(one = '', other = ''): number {
  return one < other ? -1 : Number(one > other);
}

function oldestOf({ oldestWaitingSeconds }: Stats, now: number): string | undefined {
  if (oldestWaitingSeconds === undefined) return undefined;
  return new Date(now - 1000 * oldestWaitingSeconds).toISOString();
}

function doubtsByQueue(doubts: readonly Schemas['ItemInDoubt'][]): Need[] {
  const queueIds = [...new Set(doubts.map(({ queueId }) => queueId))];
  return queueIds.map((queueId) => {
    const own = doubts.filter((one) => one.queueId === queueId);
    const [first] = own;
    const queueName = first?.queueName ?? '';
    return { kind: 'doubts', queueId, queueName, amount: own.length, since: first?.since };
  });
}

function needOfDevice(device: Device): Need[] {
  const { state, status, stateOn, lastSeenOn, busySlots } = device;
  if (state === 'QUARANTINED') return [{ kind: 'quarantined', device, since: stateOn }];
  if (status === 'CONNECTED') return [];
  return [{ kind: busySlots > 0 ? 'lostWithItems' : 'lost', device, since: lastSeenOn }];
}

/** Queues that need somebody first, then those in doubt, those that failed lately, and those that wait. */
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
