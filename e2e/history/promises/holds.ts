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

/** The operations that begin and end a hold, where a call that was not answered may still come through later. */
const turns: Readonly<Record<string, { readonly begin: readonly string[]; readonly end: string }>> = {
  device: { begin: ['drainDevice', 'quarantineDevice'], end: 'resumeDevice' },
  queue: { begin: ['pauseQueue'], end: 'resumeQueue' },
};

/** The event by which a hold was ended after all, by a call whose answer was lost long before; or none. */
function lateEnd({ record }: Case, { target, from }: Span): number {
  const [kind = '', id] = target.split(' ');
  const turn = turns[kind];
  const own = record.filter(
    (one) => one.itemId === undefined && String(kind === 'device' ? one.device : one.queueId) === id,
  );
  const begun = own.findLast(({ operation, at }) => turn?.begin.includes(operation) && at <= from);
  const end = own.find((one) => one.operation === turn?.end && one.id > (begun?.id ?? 0));
  return end?.id ?? Number.POSITIVE_INFINITY;
}

/** Of a device, a queue, or all automations of a queue that somebody was told to be held, no later grant. */
export function effectiveHolds(known: Case): string[] {
  const held = spans(known, 'held', 'releasing').map((span) => ({ ...span, end: lateEnd(known, span) }));
  const isHeld = (wanted: Target, { at, id }: Happening) =>
    held.some(({ target, from, until, end }) => target === wanted && at > from && at < until && id < end);
  return known.record.filter(isGrant).flatMap((grant) =>
    sourcesOf(known, grant)
      .filter((targets) => targets.length > 0 && targets.every((target) => isHeld(target, grant)))
      .map((targets) => `item ${grant.itemId} was granted while ${targets.join(' and ')} was held`),
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
