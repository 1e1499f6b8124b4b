import type { ItemFacts, QueueFacts, Reason } from './facts.ts';
import { goingOn, hindrances, ownHindrance, passes, paceFacts, secondsToStart } from './queue.rules.ts';
import { because, byWhom, count, instant, span } from './words.ts';

/** The answer to "why": reasons, and when it is expected to start. */
export interface Explanation {
  readonly reasons: readonly Reason[];
  readonly expectedStartOn?: Date | undefined;
}

/** Why the waiting items of a queue do not start, or that they do. */
export function explainQueueFacts(facts: QueueFacts, now: Date): Explanation {
  const found = facts.waiting === 0 ? [] : hindrances(facts);
  // What would hold up the next item is worth knowing before it comes; a full house is not.
  const standing = facts.waiting === 0 ? hindrances(facts).filter((reason) => !passes(reason)) : [];
  const own = ownHindrance(facts);
  const reasons = [
    ...found,
    ...(found.length > 0 ? [] : [goingOn(facts)]),
    ...standing,
    ...(own ? [own] : []),
  ];
  if (facts.waiting === 0 || !found.every(passes)) return { reasons };
  return {
    reasons,
    expectedStartOn: later(now, secondsToStart(facts, facts.waiting - 1, facts.running > 0)),
  };
}

/** Why an item does not start, or why it is as it is. */
export function explainItemFacts(item: ItemFacts, queue: QueueFacts, now: Date): Explanation {
  if (item.status === 'NEW') return explainWaiting(item, queue, now);
  const reason = settled(item);
  if (item.status !== 'DEFERRED') return { reasons: [reason] };
  const after = hindrances(queue).filter((one) => !passes(one));
  const isCertain = item.notBefore !== undefined && after.length === 0;
  return { reasons: [reason, ...after], ...(isCertain && { expectedStartOn: item.notBefore }) };
}

function explainWaiting(item: ItemFacts, queue: QueueFacts, now: Date): Explanation {
  const { ahead, notBefore } = item;
  const found = hindrances(queue);
  const lasting = found.filter((one) => !passes(one));
  const busy = found.filter(passes);
  const own = ownHindrance(queue);
  const seconds = secondsToStart(queue, ahead, busy.length > 0);
  const place = notBefore ? [backOff(item)] : [placeInQueue(item, queue, seconds)];
  // What lasts decides; then the item's own waiting; who is busy only says why the ones before it wait too.
  const reasons = [...lasting, ...place, ...busy, ...lapses(item), ...(own ? [own] : [])];
  if (lasting.length > 0) return { reasons };
  const start = later(now, seconds);
  return { reasons, expectedStartOn: notBefore && (!start || notBefore > start) ? notBefore : start };
}

function placeInQueue({ ahead }: ItemFacts, queue: QueueFacts, seconds: number | undefined): Reason {
  const facts = { ahead, ...paceFacts(queue) };
  if (ahead === 0) {
    return {
      code: 'NEXT',
      sentence: 'It is the next item of the queue to be granted, as soon as somebody is free to take it.',
      facts,
    };
  }
  const { minutes } = queue.pace;
  const when =
    seconds === undefined
      ? ''
      : ` At the pace of the last ${minutes} minutes it starts in about ${span(seconds)}.`;
  return {
    code: 'BEHIND',
    sentence: `${count(ahead, 'item')} ${ahead === 1 ? 'is' : 'are'} to start before this one.${when}`,
    facts,
  };
}

function backOff({ notBefore, retryCount, retryLimit, error }: ItemFacts): Reason {
  const until = instant(notBefore as Date);
  const said = error === undefined ? '' : ` It failed${because(firstLine(error))}.`;
  return {
    code: 'BACK_OFF',
    sentence: `It waits until ${until} before try ${retryCount + 1} of at most ${retryLimit + 1}.${said}`,
    facts: { notBefore, retryCount, autoRetryLimit: retryLimit, error },
  };
}

/** That holders of the item fell silent, which may be its fault. */
function lapses({ lapseCount = 0, lapseLimit }: ItemFacts): Reason[] {
  if (lapseCount === 0) return [];
  const holders =
    lapseCount === 1 ? 'Its last holder' : `Its last ${lapseCount} holders, one after the other,`;
  const end = lapseLimit > 0 ? ` At ${lapseLimit} in a row it fails.` : '';
  const sentence = `${holders} fell silent, so it was started and came back.${end}`;
  return [{ code: 'LAPSED', sentence, facts: { lapseCount, lapseLimit } }];
}

/** An item that does not wait. */
function settled(item: ItemFacts): Reason {
  if (item.status === 'IN_PROGRESS') return running(item);
  if (item.status === 'DEFERRED') return deferred(item);
  if (item.status === 'COMPLETE') {
    const when = item.endedOn ? ` since ${instant(item.endedOn)}` : '';
    return {
      code: 'DONE',
      sentence: `It is done${when}${byWhom(item.changedByName)}.`,
      facts: { endedOn: item.endedOn },
    };
  }
  return failed(item);
}

function running(item: ItemFacts): Reason {
  const { startedOn, leaseExpiresOn, deviceName, holderName, cancelRequestedOn, pointOfNoReturnOn } = item;
  const where = deviceName === undefined ? byWhom(holderName) : ` on ${deviceName}`;
  const since = startedOn ? ` since ${instant(startedOn)}` : '';
  const lease = leaseExpiresOn
    ? ` Unless its holder gives a sign of life it is taken back at ${instant(leaseExpiresOn)}.`
    : '';
  const cancel = cancelRequestedOn ? ` It was asked to stop at ${instant(cancelRequestedOn)}.` : '';
  return {
    code: 'RUNNING',
    sentence: `It is being processed${where}${since}.${cancel}${lease}`,
    facts: { startedOn, leaseExpiresOn, deviceName, holderName, cancelRequestedOn, pointOfNoReturnOn },
  };
}

function deferred({ notBefore, changedByName, changeReason }: ItemFacts): Reason {
  const until = notBefore ? `until ${instant(notBefore)}` : 'without an end';
  const next = notBefore ? 'Then it waits like the others.' : 'Release it to go on.';
  return {
    code: 'DEFERRED',
    sentence: `It was put aside ${until}${byWhom(changedByName)}${because(changeReason)}. ${next}`,
    facts: { deferredUntil: notBefore, byName: changedByName, reason: changeReason },
  };
}

function failed(item: ItemFacts): Reason {
  if (item.failureKind === 'EXPIRED') return expired(item);
  if (item.failureKind === 'IN_DOUBT') return inDoubt(item);
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

function inDoubt(item: ItemFacts): Reason {
  const { pointOfNoReturnOn, deviceName } = item;
  const holder = deviceName === undefined ? 'Its holder' : `The device ${deviceName}`;
  const since = pointOfNoReturnOn ? ` at ${instant(pointOfNoReturnOn)}` : '';
  return {
    code: 'IN_DOUBT',
    sentence: `${holder} passed the point of no return${since} and then fell silent: the work may have been done. Find out, and answer with done, not done or partly.`,
    facts: { ...failureFacts(item), pointOfNoReturnOn, deviceName },
  };
}

function failureFacts({ failureKind, error, endedOn, retryCount, lapseCount }: ItemFacts) {
  return { failureKind, error, endedOn, retryCount, lapseCount };
}

function firstLine(text = ''): string {
  return text.split('\n', 1)[0]?.slice(0, 300) ?? '';
}

function later(now: Date, seconds: number | undefined): Date | undefined {
  return seconds === undefined ? undefined : new Date(now.getTime() + seconds * 1000);
}
