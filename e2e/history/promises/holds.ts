import { notesOf, type Happening, type Target } from '../record.ts';
import { isGrant, type Case } from '../timelines.ts';

/** A time in which people were sure of something: from an answer until they asked for the contrary. */
interface Span {
  readonly target: Target;
  readonly from: number;
  readonly until: number;
}

function spans(known: Case, begin: 'held' | 'released', end: 'releasing' | 'holding'): Span[] {
  const ends = notesOf(known, end);
  return notesOf(known, begin).map(({ target, at }) => {
    const later = ends.filter((one) => one.target === target && one.at >= at).map((one) => one.at);
    return { target, from: at, until: Math.min(...later, Number.POSITIVE_INFINITY) };
  });
}

type Which = (event: Happening) => boolean;

/** Finds the events that begin and end a hold of a target. */
function turnsOf(target: Target): { readonly isBegin: Which; readonly isEnd: Which } {
  const [kind, id] = target.split(' ');
  const is = (operations: readonly string[], of: (event: Happening) => unknown) => (event: Happening) =>
    event.itemId === undefined && String(of(event)) === id && operations.includes(event.operation);
  if (kind === 'device') {
    const device = (event: Happening) => event.device;
    return { isBegin: is(['drainDevice', 'quarantineDevice'], device), isEnd: is(['resumeDevice'], device) };
  }
  if (kind === 'queue') {
    const queue = (event: Happening) => event.queueId;
    return { isBegin: is(['pauseQueue'], queue), isEnd: is(['resumeQueue'], queue) };
  }
  const isUpdate = is(['updateAutomation'], ({ changes }) => changes?.['automationId']);
  const isActive = ({ changes }: Happening) => changes?.['status'] === 'ACTIVE';
  return {
    isBegin: (event) => isUpdate(event) && !isActive(event),
    isEnd: (event) => isUpdate(event) && isActive(event),
  };
}

/**
 * The event that ended a hold, or none. A grant with a later id is none of a held target, although its transaction began before the
 * release was asked for: its server was frozen meanwhile, or a call whose answer was lost has released the target long before.
 */
function releaseOf({ record }: Case, { target, from }: Span): number {
  const { isBegin, isEnd } = turnsOf(target);
  const begun = record.findLast((event) => isBegin(event) && event.at <= from);
  const end = record.find((event) => isEnd(event) && event.id > (begun?.id ?? 0));
  return end?.id ?? Number.POSITIVE_INFINITY;
}

/** No later grant from a device, a queue, or all automations of a queue that somebody was told to be held. */
export function effectiveHolds(known: Case): string[] {
  const held = spans(known, 'held', 'releasing').map((span) => ({ ...span, end: releaseOf(known, span) }));
  const isHeld = (wanted: Target, { at, id }: Happening) =>
    held.some(({ target, from, until, end }) => target === wanted && at > from && at < until && id < end);
  return known.record.filter(isGrant).flatMap((grant) =>
    sourcesOf(known, grant)
      .filter((targets) => targets.length > 0 && targets.every((target) => isHeld(target, grant)))
      .map((targets) => `item ${grant.itemId} was granted while ${targets.join(' and ')} was held`),
  );
}

/** The sources that a grant needs: one of each list, and that one not held. */
function sourcesOf({ stage }: Case, grant: Pick<Happening, 'operation' | 'queueId' | 'device'>): Target[][] {
  const { operation, queueId, device } = grant;
  const queue: Target[] = [`queue ${Number(queueId)}`];
  if (operation !== 'requestWork') return [queue];
  const automations = stage.automations
    .filter((one) => one.queueId === queueId)
    .map(({ id }): Target => `automation ${id}`);
  return [queue, [`device ${Number(device)}`], automations];
}

export function singleAutomations(known: Case): string[] {
  const active = spans(known, 'released', 'holding');
  return known.stage.queues.flatMap(({ id }) => {
    const bound = known.stage.automations
      .filter(({ queueId }) => queueId === id)
      .map((one) => `automation ${one.id}`);
    const ofQueue = active.filter(({ target }) => bound.includes(target));
    return ofQueue
      .filter((one) => ofQueue.some((other) => other.target > one.target && overlap(one, other)))
      .map(({ target }) => `${target} and another one were ACTIVE for queue ${id}`);
  });
}

function overlap(one: Span, other: Span): boolean {
  return one.from < other.until && other.from < one.until;
}
