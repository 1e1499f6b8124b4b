import type { Schemas } from '@millrace/api';
import type { Log } from './logs.sql.ts';

type Event = Schemas['WorkItemEvent'];
type Attempt = Schemas['Attempt'];
type Outcome = NonNullable<Attempt['outcome']>;

/** How the end of an attempt is called, by the transition that its event names. */
const outcomes: Readonly<Record<string, Outcome>> = {
  fail: 'FAILED',
  retry: 'RETRIED',
  park: 'DEFERRED',
  giveBack: 'GIVEN_BACK',
  lapse: 'LAPSED',
  exhaust: 'LAPSED',
  takeBack: 'TAKEN_BACK',
  stop: 'CANCELLED',
  doubt: 'IN_DOUBT',
};

/** Each time an item was processed, from the events of its timeline, oldest first. */
export function attemptsOf(events: readonly Event[]): Attempt[] {
  const attempts: Attempt[] = [];
  for (const event of events) {
    if (event.from !== 'IN_PROGRESS' && event.to === 'IN_PROGRESS') {
      const { deviceId, actorId, on: startedOn } = event;
      attempts.push({ number: attempts.length + 1, ...(deviceId && { deviceId }), actorId, startedOn });
    }
    const last = attempts.at(-1);
    if (last && event.from === 'IN_PROGRESS' && event.to !== 'IN_PROGRESS') Object.assign(last, endBy(event));
  }
  return attempts;
}

function endBy({ on, to, reason, changes }: Event): Partial<Attempt> {
  const outcome = to === 'COMPLETE' ? 'COMPLETE' : outcomes[String(changes?.['transition'])];
  return { endedOn: on, ...(outcome && { outcome }), ...(reason !== undefined && { error: reason }) };
}

/** The attempts, the newest output of the bots with the one in which it was written. */
export function withLog(attempts: readonly Attempt[], log: Log | undefined): Attempt[] {
  const writer = log && attempts.findLastIndex(({ startedOn }) => new Date(startedOn) <= log.updatedOn);
  return attempts.map(
    (attempt, index) => (index === writer ? { ...attempt, logTail: log?.tail } : attempt) as Attempt,
  );
}

/** The evidence of an item that is in doubt. */
export function doubtOf(item: Schemas['WorkItem'], events: readonly Event[]): Schemas['Doubt'] | undefined {
  const { failureKind, pointOfNoReturnOn, deviceId } = item;
  const cause = events.findLast(({ changes }) => changes?.['transition'] === 'doubt');
  if (failureKind !== 'IN_DOUBT' || pointOfNoReturnOn === undefined || !cause) return undefined;
  const leaseExpiredOn = cause.changes?.['leaseExpiresOn'] as string | undefined;
  return {
    since: cause.on,
    pointOfNoReturnOn,
    ...(deviceId !== undefined && { deviceId }),
    ...(leaseExpiredOn !== undefined && { leaseExpiredOn }),
    ...(cause.reason !== undefined && { reason: cause.reason }),
    lateReports: events.filter(({ operation }) => operation === 'lateReport'),
  };
}
