import type { Id, Schemas, TransitionName } from '@millrace/api';
import { Refusal } from '../errors.ts';
import { backOffMs, type QueueDefinition } from '../queues/rules.ts';
import { doubted, refunded, stopped, withCancellation } from './end.rules.ts';
import {
  dateOf,
  firstOf,
  isHolder,
  moved,
  outputProblem,
  resultProblem,
  tagsOf,
  type Item,
  type Move,
} from './rules.ts';
import { movedBehind } from './sort-key.ts';

/** What the holder says of an item. */
export type Report = Omit<Schemas['WorkItemReport'], 'id'>;

/** A report, and who sent it. */
export interface SentReport {
  readonly actorId: Id;
  readonly report: Report;
}

/** What a verdict depends on besides item and report. */
export interface Circumstances {
  readonly queue: Pick<QueueDefinition, 'autoRetryLimit' | 'retryBackOff'>;
  readonly now: Date;
  /** At random from 0 up to 1: shortens the wait before a retry. */
  readonly chance: number;
}

/** The same report came before: it is answered again and changes nothing. */
export type Repetition = 'repeated';

/**
 * What a holder's report does to the item. A Refusal LATE_REPORT is for the record as well: somebody who held the item
 * may have done the work.
 */
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
  return settled({ ...item, ...said(item, sent) }, transition, report, circumstances);
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

/** What the report asks for, before it what stands against that; the first that may happen does. */
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

/** What a report leaves on the item whatever becomes of it. */
function said(item: Item, { report, actorId }: SentReport): Partial<Item> {
  return {
    reportedBy: actorId,
    reportedVersion: report.version,
    reportedStatus: report.status,
    // Whoever reports is alive: the item has not brought it down.
    lapseCount: undefined,
    output: report.output ?? item.output,
    comment: report.comment ?? item.comment,
    resultText: report.resultText ?? item.resultText,
    tags: report.tags ? tagsOf(report.tags) : item.tags,
  };
}

function settled(
  item: Item,
  transition: TransitionName,
  report: Report,
  { queue, now, chance }: Circumstances,
): Move {
  const { error = report.reason, reason = report.error } = report;
  if (transition === 'stop') return stopped(item, error, now);
  if (transition === 'doubt') return doubted(item, error, now);
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

function failed(before: Item, next: Item, { error: told, failureKind }: Report): Move {
  const kind = failureKind === 'BUSINESS' ? 'BUSINESS' : 'SYSTEM';
  const error = withCancellation(before, told);
  return {
    transition: 'fail',
    item: { ...next, result: 'FAILURE', failureKind: kind, error },
    reason: error,
  };
}
