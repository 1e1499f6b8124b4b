import type { ItemFacts, QueueFacts, Reason } from './facts.ts';
import { mostAhead } from './facts.ts';
import { paceFacts, secondsToStart, type Distance } from './pace.rules.ts';
import { archived, hindrancesOf, ownHindrance, type Hindrances } from './queue.rules.ts';
import { settled } from './settled.rules.ts';
import {
  empty,
  itemBackOff,
  itemPlace,
  lapses,
  queueBackOff,
  queueDeferred,
  working,
} from './waiting.rules.ts';

/** The answer to "why": reasons, the most decisive first, and when it is expected to start. */
export interface Explanation {
  readonly reasons: readonly Reason[];
  readonly expectedStartOn?: Date | undefined;
}

/** Why the waiting items of a queue do not start, or that they do. */
export function explainQueueFacts(facts: QueueFacts, now: Date): Explanation {
  const { reasons, expectedStartOn } = facts.waiting > 0 ? ofWaiting(facts, now) : ofIdle(facts);
  const own = ownHindrance(facts);
  return { reasons: own ? [...reasons, own] : reasons, expectedStartOn };
}

/** Items could start now. */
function ofWaiting(facts: QueueFacts, now: Date): Explanation {
  const { lasting, passing } = hindrancesOf(facts);
  const hindrances = [...lasting, ...passing];
  const way = distance(facts, facts.waiting - 1, passing);
  const seconds = secondsToStart(facts, way);
  const going = hindrances.length > 0 ? [] : [working(facts, seconds, paceFacts(facts, way.isNarrow))];
  return {
    reasons: [...hindrances, ...going, ...queueBackOff(facts), ...queueDeferred(facts)],
    expectedStartOn: lasting.length > 0 ? undefined : later(now, seconds),
  };
}

/** No item could start now. What would hold up the next one is worth knowing before it comes; a full house is not. */
function ofIdle(facts: QueueFacts): Explanation {
  const { lasting } = hindrancesOf(facts);
  const [backOff, deferred] = [queueBackOff(facts), queueDeferred(facts)];
  // Items in back-off wait, and meet what is in their way before their time; what was put aside does not even wait.
  const reasons =
    backOff.length > 0
      ? [...lasting, ...backOff, ...deferred]
      : archivedFirst(facts, [...resting(facts, deferred), ...lasting]);
  const next = backOff.length > 0 ? facts.backOff : facts.deferred;
  return { reasons, expectedStartOn: lasting.length > 0 ? undefined : next.nextOn };
}

function resting(facts: QueueFacts, deferred: readonly Reason[]): readonly Reason[] {
  return facts.running === 0 && deferred.length > 0 ? deferred : [empty(facts), ...deferred];
}

/** Why an item does not start, or why it is as it is. */
export function explainItemFacts(item: ItemFacts, queue: QueueFacts, now: Date): Explanation {
  if (item.status === 'NEW') return explainWaiting(item, queue, now);
  const reason = settled(item);
  if (item.status === 'FAILED') return { reasons: [reason, ...present(archived(queue))] };
  if (item.status !== 'DEFERRED') return { reasons: [reason] };
  const { lasting } = hindrancesOf(queue);
  return {
    reasons: archivedFirst(queue, [reason, ...lasting]),
    expectedStartOn: lasting.length > 0 ? undefined : item.notBefore,
  };
}

/** What lasts decides; then the item's own waiting; who is busy only says why the ones before it wait too. */
function explainWaiting(item: ItemFacts, queue: QueueFacts, now: Date): Explanation {
  const { ahead, notBefore } = item;
  const { lasting, passing } = hindrancesOf(queue);
  const way = distance(queue, ahead, passing);
  const seconds = lasting.length > 0 ? undefined : secondsToStart(queue, way);
  const own = present(ownHindrance(queue));
  const place = notBefore
    ? itemBackOff(item)
    : itemPlace(item, queue.pace, seconds, paceFacts(queue, way.isNarrow));
  const reasons = [...lasting, place, ...passing, ...lapses(item), ...own];
  // Where nobody knows how many are ahead, the time is a lower bound, and no expectation.
  if (lasting.length > 0 || ahead > mostAhead) return { reasons };
  const start = later(now, seconds);
  return { reasons, expectedStartOn: notBefore && (!start || notBefore > start) ? notBefore : start };
}

function distance(
  { automation, running }: QueueFacts,
  ahead: number,
  passing: Hindrances['passing'],
): Distance {
  // A consumer that was free would have taken what waits.
  const areConsumersBusy = automation?.status !== 'ACTIVE' && running > 0;
  return {
    ahead,
    isBusy: passing.length > 0 || areConsumersBusy,
    isNarrow: passing.some(({ code }) => code === 'THRESHOLD'),
  };
}

/** Whatever else is the matter, in an archived queue nothing can be done about it. */
function archivedFirst(queue: QueueFacts, reasons: readonly Reason[]): Reason[] {
  const others = reasons.filter(({ code }) => code !== 'QUEUE_ARCHIVED');
  return [...present(archived(queue)), ...others];
}

function present(reason: Reason | undefined): Reason[] {
  return reason ? [reason] : [];
}

function later(now: Date, seconds: number | undefined): Date | undefined {
  return seconds === undefined ? undefined : new Date(now.getTime() + seconds * 1000);
}
