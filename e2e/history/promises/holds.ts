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

/** Of a device, a queue, or all automations of a queue that somebody was told to be held, no later grant. */
export function effectiveHolds(known: Case): string[] {
  const held = spans(known, 'held', 'releasing');
  const isHeld = (wanted: Target, at: number) =>
    held.some(({ target, from, until }) => target === wanted && at > from && at < until);
  return known.record.filter(isGrant).flatMap(({ itemId, at, ...grant }) =>
    sourcesOf(known, grant)
      .filter((targets) => targets.length > 0 && targets.every((target) => isHeld(target, at)))
      .map((targets) => `item ${itemId} was granted while ${targets.join(' and ')} was held`),
  );
}

/** What a grant needs: of each of these lists, one that is not held. */
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
