import type { Id, Schemas } from '@millrace/api';

export type Cluster = Schemas['FailureCluster'];

/** The identity of a cluster. */
export type Cause = Pick<Cluster, 'signature' | 'failureKind'>;

/** The items of a cluster in one queue. */
export interface Share extends Cause {
  readonly queueId: Id;
  readonly queueName: string;
  /** The number of items; one more than the limit where there are more. */
  readonly found: number;
  readonly firstSeenOn?: Date | null;
  readonly lastSeenOn?: Date | null;
}

/** The notes and remedies of people for a cluster in a queue. */
export interface Treatment extends Cause {
  readonly notes: readonly Schemas['FailureNote'][];
  readonly remedies: readonly Schemas['Remedy'][];
}

/** Items of a cluster in a queue, and those of a remedy, are counted up to this number. */
export const countedItems = 10_000;

const dayMs = 86_400_000;

/** A text that is unique to the cause: kinds have no spaces. */
export const keyOf = ({ signature, failureKind }: Cause) => `${failureKind} ${signature}`;

type Summary = Omit<Cluster, 'devices' | 'samples'>;

/** The clusters over all queues: those in doubt first, then new ones, then the largest. */
export function clustersOf(shares: readonly Share[], treatments: readonly Treatment[], now: Date): Summary[] {
  const treated = new Map<string, Treatment[]>();
  for (const one of treatments) treated.set(keyOf(one), [...(treated.get(keyOf(one)) ?? []), one]);
  const parts = new Map<string, Share[]>();
  for (const one of shares) parts.set(keyOf(one), [...(parts.get(keyOf(one)) ?? []), one]);
  return [...parts]
    .map(([key, ofCluster]) => summaryOf(ofCluster, treated.get(key) ?? [], now))
    .toSorted(
      (one, other) =>
        rankOf(one) - rankOf(other) || other.count - one.count || compare(keyOf(one), keyOf(other)),
    );
}

const compare = (one: string, other: string) => (one < other ? -1 : 1);

/** The rank of a cluster: in doubt, new, other, and without items. */
function rankOf({ failureKind, isNew, count }: Summary): number {
  if (count === 0) return 3;
  if (failureKind === 'IN_DOUBT') return 0;
  return isNew ? 1 : 2;
}

function summaryOf(shares: readonly Share[], treatments: readonly Treatment[], now: Date): Summary {
  const { signature, failureKind } = shares[0] as Share;
  const queues = shares
    .filter(({ found }) => found > 0)
    .map(({ queueId, queueName, found }) => ({ queueId, queueName, ...counted(found) }))
    .toSorted((one, other) => other.count - one.count);
  const notes = treatments
    .flatMap((one) => one.notes)
    .toSorted((one, other) => later(one.updatedOn, other.updatedOn));
  const remedies = treatments
    .flatMap((one) => one.remedies)
    .toSorted((one, other) => later(one.on, other.on));
  const first = inOrder(shares.map(({ firstSeenOn }) => firstSeenOn)).at(0);
  const last = inOrder(shares.map(({ lastSeenOn }) => lastSeenOn)).at(-1);
  const isYoung = first !== undefined && now.getTime() - first.getTime() < dayMs;
  return {
    signature,
    failureKind,
    count: queues.reduce((sum, { count }) => sum + count, 0),
    isMore: queues.some(({ isMore }) => isMore),
    isNew: isYoung && notes.length === 0 && remedies.length === 0,
    ...(first && { firstSeenOn: first.toISOString() }),
    ...(last && { lastSeenOn: last.toISOString() }),
    queues,
    notes,
    remedies,
  };
}

/** A number of items that was found by counting up to one more than the limit. */
function counted(found: number): { count: number; isMore: boolean } {
  return { count: Math.min(found, countedItems), isMore: found > countedItems };
}

const later = (one: string, other: string) => new Date(other).getTime() - new Date(one).getTime();

function inOrder(times: readonly (Date | null | undefined)[]): Date[] {
  return times
    .filter((time) => time instanceof Date)
    .toSorted((one, other) => one.getTime() - other.getTime());
}

/** Number of items by device, most first. */
export function byDevice(
  parts: readonly { readonly deviceId: Id; readonly hostName?: string | null; readonly count: number }[],
): Cluster['devices'] {
  const devices = new Map<string, Cluster['devices'][number]>();
  for (const { deviceId, hostName, count } of parts) {
    const known = devices.get(String(deviceId));
    devices.set(String(deviceId), {
      deviceId,
      ...(hostName && { hostName }),
      count: count + (known?.count ?? 0),
    });
  }
  return [...devices.values()].toSorted((one, other) => other.count - one.count);
}
