import type { Id } from '@millrace/api';

/** A device with free slots that asks for work. */
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

/** A pool, and the progress of its scheme. */
export interface Pool {
  readonly id: Id;
  readonly scheme: Scheme;
  readonly timeSliceSeconds: number;
  /** The automation that holds the time slice; `sliceStartedOn` is the time since when. */
  readonly currentAutomationId?: Id | undefined;
  readonly sliceStartedOn?: Date | undefined;
  /** The progress of the automations that wait for their turn: an automation that was idle starts from here, without catching up. */
  readonly virtualTime: number;
}

/** The threshold at which a queue is started on further devices, and its present counts. */
export interface Reactivation {
  readonly unit: 'PERCENT' | 'COUNT';
  readonly threshold: number;
  /** Waiting items of the queue. */
  readonly waiting: number;
  /** Items that devices have begun in this reactivation cycle: none when the queue is drained. */
  readonly started: number;
}

/** An active automation, and the amount of work for it. */
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
  /** Users under whom it may work, each on one item at a time; without any, it needs no user. */
  readonly runAsUserIds: readonly Id[];
  /** Items in progress on devices. */
  readonly running: number;
  /** Items that can be claimed now, counted up to a limit. */
  readonly claimable: number;
  readonly reactivation: Reactivation;
}

/** The data of a decision. */
export interface Candidates {
  readonly now: Date;
  /** In the order of their last grants, oldest first. */
  readonly pools: readonly Pool[];
  readonly automations: readonly Automation[];
  readonly takenUserIds: ReadonlySet<Id>;
}

/**
 * The decision that one slot gets an item of an automation's queue. The item is claimed afterwards: then the grant becomes an assignment,
 * or the queue has yielded too few.
 */
export interface Grant {
  /** Index of the offer in its list. */
  readonly offer: number;
  readonly automation: Automation;
  readonly runAsUserId?: Id | undefined;
  /** The virtual time of the pool after this grant. */
  readonly virtualTime: number;
}

/** Whether a device is able to do the automation's work: by pool, bot and labels. */
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

/** Whether a queue with work may be started on one more device. */
export function mayStart({ reactivation, running }: Pick<Automation, 'reactivation' | 'running'>): boolean {
  const { unit, threshold, waiting, started } = reactivation;
  if (unit === 'COUNT') return started > 0 || waiting >= threshold;
  // The first device always starts. Running items were started in this cycle, or are left over from the one before.
  return running === 0 || waiting * 100 < threshold * (Math.max(started, running) + waiting);
}

/** Whether the threshold can ever keep a device from waiting items; most cannot, and need no stored cycle. */
export function isGuarded({ unit, threshold }: Pick<Reactivation, 'unit' | 'threshold'>): boolean {
  return unit === 'COUNT' ? threshold > 1 : threshold < 100;
}

/** Whether one more suitable device could begin an item now. */
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
    // Grants never open a queue to others: an offer that gets nothing now gets nothing later either.
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

/** The automations among which the scheme decides: with PRIORITY, only those of the highest priority. */
function peersOf({ scheme }: Pool, open: readonly Automation[]): readonly Automation[] {
  if (scheme !== 'PRIORITY') return open;
  const highest = Math.max(...open.map(({ priority }) => priority));
  return open.filter(({ priority }) => priority === highest);
}

/** The automation that holds the time slice, or the next in the order of ids. */
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
 * Of the automations with fewer running items for their weight than the average, the one with the least virtual time. The average keeps
 * long items of one queue from filling all devices; the virtual time gives turns by weight where slots are fewer than queues.
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

/** The slice passes on when its time is up or its holder has no more work; a device that cannot serve the holder leaves it there. */
function moved(pool: Pool, { automation, virtualTime }: Grant, { automations, now }: Candidates): Pool {
  const current = automations.find(({ id }) => id === pool.currentAutomationId);
  const movesOn = isSliceOver(pool, now) || !current || current.claimable === 0;
  return {
    ...pool,
    virtualTime: Math.max(pool.virtualTime, virtualTime),
    ...(movesOn && { currentAutomationId: automation.id, sliceStartedOn: now }),
  };
}
