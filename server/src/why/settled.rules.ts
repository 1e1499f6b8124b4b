import { mayHappen } from '@millrace/api';
import { isExhausted } from '../work-items/lapse.rules.ts';
import type { ItemFacts, Reason } from './facts.ts';
import { firstLine } from './waiting.rules.ts';
import { because, byWhom, instant } from './words.ts';

/** Why an item is as it is that does not wait. */
export function settled(item: ItemFacts): Reason {
  if (item.status === 'IN_PROGRESS') return running(item);
  if (item.status === 'DEFERRED') return deferred(item);
  if (item.status === 'COMPLETE') return done(item);
  if (item.failureKind === 'EXPIRED') return expired(item);
  return item.failureKind === 'IN_DOUBT' ? inDoubt(item) : failed(item);
}

function running(item: ItemFacts): Reason {
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

/** What becomes of an item whose lease runs out, by the table of transitions. */
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
