import type { Id, Schemas } from '@millrace/api';
import { Refusal } from '../errors.ts';
import { Idle, type Outcome, type TenantContext, type TenantOperation } from '../operation.ts';
import { deviceBell, poolBell, type BellName } from './bell.ts';
import { readScene, type Scene } from './board.ts';
import { giveOut, type Gift, type Given } from './give.ts';
import { isGuarded, isOpen, suits, type Board, type Offer } from './rules.ts';
import { endPasses, insertRuns, saveAutomations, savePasses, savePools, type Pass } from './sql.ts';

export const requestWork: TenantOperation<'requestWork'> = async (context, calls) => {
  const scene = await readScene(context, calls);
  const given = await giveOut(context, calls, scene);
  const users = await save(context, scene.board, given);
  wakeFurther(context, given.board);
  return calls.map(({ actor, input }, index) => {
    const device = scene.devices.get(input.path.id);
    if (!device || device.userId !== actor.id) return unknownDevice(input.path.id);
    const list = given.gifts.filter(({ grant }) => grant.offer === index).map((gift) => told(gift, users));
    const { state, stateReason } = device;
    const output = stateReason === undefined ? { state, list } : { state, stateReason, list };
    const mayWait = list.length === 0 && state === (input.body.state ?? 'ACTIVE');
    return mayWait ? new Idle(output, bellsOf(scene, scene.offers[index])) : output;
  }) satisfies Outcome<'requestWork'>[];
};

function unknownDevice(id: Id): Refusal {
  return new Refusal('NOT_FOUND', `You have no device ${id}. Register it at POST /v4/wlm/devices.`);
}

type Users = ReadonlyMap<Id, { readonly id: Id; readonly username: string }>;

/** The item, with what the agent needs to begin. */
function told({ grant, item }: Gift, users: Users): Schemas['WorkItem'] {
  const runAsUser = users.get(item.id as Id);
  const work = { ...item, botName: grant.automation.botName };
  return runAsUser ? { ...work, runAsUser } : work;
}

/** Records what begins, and where the schemes are by now; answers as whom items run. */
async function save({ db, now }: TenantContext, before: Board, { gifts, board }: Given): Promise<Users> {
  if (gifts.length === 0) {
    await keepPasses(db, passesOf(before, board));
    return new Map();
  }
  const runs = gifts.map(({ grant: { automation, runAsUserId }, item }) => {
    const { id: itemId, deviceId } = item as Required<Schemas['WorkItem']>;
    return { queueId: automation.queueId, itemId, deviceId, automationId: automation.id, runAsUserId };
  });
  const ids = new Set(runs.map(({ automationId }) => automationId));
  const automations = board.automations.filter(({ id }) => ids.has(id));
  const poolIds = new Set(automations.map(({ poolId }) => poolId));
  const [users] = await Promise.all([
    insertRuns(db, runs, now),
    savePools(
      db,
      board.pools.filter(({ id }) => poolIds.has(id)),
      now,
    ),
    saveAutomations(db, automations),
    keepPasses(db, passesOf(before, board)),
  ]);
  return new Map(users.map(({ itemId, ...user }) => [itemId, user]));
}

/** The passes that go on or end: a queue in which nothing waits is drained. */
function passesOf(before: Board, after: Board): Pass[] {
  return after.automations.flatMap(({ queueId, reactivation }, index) => {
    const started = reactivation.waiting > 0 ? reactivation.started : 0;
    const isChanged = started !== before.automations[index]?.reactivation.started;
    return isGuarded(reactivation) && isChanged ? [{ queueId, started }] : [];
  });
}

/** Saves passes, but for those that others have ended meanwhile by taking away what waited. */
async function keepPasses(db: TenantContext['db'], passes: readonly Pass[]): Promise<void> {
  if (passes.length === 0) return;
  const ids = passes.map(({ queueId }) => queueId);
  await Promise.all([savePasses(db, passes), endPasses(db, ids)]);
}

/** What is left for devices that sleep, such as when the last of many items made a queue start. */
function wakeFurther({ woken }: TenantContext, { automations, takenUserIds }: Board): void {
  for (const one of automations) {
    if (isOpen(one, takenUserIds)) woken.set(one.queueId, one.claimable);
  }
}

/** Where a device waits: for changes around it, and for items that it could begin. */
function bellsOf({ automations }: Scene, offer: Offer | undefined): BellName[] {
  if (!offer) return [];
  const queues = offer.slots > 0 ? automations.filter((one) => suits(offer, one)) : [];
  const pools = offer.poolIds.map(poolBell);
  return [deviceBell(offer.deviceId), ...pools, ...queues.map(({ queueId }) => queueId)];
}
