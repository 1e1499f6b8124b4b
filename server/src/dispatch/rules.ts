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

/** A pool, and where its scheme is. */
export interface Pool {
  readonly id: Id;
  readonly scheme: Scheme;
  readonly timeSliceSeconds: number;
  /** Whose time slice it is, and since when. */
  readonly currentAutomationId?: Id | undefined;
  readonly sliceStartedOn?: Date | undefined;
  /** How far those have come that wait for their turn: who was idle starts from here, and catches nothing up. */
  readonly virtualTime: number;
}

/** When a queue is started on further devices. */
export interface Reactivation {
  readonly unit: 'PERCENT' | 'COUNT';
  readonly threshold: number;
  /** Items of the queue that wait. */
  readonly waiting: number;
  /** Items that devices have begun since the queue was last drained: none when it is. */
  readonly started: number;
}

/** An active automation, and what there is to do for it. */
export interface Automation {
  readonly id: Id;
  readonly poolId: Id;
  readonly queueId: Id;
  readonly botName: string;
  /** A device must have them all. */
  readonly labels: readonly string[];
  /** 0 (last) to 9 (first). */
  readonly priority: number;
  readonly weight: number;
  /** Items granted so far, divided by the weight. */
  readonly virtualTime: number;
  /** Users as whom it may work, each on one item at a time; with none, nobody is needed. */
  readonly runAsUserIds: readonly Id[];
  /** Items in progress on devices. */
  readonly running: number;
  /** Items that can be claimed now, as far as anybody has counted. */
  readonly claimable: number;
  readonly reactivation: Reactivation;
}

/** All that a decision looks at. */
export interface Board {
  readonly now: Date;
  /** Those that were granted nothing for longest come first. */
  readonly pools: readonly Pool[];
  readonly automations: readonly Automation[];
  readonly takenUserIds: ReadonlySet<Id>;
}

/** One item of an automation's queue for one slot. */
export interface Grant {
  /** Place of the offer in its list. */
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
  // The first device is started always. What runs has been started in this pass, or was left over from the one before.
  return running === 0 || waiting * 100 < threshold * (Math.max(started, running) + waiting);
}

/** Whether the threshold can ever keep a device from items that wait; most do not, and need not be watched. */
export function isGuarded({ unit, threshold }: Pick<Reactivation, 'unit' | 'threshold'>): boolean {
  return unit === 'COUNT' ? threshold > 1 : threshold < 100;
}

/** Whether there is something that one more device could begin now, if it suits. */
export function isOpen(automation: Automation, takenUserIds: ReadonlySet<Id>): boolean {
  const { claimable, runAsUserIds } = automation;
  const hasUser = runAsUserIds.length === 0 || runAsUserIds.some((id) => !takenUserIds.has(id));
  return claimable > 0 && hasUser && mayStart(automation);
}

/** Gives as many slots as possible something to do; all devices get one item before one gets its second. */
export function decideGrants(board: Board, offers: readonly Offer[]): Grant[] {
  const grants: Grant[] = [];
  let next = board;
  const line = offers.map((offer, index) => ({ offer, index, slots: offer.slots }));
  for (const { offer, index, slots } of line) {
    const grant = slots > 0 && decideGrant(next, offer, index);
    // No grant opens a queue to others: whoever comes away empty-handed need not be asked again.
    if (!grant) continue;
    grants.push(grant);
    next = granted(next, grant);
    line.push({ offer, index, slots: slots - 1 });
  }
  return grants;
}

function decideGrant(board: Board, offer: Offer, index: number): Grant | undefined {
  const { pools, automations, takenUserIds, now } = board;
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

/** Those between whom the scheme decides: with PRIORITY, nobody below the highest. */
function peersOf({ scheme }: Pool, candidates: readonly Automation[]): readonly Automation[] {
  if (scheme !== 'PRIORITY') return candidates;
  const highest = Math.max(...candidates.map(({ priority }) => priority));
  return candidates.filter(({ priority }) => priority === highest);
}

/** The one whose time slice it is, or the next one in the order of ids. */
function firstByTurn(pool: Pool, candidates: readonly Automation[], now: Date): Automation | undefined {
  const current = candidates.find(({ id }) => id === pool.currentAutomationId);
  if (current && !isSliceOver(pool, now)) return current;
  const inOrder = candidates.toSorted((one, other) => (one.id < other.id ? -1 : 1));
  const last = pool.currentAutomationId ?? 0;
  return inOrder.find(({ id }) => id > last) ?? inOrder[0];
}

function isSliceOver({ sliceStartedOn, timeSliceSeconds }: Pool, now: Date): boolean {
  return !sliceStartedOn || now.getTime() >= sliceStartedOn.getTime() + timeSliceSeconds * 1000;
}

/**
 * Of those that run fewer items for their weight than all do on the average, the one that has come least far. The first
 * keeps long items of one queue from filling all devices, the second gives turns by weight where slots are fewer than queues.
 */
function firstByShare(pool: Pool, candidates: readonly Automation[]): Automation | undefined {
  const running = sum(candidates.map((one) => one.running)) + 1;
  const weight = sum(candidates.map((one) => one.weight));
  const isBelow = (one: Automation) => one.running * weight < running * one.weight;
  return candidates
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

/** The board after a grant. */
export function granted(board: Board, grant: Grant): Board {
  const { automation, runAsUserId } = grant;
  const automations = board.automations.map((one) => (one.id === automation.id ? begun(one, grant) : one));
  const others = board.pools.filter(({ id }) => id !== automation.poolId);
  const pools = board.pools.filter(({ id }) => id === automation.poolId);
  return {
    ...board,
    automations,
    pools: [...others, ...pools.map((pool) => turned(pool, grant, board))],
    takenUserIds:
      runAsUserId === undefined ? board.takenUserIds : new Set([...board.takenUserIds, runAsUserId]),
  };
}

function begun(automation: Automation, { virtualTime }: Grant): Automation {
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

/** The turn moves on when the slice is over or its queue has nothing more; who cannot take part only gets by. */
function turned(pool: Pool, { automation, virtualTime }: Grant, { automations, now }: Board): Pool {
  const current = automations.find(({ id }) => id === pool.currentAutomationId);
  const movesOn = isSliceOver(pool, now) || !current || current.claimable === 0;
  return {
    ...pool,
    virtualTime: Math.max(pool.virtualTime, virtualTime),
    ...(movesOn && { currentAutomationId: automation.id, sliceStartedOn: now }),
  };
}
