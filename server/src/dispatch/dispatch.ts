import { stringifyJson, type Id, type Schemas } from '@millrace/api';
import { named, sql, type Db } from '../engine/db.ts';
import { Refusal } from '../engine/errors.ts';
import { Idle, type Outcome, type TenantContext, type TenantOperation } from '../engine/operation.ts';
import { deviceWakeUp, poolWakeUp, type WakeUp } from '../engine/wake-ups.ts';
import { insertRuns } from '../fleet/devices/runs.ts';
import { holdQueueAtOnce } from '../queues/find.ts';
import { endDrainedCycles } from '../journal/journal.ts';
import { takeItems } from '../work-items/claim/claim.ts';
import { readSnapshot, type Calls, type Snapshot } from './candidates.ts';
import {
  decideGrants,
  granted,
  isGuarded,
  isOpen,
  suits,
  type Automation,
  type Candidates,
  type Grant,
  type Offer,
  type Pool,
} from './rules.ts';

export const requestWork: TenantOperation<'requestWork'> = async (context, calls) => {
  const snapshot = await readSnapshot(context, calls);
  const assigned = await assign(context, calls, snapshot);
  const users = await save(context, snapshot.candidates, assigned);
  wakeFurther(context, assigned.candidates);
  return calls.map(({ actor, input }, index) => {
    const device = snapshot.devices.get(input.path.id);
    if (!device || device.userId !== actor.id) return unknownDevice(input.path.id);
    const own = assigned.assignments.filter(({ grant }) => grant.offer === index);
    const list = own.map((assignment) => workOf(assignment, users));
    const { state, stateReason } = device;
    const output = stateReason === undefined ? { state, list } : { state, stateReason, list };
    const mayWait = list.length === 0 && state === (input.body.state ?? 'ACTIVE');
    return mayWait ? new Idle(output, wakeUpsOf(snapshot, snapshot.offers[index])) : output;
  }) satisfies Outcome<'requestWork'>[];
};

function unknownDevice(id: Id): Refusal {
  return new Refusal('NOT_FOUND', `You have no device ${id}. Register it at POST /v4/wlm/devices.`);
}

type Users = ReadonlyMap<Id, { readonly id: Id; readonly username: string }>;

/** The item with the bot and the user that the agent begins it with. */
function workOf({ grant, item }: Assignment, users: Users): Schemas['WorkItem'] {
  const runAsUser = users.get(item.id as Id);
  const work = { ...item, botName: grant.automation.botName };
  return runAsUser ? { ...work, runAsUser } : work;
}

/** Records the runs and the progress of the schemes; returns the run-as users, by item. */
async function save(
  { db, now }: TenantContext,
  before: Candidates,
  { assignments, candidates }: Assigned,
): Promise<Users> {
  if (assignments.length === 0) {
    await saveOrEndCycles(db, changedCycles(before, candidates));
    return new Map();
  }
  const runs = assignments.map(({ grant: { automation, runAsUserId }, item }) => {
    const { id: itemId, deviceId } = item as Required<Schemas['WorkItem']>;
    return { queueId: automation.queueId, itemId, deviceId, automationId: automation.id, runAsUserId };
  });
  const ids = new Set(runs.map(({ automationId }) => automationId));
  const automations = candidates.automations.filter(({ id }) => ids.has(id));
  const poolIds = new Set(automations.map(({ poolId }) => poolId));
  const [users] = await Promise.all([
    insertRuns(db, runs, now),
    savePools(
      db,
      candidates.pools.filter(({ id }) => poolIds.has(id)),
      now,
    ),
    saveAutomations(db, automations),
    saveOrEndCycles(db, changedCycles(before, candidates)),
  ]);
  return new Map(users.map(({ itemId, ...user }) => [itemId, user]));
}

/** The reactivation cycles that go on or end: a queue without waiting items is drained. */
function changedCycles(before: Candidates, after: Candidates): ReactivationCycle[] {
  return after.automations.flatMap(({ queueId, reactivation }, index) => {
    const started = reactivation.waiting > 0 ? reactivation.started : 0;
    const isChanged = started !== before.automations[index]?.reactivation.started;
    return isGuarded(reactivation) && isChanged ? [{ queueId, started }] : [];
  });
}

/** Number of items that were started since a queue was drained. */
interface ReactivationCycle {
  readonly queueId: Id;
  readonly started: number;
}

/** Saves cycles, and ends those whose waiting items other calls have taken meanwhile. */
async function saveOrEndCycles(db: Db, cycles: readonly ReactivationCycle[]): Promise<void> {
  if (cycles.length === 0) return;
  const ids = cycles.map(({ queueId }) => queueId);
  await Promise.all([saveCycles(db, cycles), endDrainedCycles(db, ids)]);
}

async function saveCycles(db: Db, cycles: readonly ReactivationCycle[]): Promise<void> {
  const statement = sql`
    insert into queue_passes (queue_id, started)
    select p."queueId", p.started
    from json_to_recordset(${stringifyJson(cycles)}::json) as p ("queueId" bigint, started int) order by 1
    on conflict (queue_id) do update set started = excluded.started`;
  await db.rows(named('saveCycles', statement));
}

