import type { Id, Schemas } from '@millrace/api';
import type { TenantContext } from '../operation.ts';
import { holdQueueAtOnce } from '../queues/hold.ts';
import { takeItems } from '../work-items/take.ts';
import type { Calls, Scene } from './board.ts';
import { decideGrants, granted, type Board, type Grant } from './rules.ts';

/** An item that goes to a device. */
export interface Gift {
  readonly grant: Grant;
  readonly item: Schemas['WorkItem'];
}

/** What was given out, and the board afterwards. */
export interface Given {
  readonly gifts: readonly Gift[];
  readonly board: Board;
}

/** Decides and claims, again and again where a queue yields less than was counted, as others claim from it as well. */
export async function giveOut(context: TenantContext, calls: Calls, scene: Scene): Promise<Given> {
  const { offers } = scene;
  let { board } = scene;
  const gifts: Gift[] = [];
  for (;;) {
    const left = offers.map((offer, index) => ({ ...offer, slots: offer.slots - countOf(gifts, index) }));
    const grants = decideGrants(board, left);
    const taken = await claimAll(context, calls, grants);
    gifts.push(...taken);
    board = taken.reduce((before, { grant }) => granted(before, grant), board);
    if (taken.length === grants.length) return { gifts, board };
    board = exhausted(board, grants, taken);
  }
}

function countOf(gifts: readonly Gift[], offer: number): number {
  return gifts.filter(({ grant }) => grant.offer === offer).length;
}

/** The queues that yielded less than was decided have no more. */
function exhausted(board: Board, grants: readonly Grant[], taken: readonly Gift[]): Board {
  const got = new Set(taken.map(({ grant }) => grant));
  const short = new Set(grants.filter((grant) => !got.has(grant)).map(({ automation }) => automation.id));
  return {
    ...board,
    automations: board.automations.map((one) => (short.has(one.id) ? { ...one, claimable: 0 } : one)),
  };
}

/** Claims what was decided, from all queues in one round trip. */
async function claimAll(context: TenantContext, calls: Calls, grants: readonly Grant[]): Promise<Gift[]> {
  const byQueue = new Map<Id, Grant[]>();
  for (const grant of grants) {
    const { queueId } = grant.automation;
    byQueue.set(queueId, [...(byQueue.get(queueId) ?? []), grant]);
  }
  const claims = [...byQueue].map(([queueId, list]) => claim(context, calls, queueId, list));
  return (await Promise.all(claims)).flat();
}

async function claim(context: TenantContext, calls: Calls, queueId: Id, grants: readonly Grant[]) {
  // Otherwise all devices of the tenant would wait for one queue. Whoever keeps them out of it wakes them in the end.
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
  // In the order of the slots: what is missing is missing at the end.
  return items.map((item, index): Gift => ({ grant: grants[index] as Grant, item }));
}
