import type { Id } from '@millrace/api';

/** A device with free slots, which asks for work. */
export interface Offer {
  readonly deviceId: Id;
  readonly poolIds: readonly Id[];
  readonly labels: readonly string[];
  /** Names of the bots that it can run. */
  readonly bots: readonly string[];
  /** Items that it may begin now. */
  readonly slots: number;
}

export type Scheme = 'ROUND_ROBIN' | 'PRIORITY' | 'FAIR';

/** A pool, and how far its scheme has come. */
export interface Pool {
  readonly id: Id;
  readonly scheme: Scheme;
  readonly timeSliceSeconds: number;
  /** The automation that has the time slice, and since when. */
  readonly currentAutomationId?: Id | undefined;
  readonly sliceStartedOn?: Date | undefined;
  /** How far the automations have come that wait for their turn: one that was idle starts from here, and catches nothing up. */
  readonly virtualTime: number;
}

/** When a queue is started on further devices. */
export interface Reactivation {
  readonly unit: 'PERCENT' | 'COUNT';
  readonly threshold: number;
  /** Items of the queue that wait. */
  readonly waiting: number;
  /** Items that devices have begun in this reactivation cycle: none when the queue is drained. */
  readonly started: number;
}

/** An active automation, and the work there is for it. */
export interface Automation {
  readonly id: Id;
  readonly poolId: Id;
  readonly queueId: Id;
  readonly botName: string;
  /** A device must have all of them. */
  readonly labels: readonly string[];
  /** 0 (last) to 9 (first). */
  readonly priority: number;
  readonly weight: number;
  /** Items granted so far, divided by the weight. */
  readonly virtualTime: number;
  /** Users as whom it may work, each on one item at a time; if there are none, it needs no user. */
  readonly runAsUserIds: readonly Id[];
  /** Items in progress on devices. */
  readonly running: number;
  /** Items that can be claimed now, counted up to a limit. */
  readonly claimable: number;
  readonly reactivation: Reactivation;
}

/** All that a decision looks at. */
export interface Candidates {
  readonly now: Date;
  /** The pool whose last grant is longest ago comes first. */
  readonly pools: readonly Pool[];
  readonly automations: readonly Automation[];
  readonly takenUserIds: ReadonlySet<Id>;
}

/**
 * The decision that one slot gets an item of an automation's queue. The item is claimed afterwards: then the grant has become an
 * assignment, or the queue yielded too few.
 */
export interface Grant {
  /** Index of the offer in its list. */
  readonly offer: number;
  readonly automation: Automation;
  readonly runAsUserId?: Id | undefined;
  /** How far the pool has come with it. */
  readonly virtualTime: number;
}

/** Whether a device can do the automation's work at all: by pool, bot and labels. */
export function suits(
  device: Pick<Offer, 'poolIds' | 'labels' | 'bots'>,
  automation: Pick<Automation, 'poolId' | 'botName' | 'labels'>,
): boolean {
  return (
    device.poolIds.includes(automation.poolId) &&
    device.bots.includes(automation.botName) &&
    automation.labels.every((label) => device.labels.includes(label))
  );
}

/** Whether a queue that has work may be started on one more device. */
export function mayStart({ reactivation, running }: Pick<Automation, 'reactivation' | 'running'>): boolean {
  const { unit, threshold, waiting, started } = reactivation;
  if (unit === 'COUNT') return started > 0 || waiting >= threshold;
  // The first device is started always. Items that run were started in this cycle, or are left over from the one before.
  return running === 0 || waiting * 100 < threshold * (Math.max(started, running) + waiting);
}

/** Whether the threshold can ever keep a device from items that wait; most cannot, and need no cycle on record. */
export function isGuarded({ unit, threshold }: Pick<Reactivation, 'unit' | 'threshold'>): boolean {
  return unit === 'COUNT' ? threshold > 1 : threshold < 100;
}

/** Whether there is something that one more device could begin now, if it suits. */
export function isOpen(automation: Automation, takenUserIds: ReadonlySet<Id>): boolean {
  const { claimable, runAsUserIds } = automation;
  const hasUser = runAsUserIds.length === 0 || runAsUserIds.some((id) => !takenUserIds.has(id));
  return claimable > 0 && hasUser && mayStart(automation);
}

/** Gives work to as many slots as possible; each device gets one item before any gets its second. */
export function decideGrants(candidates: Candidates, offers: readonly Offer[]): Grant[] {
  const grants: Grant[] = [];
  let next = candidates;
  const line = offers.map((offer, index) => ({ offer, index, slots: offer.slots }));
  for (const { offer, index, slots } of line) {
    const grant = slots > 0 && decideGrant(next, offer, index);
    // No grant opens a queue to others: an offer that gets nothing now gets nothing later either.
    if (!grant) continue;
    grants.push(grant);
    next = granted(next, grant);
    line.push({ offer, index, slots: slots - 1 });
  }
  return grants;
}

