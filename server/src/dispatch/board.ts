import type { Id } from '@millrace/api';
import { noteSigns } from '../devices/presence.ts';
import type { BatchCall, TenantContext } from '../operation.ts';
import { selectWaiting } from '../stats/sql.ts';
import { countClaimable } from '../work-items/take.ts';
import { isGuarded, type Automation, type Board, type Offer } from './rules.ts';
import {
  lockAutomations,
  lockPools,
  lockTenant,
  selectDevices,
  type AskingDevice,
  type StoredAutomation,
} from './sql.ts';

export type Calls = readonly BatchCall<'requestWork'>[];

/** All that a decision needs, held until the transaction ends. */
export interface Scene {
  /** Those that ask, by id. */
  readonly devices: ReadonlyMap<Id, AskingDevice>;
  /** One for each call; without slots where the device may have nothing. */
  readonly offers: readonly Offer[];
  /** The active automations of their pools. */
  readonly automations: readonly StoredAutomation[];
  /** Those of them with an active queue, when there are slots at all. */
  readonly board: Board;
}

// So many items more than there are slots are looked for: further devices are woken for them.
const lookAhead = 20;

export async function readScene(context: TenantContext, calls: Calls): Promise<Scene> {
  const { now } = context;
  const [list, pools, automations] = await holdAll(context, calls);
  const devices = new Map(list.map((device) => [device.id, device]));
  const offers = offersOf(calls, devices);
  const slots = offers.reduce((total, offer) => total + offer.slots, 0);
  const workable = automations.filter(({ isQueueActive }) => isQueueActive && slots > 0);
  const counted = await Promise.all(workable.map((one) => count(context, one, slots + lookAhead)));
  const takenUserIds = new Set(automations.flatMap((one) => one.takenUserIds));
  return { devices, offers, automations, board: { now, pools, automations: counted, takenUserIds } };
}

/** In one round trip, as none waits for the answer of another. */
function holdAll(context: TenantContext, calls: Calls) {
  const { db } = context;
  const ids = [...new Set(calls.map(({ input }) => input.path.id))];
  const [first] = calls;
  const held = lockTenant(db, first?.actor.tenantId ?? 0);
  const signs = calls.map(({ actor, input }) => ({ deviceId: input.path.id, userId: actor.id }));
  const seen = noteSigns(context, signs, 'requestWork');
  const read = [selectDevices(db, ids), lockPools(db, ids), lockAutomations(db, ids)] as const;
  return Promise.all([...read, held, seen]);
}

/** What each call can take. Calls for one device share its free slots. */
function offersOf(calls: Calls, devices: ReadonlyMap<Id, AskingDevice>): Offer[] {
  const free = new Map<Id, number>();
  return calls.map(({ actor, input }) => {
    const { id: deviceId } = input.path;
    const device = devices.get(deviceId);
    if (!device || device.userId !== actor.id || device.state !== 'ACTIVE') return restingOffer(deviceId);
    const left = free.get(deviceId) ?? Math.max(0, device.slots - device.running);
    const slots = Math.min(left, input.body.count ?? left);
    free.set(deviceId, left - slots);
    const { poolIds, labels, bots } = device;
    return { deviceId, poolIds, labels, bots, slots };
  });
}

function restingOffer(deviceId: Id): Offer {
  return { deviceId, poolIds: [], labels: [], bots: [], slots: 0 };
}

/** The automation with what its queue holds, counted up to a limit. */
async function count(context: TenantContext, stored: StoredAutomation, limit: number): Promise<Automation> {
  const { isQueueActive: _, takenUserIds: __, unit, threshold, started, ...automation } = stored;
  const { queueId } = automation;
  const [claimable, waiting] = await Promise.all([
    countClaimable(context, queueId, limit),
    isGuarded({ unit, threshold }) ? selectWaiting(context.db, queueId) : undefined,
  ]);
  const reactivation = { unit, threshold, started, waiting: waiting ?? claimable };
  return { ...automation, claimable, reactivation };
}
