import { mayHappen } from '@millrace/api';
import { isExhausted } from '../work-items/lease/rules.ts';
import { mostAhead, type ItemFacts, type Pace, type QueueFacts, type Reason } from './facts.ts';
import { archived, hindrancesOf, ownHindrance, type Hindrances } from './hindrances.rules.ts';
import { paceFacts, secondsToStart, type Distance } from './pace.rules.ts';
import { because, byWhom, count, instant, span } from './words.ts';

/** The answer to "why": reasons, the most decisive first, and the expected start. */
export interface Explanation {
  readonly reasons: readonly Reason[];
  readonly expectedStartOn?: Date | undefined;
}

/** The reasons why the waiting items of a queue do not start, or the statement that they do. */
export function explainQueueFacts(facts: QueueFacts, now: Date): Explanation {
  const { reasons, expectedStartOn } = facts.waiting > 0 ? ofWaiting(facts, now) : ofIdle(facts);
  const own = ownHindrance(facts);
  return { reasons: own ? [...reasons, own] : reasons, expectedStartOn };
}

/** Explains a queue with items that could start now. */
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

/** Explains a queue without items that could start now: lasting hindrances would hold up the next one, busy devices may not. */
function ofIdle(facts: QueueFacts): Explanation {
  const { lasting } = hindrancesOf(facts);
  const [backOff, deferred] = [queueBackOff(facts), queueDeferred(facts)];
  // Items in back-off wait, and lasting hindrances are named before their time; deferred items do not even wait.
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

/** The reasons why an item does not start, or why it has its status. */
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

/** Lasting hindrances decide, then the item's own waiting; passing ones only explain why the items ahead wait too. */
function explainWaiting(item: ItemFacts, queue: QueueFacts, now: Date): Explanation {
  const { ahead, notBefore } = item;
  const { lasting, passing } = hindrancesOf(queue);
  const way = distance(queue, ahead, passing);
  const seconds = lasting.length > 0 ? undefined : secondsToStart(queue, way);
  const own = present(ownHindrance(queue));
  const waiting = notBefore
    ? itemBackOff(item)
    : itemPosition(item, queue.pace, seconds, paceFacts(queue, way.isNarrow));
  const reasons = [...lasting, waiting, ...passing, ...expiredLeases(item), ...own];
  // Beyond the counted items the time is a lower bound, and no expectation.
  if (lasting.length > 0 || ahead > mostAhead) return { reasons };
  const start = later(now, seconds);
  return { reasons, expectedStartOn: notBefore && (!start || notBefore > start) ? notBefore : start };
}

function distance(
  { automation, running }: QueueFacts,
  ahead: number,
  passing: Hindrances['passing'],
): Distance {
  // A free consumer would have taken the waiting items.
  const areConsumersBusy = automation?.status !== 'ACTIVE' && running > 0;
  return {
    ahead,
    isBusy: passing.length > 0 || areConsumersBusy,
    isNarrow: passing.some(({ code }) => code === 'THRESHOLD'),
  };
}

/** Names first that the queue is archived: until it is restored, no other remedy works. */
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

type PaceFacts = Readonly<Record<string, unknown>>;

/** The reason that nothing keeps the items of the queue from starting. */
function working(
  { waiting, running, pace }: QueueFacts,
  seconds: number | undefined,
  way: PaceFacts,
): Reason {
  const who = waiting === 1 ? 'it' : 'the last of them';
  const end =
    seconds === undefined || seconds === 0
      ? ''
      : ` At the pace of the last ${pace.minutes} minutes ${who} starts in about ${span(seconds)}.`;
  return {
    code: 'WORKING',
    sentence: `Nothing holds the queue up: ${counted(waiting, 'waits', 'wait')}, ${beingProcessed(running)}.${end}`,
    facts: { waiting, running, ...way },
  };
}

/** The reason that no item of the queue waits. */
function empty({ running }: QueueFacts): Reason {
  const rest = running === 0 ? ' and nothing runs' : `; ${beingProcessed(running)}`;
  return { code: 'EMPTY', sentence: `Nothing waits${rest}.`, facts: { waiting: 0, running } };
}

function beingProcessed(running: number): string {
  return counted(running, 'is being processed', 'are being processed');
}

/** The reason that items of the queue wait for their next try, if there are any. */
function queueBackOff({ backOff, waiting }: QueueFacts): Reason[] {
  const { items, nextOn } = backOff;
  if (items === 0) return [];
  const who = count(items, waiting > 0 ? 'more item' : 'item');
  const first = nextOn ? instant(nextOn) : 'a time';
  const sentence =
    items === 1
      ? `${who} waits until ${first} before its next try.`
      : `${who} wait for their next tries, the first until ${first}.`;
  return [{ code: 'BACK_OFF', sentence, facts: { items, nextOn } }];
}

/** The reason that items of the queue were deferred, if there are any. */
function queueDeferred({ deferred }: QueueFacts): Reason[] {
  const { items, nextOn } = deferred;
  if (items === 0) return [];
  const them = items === 1 ? 'it' : 'them';
  const first = items === 1 ? '' : ', the next';
  const end = nextOn ? `${first} until ${instant(nextOn)}.` : ` without an end. Release ${them} to go on.`;
  const sentence = `${counted(items, 'is', 'are')} put aside${end}`;
  return [{ code: 'DEFERRED', sentence, facts: { items, nextOn } }];
}

/** The reason for an item that could start now: the number of items ahead of it. */
function itemPosition(
  { ahead }: ItemFacts,
  { minutes }: Pace,
  seconds: number | undefined,
  way: PaceFacts,
): Reason {
  if (ahead === 0) {
    return {
      code: 'NEXT',
      sentence: 'It is the next item of the queue to be granted, as soon as somebody is free to take it.',
      facts: { ahead, ...way },
    };
  }
  const isMore = ahead > mostAhead;
  const [more, about] = isMore ? ['More than ', 'more than'] : ['', 'about'];
  const before = isMore ? mostAhead : ahead;
  const when =
    seconds === undefined
      ? ''
      : ` At the pace of the last ${minutes} minutes it starts in ${about} ${span(seconds)}.`;
  return {
    code: 'BEHIND',
    sentence: `${more}${counted(before, 'is', 'are')} to start before this one.${when}`,
    facts: { ...(isMore ? { aheadMoreThan: before } : { ahead }), ...way },
  };
}

/** The reason that an item waits for its next try. */
function itemBackOff({ notBefore, retryCount, retryLimit, error }: ItemFacts): Reason {
  const until = notBefore ? ` until ${instant(notBefore)}` : '';
  const said = error === undefined ? '' : ` It failed${because(firstLine(error))}.`;
  return {
    code: 'BACK_OFF',
    sentence: `It waits${until} before try ${retryCount + 1} of at most ${retryLimit + 1}.${said}`,
    facts: { notBefore, retryCount, autoRetryLimit: retryLimit, error },
  };
}

/** The reason that holders of the item fell silent, which may be the fault of the item. */
function expiredLeases({ lapseCount = 0, lapseLimit }: ItemFacts): Reason[] {
  if (lapseCount === 0) return [];
  const holders =
    lapseCount === 1 ? 'Its last holder' : `Its last ${lapseCount} holders, one after the other,`;
  const end = lapseLimit > 0 ? ` At ${lapseLimit} in a row it fails.` : '';
  const sentence = `${holders} fell silent, so it was started and came back.${end}`;
  return [{ code: 'LAPSED', sentence, facts: { lapseCount, lapseLimit } }];
}

/** The part of an error that fits into a sentence. */
function firstLine(text = ''): string {
  return text.split('\n', 1)[0]?.slice(0, 300) ?? '';
}

/** The reason for the status of an item that does not wait. */
function settled(item: ItemFacts): Reason {
  if (item.status === 'IN_PROGRESS') return inProgress(item);
  if (item.status === 'DEFERRED') return putAside(item);
  if (item.status === 'COMPLETE') return done(item);
  if (item.failureKind === 'EXPIRED') return expired(item);
  return item.failureKind === 'IN_DOUBT' ? unresolvedOutcome(item) : failed(item);
}

function inProgress(item: ItemFacts): Reason {
  const { startedOn, leaseExpiresOn, deviceName, holderName, cancelRequestedOn, pointOfNoReturnOn } = item;
  const where = deviceName === undefined ? byWhom(holderName) : ` on ${deviceName}`;
  const since = startedOn ? ` since ${instant(startedOn)}` : '';
  const passed = pointOfNoReturnOn
    ? ` It passed the point of no return at ${instant(pointOfNoReturnOn)}.`
    : '';
  const cancel = cancelRequestedOn ? ` It was asked to stop at ${instant(cancelRequestedOn)}.` : '';
  const lease = leaseExpiresOn
    ? ` Unless its holder gives a sign of life by ${instant(leaseExpiresOn)}, it ${fateOf(item)}.`
    : '';
  return {
    code: 'RUNNING',
    sentence: `It is being processed${where}${since}.${passed}${cancel}${lease}`,
    facts: { startedOn, leaseExpiresOn, deviceName, holderName, cancelRequestedOn, pointOfNoReturnOn },
  };
}

/** The fate of an item whose lease expires, by the table of transitions. */
function fateOf(item: ItemFacts): string {
  if (mayHappen('doubt', item)) return 'is in doubt (FAILED, IN_DOUBT)';
  if (mayHappen('stop', item)) return 'becomes FAILED';
  if (isExhausted(item, item.lapseLimit)) return 'becomes FAILED: too many holders in a row fell silent';
  return 'is taken back';
}

function done({ endedOn, changedByName }: ItemFacts): Reason {
  const when = endedOn ? ` since ${instant(endedOn)}` : '';
  return { code: 'DONE', sentence: `It is done${when}${byWhom(changedByName)}.`, facts: { endedOn } };
}

function putAside({ notBefore, changedByName, changeReason }: ItemFacts): Reason {
  const until = notBefore ? `until ${instant(notBefore)}` : 'without an end';
  const next = notBefore ? 'Then it waits like the others.' : 'Release it to go on.';
  return {
    code: 'DEFERRED',
    sentence: `It was put aside ${until}${byWhom(changedByName)}${because(changeReason)}. ${next}`,
    facts: { deferredUntil: notBefore, byName: changedByName, reason: changeReason },
  };
}

function failed(item: ItemFacts): Reason {
  const { failureKind, error, retryCount, lapseCount } = item;
  const isTechnical = failureKind === 'SYSTEM';
  const grounds =
    failureKind === 'DATA_ERROR'
      ? 'because of its data'
      : `on ${isTechnical ? 'technical' : 'business'} grounds`;
  const tries = isTechnical && retryCount > 0 ? ` after ${retryCount + 1} tries` : '';
  const end = lapseCount === undefined ? 'No retry is left.' : 'No other device gets it.';
  const next = isTechnical
    ? `${end} Restart it when the cause is mended.`
    : 'It is not tried again. Correct it and restart it, or leave it.';
  const sentence = `It failed ${grounds}${tries}${because(firstLine(error))}. ${next}`;
  return { code: 'FAILED', sentence, facts: failureFacts(item) };
}

function expired(item: ItemFacts): Reason {
  const sentence = `Nobody took it in time${because(firstLine(item.error))}. Restart it if it is still wanted.`;
  return { code: 'EXPIRED', sentence, facts: failureFacts(item) };
}

function unresolvedOutcome(item: ItemFacts): Reason {
  const { pointOfNoReturnOn, deviceName, changeReason } = item;
  const holder = deviceName === undefined ? 'Its holder' : `The device ${deviceName}`;
  const since = pointOfNoReturnOn ? ` at ${instant(pointOfNoReturnOn)}` : '';
  return {
    code: 'IN_DOUBT',
    sentence: `${holder} passed the point of no return${since} and did not report success${because(firstLine(changeReason))}. The work may have been done: find out, and answer with done, not done or partly.`,
    facts: { ...failureFacts(item), pointOfNoReturnOn, deviceName, reason: changeReason },
  };
}

function failureFacts({ failureKind, error, endedOn, retryCount, lapseCount }: ItemFacts) {
  return { failureKind, error, endedOn, retryCount, lapseCount };
}

/** `1 item waits`, `12 items wait`: a count with its verb, in singular and plural. */
function counted(number: number, singular: string, plural: string): string {
  return `${count(number, 'item')} ${number === 1 ? singular : plural}`;
}
