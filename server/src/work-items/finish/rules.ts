import type { Id, Schemas, TransitionName } from '@millrace/api';
import { Refusal } from '../../engine/errors.ts';
import type { QueueDefinition } from '../../engine/operation.ts';
import {
  dateOf,
  firstOf,
  isHolder,
  moved,
  movedBehind,
  outputProblem,
  refunded,
  resultProblem,
  stopped,
  tagsOf,
  unresolved,
  withCancellation,
  type Item,
  type Move,
} from '../item/rules.ts';

/** A report on an item. */
export type Report = Omit<Schemas['WorkItemReport'], 'id'>;

/** A report, and its sender. */
export interface SentReport {
  readonly actorId: Id;
  readonly report: Report;
}

/** The circumstances of a verdict besides item and report. */
interface Circumstances {
  readonly queue: Pick<QueueDefinition, 'autoRetryLimit' | 'retryBackOff'>;
  readonly now: Date;
  /** Random, from 0 up to 1: shortens the wait before a retry. */
  readonly chance: number;
}

/** The same report came before: it is answered again and changes nothing. */
type Repetition = 'repeated';

/** The transition for a holder's report. A refusal with LATE_REPORT is recorded as well: a former holder may have done the work. */
export function decideReport(
  item: Item,
  sent: SentReport,
  circumstances: Circumstances,
): Move | Repetition | Refusal {
  const { report, actorId } = sent;
  if (isRepetition(item, sent)) return 'repeated';
  if (!isHolder(item, actorId) || item.version !== report.version) return late(item);
  const disagreement = resultProblem(report.status, report.result) ?? outputProblem(report.output);
  if (disagreement) return disagreement;
  const transition = firstOf(item, transitionsFor(item, report, circumstances.queue));
  return moveBy({ ...item, ...reportedMembers(item, sent) }, transition, report, circumstances);
}

function isRepetition(item: Item, { report, actorId }: SentReport): boolean {
  const { reportedBy, reportedVersion, reportedStatus } = item;
  return reportedBy === actorId && reportedVersion === report.version && reportedStatus === report.status;
}

function late({ id, status, version }: Item): Refusal {
  return new Refusal(
    'LATE_REPORT',
    `You do not hold item ${id} any more: it is ${status} at version ${version}. The report is kept in its timeline.`,
  );
}

/** The transition wanted by a report, and those that may take its place; the first possible one is made. */
function transitionsFor(item: Item, report: Report, queue: Circumstances['queue']): TransitionName[] {
  switch (report.status) {
    case 'COMPLETE':
      return ['finish'];
    case 'DEFERRED':
      return ['park', 'stop', 'doubt'];
    case 'NEW':
      return ['giveBack', 'stop', 'doubt'];
    case 'FAILED':
      if (report.failureKind === 'BUSINESS') return ['stop', 'fail'];
      return ['stop', 'doubt', item.retryCount < queue.autoRetryLimit ? 'retry' : 'fail'];
  }
}

/** The members that a report sets on the item whatever its transition. */
function reportedMembers(item: Item, { report, actorId }: SentReport): Partial<Item> {
  return {
    reportedBy: actorId,
    reportedVersion: report.version,
    reportedStatus: report.status,
    // A holder that reports is alive: the item has not brought it down.
    lapseCount: undefined,
    output: report.output ?? item.output,
    comment: report.comment ?? item.comment,
    resultText: report.resultText ?? item.resultText,
    tags: report.tags ? tagsOf(report.tags) : item.tags,
  };
}

function moveBy(
  item: Item,
  transition: TransitionName,
  report: Report,
  { queue, now, chance }: Circumstances,
): Move {
  const { error = report.reason, reason = report.error } = report;
  if (transition === 'stop') return stopped(item, error, now);
  if (transition === 'doubt') return unresolved(item, error, now);
  const next = moved(item, transition, now);
  if (transition === 'finish') {
    return { transition, item: { ...next, result: 'SUCCESS', error: undefined } };
  }
  if (transition === 'park') {
    return { transition, item: { ...next, notBefore: dateOf(report.deferredUntil) }, reason };
  }
  if (transition === 'giveBack') return { transition, item: refunded(next), reason };
  if (transition === 'fail') return failed(item, next, report);
  const wait = backOffMs(queue.retryBackOff, item.retryCount, chance);
  const claimableOn = new Date(now.getTime() + wait);
  const retried = {
    retryCount: item.retryCount + 1,
    notBefore: wait > 0 ? claimableOn : undefined,
    sortKey: movedBehind(item.sortKey, claimableOn),
  };
  return { transition, item: { ...next, ...retried, error }, reason };
}

function failed(before: Item, next: Item, { error: reported, failureKind }: Report): Move {
  const kind = failureKind === 'BUSINESS' ? 'BUSINESS' : 'SYSTEM';
  const error = withCancellation(before, reported);
  return {
    transition: 'fail',
    item: { ...next, result: 'FAILURE', failureKind: kind, error },
    reason: error,
  };
}

const dayInSeconds = 86_400;

/**
 * Milliseconds until an item is tried again; 0 without a back-off.
 * @param retries number of earlier retries.
 * @param chance random, from 0 up to 1: the share of the jitter by which the wait is shortened.
 */
export function backOffMs(backOff: QueueDefinition['retryBackOff'], retries: number, chance: number): number {
  if (!backOff) return 0;
  const { type, seconds = 0, maxSeconds = dayInSeconds, jitterPercent = 0 } = backOff;
  const wait = type === 'FIXED' ? seconds : Math.min(seconds * 2 ** retries, maxSeconds);
  return Math.round(1000 * wait * (1 - (chance * jitterPercent) / 100));
}