/** Wakes devices for the remaining work, for example when the last of many items made a queue start. */
function wakeFurther({ wake }: TenantContext, { automations, takenUserIds }: Candidates): void {
  const open = automations.filter((automation) => isOpen(automation, takenUserIds));
  // Automations that compete for a queue wait for the same items: the queue is woken once.
  const claimableByQueue = new Map(open.map(({ queueId, claimable }) => [queueId, claimable]));
  for (const [queueId, claimable] of claimableByQueue) wake(queueId, claimable);
}

/** The wake-ups that a device waits for: changes to it, and items that it could begin. */
function wakeUpsOf({ automations }: Snapshot, offer: Offer | undefined): WakeUp[] {
  if (!offer) return [];
  const queues = offer.slots > 0 ? automations.filter((automation) => suits(offer, automation)) : [];
  const pools = offer.poolIds.map(poolWakeUp);
  return [deviceWakeUp(offer.deviceId), ...pools, ...queues.map(({ queueId }) => queueId)];
}

/** Stores the progress of pools, in the order of their last grants. */
async function savePools(db: Db, pools: readonly Pool[], now: Date): Promise<void> {
  const list = pools.map((pool, turn) => ({ ...pool, turn }));
  // Grants of one transaction differ by microseconds: pools take turns within it as well.
  const statement = sql`
    update pools set virtual_time = p."virtualTime", current_automation_id = p."currentAutomationId",
      slice_started_on = p."sliceStartedOn",
      last_granted_on = ${now}::timestamptz + make_interval(secs => p.turn / 1e6)
    from json_to_recordset(${stringifyJson(list)}::json) as p (id bigint, turn int,
      "virtualTime" double precision, "currentAutomationId" bigint, "sliceStartedOn" timestamptz)
    where pools.id = p.id`;
  await db.rows(named('savePools', statement));
}

/** Stores the progress of automations. */
async function saveAutomations(db: Db, automations: readonly Automation[]): Promise<void> {
  const list = automations.map(({ id, virtualTime }) => ({ id, virtualTime }));
  const statement = sql`
    update automations set virtual_time = a."virtualTime"
    from json_to_recordset(${stringifyJson(list)}::json) as a (id bigint, "virtualTime" double precision)
    where automations.id = a.id`;
  await db.rows(named('saveAutomations', statement));
}

/** A grant with a claimed item: the item goes to the device. */
interface Assignment {
  readonly grant: Grant;
  readonly item: Schemas['WorkItem'];
}

/** The assignments made, and the candidates afterwards. */
interface Assigned {
  readonly assignments: readonly Assignment[];
  readonly candidates: Candidates;
}

/** Decides and claims, again and again where a queue yields less than was counted, because others claim from it as well. */
async function assign(context: TenantContext, calls: Calls, snapshot: Snapshot): Promise<Assigned> {
  const { offers } = snapshot;
  let { candidates } = snapshot;
  const assignments: Assignment[] = [];
  for (;;) {
    const left = offers.map((offer, index) => ({
      ...offer,
      slots: offer.slots - countOf(assignments, index),
    }));
    const grants = decideGrants(candidates, left);
    const claimed = await claimAll(context, calls, grants);
    assignments.push(...claimed);
    candidates = claimed.reduce((before, { grant }) => granted(before, grant), candidates);
    if (claimed.length === grants.length) return { assignments, candidates };
    candidates = withoutExhausted(candidates, grants, claimed);
  }
}

function countOf(assignments: readonly Assignment[], offer: number): number {
  return assignments.filter(({ grant }) => grant.offer === offer).length;
}

/** Queues that yielded less than was granted have no more items. */
function withoutExhausted(
  candidates: Candidates,
  grants: readonly Grant[],
  assignments: readonly Assignment[],
): Candidates {
  const fulfilled = new Set(assignments.map(({ grant }) => grant));
  const unfulfilled = grants.filter((grant) => !fulfilled.has(grant));
  const exhausted = new Set(unfulfilled.map(({ automation }) => automation.id));
  return {
    ...candidates,
    automations: candidates.automations.map((automation) =>
      exhausted.has(automation.id) ? { ...automation, claimable: 0 } : automation,
    ),
  };
}

/** Claims the granted items from all queues in one round trip. */
async function claimAll(
  context: TenantContext,
  calls: Calls,
  grants: readonly Grant[],
): Promise<Assignment[]> {
  const byQueue = new Map<Id, Grant[]>();
  for (const grant of grants) {
    const { queueId } = grant.automation;
    byQueue.set(queueId, [...(byQueue.get(queueId) ?? []), grant]);
  }
  const claims = [...byQueue].map(([queueId, list]) => claim(context, calls, queueId, list));
  return (await Promise.all(claims)).flat();
}

async function claim(context: TenantContext, calls: Calls, queueId: Id, grants: readonly Grant[]) {
  // Without waiting for the lock: otherwise all devices of the tenant would wait for one queue. The change that keeps them out wakes them
  // when it ends.
  const queue = await holdQueueAtOnce(context, queueId);
  if (queue?.status !== 'ACTIVE') return [];
  const slots = grants.flatMap(({ offer, automation, runAsUserId }) => {
    const call = calls[offer];
    if (!call) return [];
    const { path, body } = call.input;
    const run = { deviceId: path.id, automationId: automation.id, runAsUserId };
    return [{ actorId: call.actor.id, leaseSeconds: body.leaseSeconds, ...run }];
  });
  const items = await takeItems({ ...context, queue }, slots, 'requestWork');
  // In the order of the slots: where items are missing, the last slots stay empty.
  return items.map((item, index): Assignment => ({ grant: grants[index] as Grant, item }));
}