function decideGrant(candidates: Candidates, offer: Offer, index: number): Grant | undefined {
  const { pools, automations, takenUserIds, now } = candidates;
  const open = automations.filter((one) => isOpen(one, takenUserIds) && suits(offer, one));
  const pool = pools.find(({ id }) => open.some(({ poolId }) => poolId === id));
  if (!pool) return undefined;
  const peers = peersOf(
    pool,
    open.filter(({ poolId }) => poolId === pool.id),
  );
  const automation =
    pool.scheme === 'ROUND_ROBIN' ? firstByTurn(pool, peers, now) : firstByShare(pool, peers);
  if (!automation) return undefined;
  const runAsUserId = automation.runAsUserIds.find((id) => !takenUserIds.has(id));
  const virtualTime = Math.min(...peers.map((one) => startOf(pool, one)));
  return { offer: index, automation, runAsUserId, virtualTime };
}

/** The automations between which the scheme decides: with PRIORITY, none below the highest. */
function peersOf({ scheme }: Pool, open: readonly Automation[]): readonly Automation[] {
  if (scheme !== 'PRIORITY') return open;
  const highest = Math.max(...open.map(({ priority }) => priority));
  return open.filter(({ priority }) => priority === highest);
}

/** The automation that has the time slice, or the next in the order of ids. */
function firstByTurn(pool: Pool, peers: readonly Automation[], now: Date): Automation | undefined {
  const current = peers.find(({ id }) => id === pool.currentAutomationId);
  if (current && !isSliceOver(pool, now)) return current;
  const inOrder = peers.toSorted((one, other) => (one.id < other.id ? -1 : 1));
  const last = pool.currentAutomationId ?? 0;
  return inOrder.find(({ id }) => id > last) ?? inOrder[0];
}

function isSliceOver({ sliceStartedOn, timeSliceSeconds }: Pool, now: Date): boolean {
  return !sliceStartedOn || now.getTime() >= sliceStartedOn.getTime() + timeSliceSeconds * 1000;
}

/**
 * Of the automations that run fewer items for their weight than the average, the one that has come least far. The average keeps
 * long items of one queue from filling all devices; the second rule gives turns by weight where slots are fewer than queues.
 */
function firstByShare(pool: Pool, peers: readonly Automation[]): Automation | undefined {
  const running = sum(peers.map((one) => one.running)) + 1;
  const weight = sum(peers.map((one) => one.weight));
  const isBelow = (one: Automation) => one.running * weight < running * one.weight;
  return peers
    .filter(isBelow)
    .toSorted(
      (one, other) =>
        startOf(pool, one) - startOf(pool, other) ||
        one.virtualTime - other.virtualTime ||
        (one.id < other.id ? -1 : 1),
    )[0];
}

function startOf(pool: Pool, { virtualTime }: Automation): number {
  return Math.max(virtualTime, pool.virtualTime);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** The candidates after a grant. */
export function granted(candidates: Candidates, grant: Grant): Candidates {
  const { automation, runAsUserId } = grant;
  const automations = candidates.automations.map((one) =>
    one.id === automation.id ? withOneMore(one, grant) : one,
  );
  const others = candidates.pools.filter(({ id }) => id !== automation.poolId);
  const pools = candidates.pools.filter(({ id }) => id === automation.poolId);
  return {
    ...candidates,
    automations,
    pools: [...others, ...pools.map((pool) => moved(pool, grant, candidates))],
    takenUserIds:
      runAsUserId === undefined
        ? candidates.takenUserIds
        : new Set([...candidates.takenUserIds, runAsUserId]),
  };
}

function withOneMore(automation: Automation, { virtualTime }: Grant): Automation {
  const { running, claimable, reactivation, weight } = automation;
  return {
    ...automation,
    running: running + 1,
    claimable: claimable - 1,
    virtualTime: Math.max(automation.virtualTime, virtualTime) + 1 / weight,
    reactivation: {
      ...reactivation,
      waiting: reactivation.waiting - 1,
      started: reactivation.started + 1,
    },
  };
}

/** The slice goes over when its time is up or its holder has no more work; a device that cannot serve the holder leaves it there. */
function moved(pool: Pool, { automation, virtualTime }: Grant, { automations, now }: Candidates): Pool {
  const current = automations.find(({ id }) => id === pool.currentAutomationId);
  const movesOn = isSliceOver(pool, now) || !current || current.claimable === 0;
  return {
    ...pool,
    virtualTime: Math.max(pool.virtualTime, virtualTime),
    ...(movesOn && { currentAutomationId: automation.id, sliceStartedOn: now }),
  };
}
