import {
  mayHappen,
  statusAfter,
  type Id,
  type Schemas,
  type Status,
  type TransitionName,
} from '@millrace/api';
import { Refusal } from '../errors.ts';
import type { QueueDefinition } from '../queues/rules.ts';
import { movedBehind } from './sort-key.ts';

/** An item without its data: all that rules look at and may change. Members that are not set are undefined. */
export interface Item {
  readonly id: Id;
  readonly status: Status;
  readonly version: number;
  readonly priority: number;
  readonly sortKey: Buffer;
  readonly retryCount: number;
  readonly notBefore?: Date | undefined;
  readonly expiresOn?: Date | undefined;
  /** The user that holds the item, or held it last. */
  readonly claimedBy?: Id | undefined;
  readonly deviceId?: Id | undefined;
  readonly leaseExpiresOn?: Date | undefined;
  readonly startedOn?: Date | undefined;
  readonly endedOn?: Date | undefined;
  readonly result?: 'SUCCESS' | 'FAILURE' | undefined;
  readonly failureKind?: NonNullable<Schemas['WorkItem']['failureKind']> | undefined;
  readonly reportedBy?: Id | undefined;
  readonly reportedVersion?: number | undefined;
  readonly reportedStatus?: string | undefined;
  readonly progress?: Schemas['Progress'] | undefined;
  readonly output?: object | undefined;
  readonly comment?: string | undefined;
  readonly error?: string | undefined;
}

/** What the holder says of an item. */
export type Report = Omit<Schemas['WorkItemReport'], 'id'>;

/** A report, and who sent it. */
export interface SentReport {
  readonly actorId: Id;
  readonly report: Report;
}

/** A transition that is granted, and the item after it. */
export interface Move {
  readonly transition: TransitionName;
  readonly item: Item;
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
  queue: Pick<QueueDefinition, 'autoRetryLimit'>,
  now: Date,
): Move | Repetition | Refusal {
  const { report, actorId } = sent;
  if (isRepetition(item, sent)) return 'repeated';
  if (item.status !== 'IN_PROGRESS' || item.version !== report.version || item.claimedBy !== actorId)
    return late(item);
  const disagreement = resultProblem(report.status, report.result);
  if (disagreement) return disagreement;
  const transition = transitionOf(item, report, queue);
  return {
    transition,
    item: { ...moved(item, transition, now), ...reported(item, sent, transition, now) },
  };
}

function isRepetition(item: Item, { report, actorId }: SentReport): boolean {
  const { reportedBy, reportedVersion, reportedStatus } = item;
  return reportedBy === actorId && reportedVersion === report.version && reportedStatus === report.status;
}

function transitionOf(
  item: Item,
  report: Report,
  queue: Pick<QueueDefinition, 'autoRetryLimit'>,
): TransitionName {
  if (report.status === 'COMPLETE') return 'finish';
  if (report.status === 'DEFERRED') return 'park';
  return report.failureKind !== 'BUSINESS' && item.retryCount < queue.autoRetryLimit ? 'retry' : 'fail';
}

function late({ id, status, version }: Item): Refusal {
  return new Refusal(
    'LATE_REPORT',
    `You do not hold item ${id} any more: it is ${status} at version ${version}. The report is kept in its timeline.`,
  );
}

/** What a report leaves on the item, besides its status. */
function reported(item: Item, sent: SentReport, transition: TransitionName, now: Date): Partial<Item> {
  const { report, actorId } = sent;
  const common = {
    reportedBy: actorId,
    reportedVersion: report.version,
    reportedStatus: report.status,
    output: report.output ?? item.output,
    comment: report.comment ?? item.comment,
  };
  if (transition === 'finish') return { ...common, result: 'SUCCESS', error: undefined, endedOn: now };
  if (transition === 'park') return { ...common, notBefore: dateOf(report.deferredUntil) };
  const failed = { ...common, error: report.error };
  if (transition === 'fail') {
    return {
      ...failed,
      result: 'FAILURE',
      failureKind: report.failureKind === 'BUSINESS' ? 'BUSINESS' : 'SYSTEM',
      endedOn: now,
    };
  }
  return { ...failed, retryCount: item.retryCount + 1, sortKey: movedBehind(item.sortKey, now) };
}

/** The item after a transition, by what all transitions have in common. */
export function moved(item: Item, transition: TransitionName, now: Date): Item {
  const status = statusAfter(transition, item.status);
  const next = { ...item, status, version: item.version + 1 };
  if (status === item.status) return next;
  const bare = {
    ...next,
    leaseExpiresOn: undefined,
    notBefore: undefined,
    result: undefined,
    failureKind: undefined,
  };
  const isOver = status === 'COMPLETE' || status === 'FAILED';
  return isOver ? { ...bare, endedOn: now } : { ...bare, endedOn: undefined, progress: undefined };
}

/** What a person, or the holder in a single call, wants of an item. */
export type Update = Omit<Schemas['UpdateWorkItemRequest'], 'id' | 'queueId' | 'json'>;

/** Whether the update comes from whoever holds the item now. */
export function isHolder(item: Item, actorId: Id): boolean {
  return item.status === 'IN_PROGRESS' && item.claimedBy === actorId;
}

/** What the holder's update does while the work goes on: progress, comment and output are noted. */
export function decideProgress(item: Item, update: Update): Move {
  const { progress = item.progress, comment = item.comment, output = item.output } = update;
  return { transition: 'progress', item: { ...item, version: item.version + 1, progress, comment, output } };
}

/** What a person's update does to the item. */
export function decideRepair(item: Item, update: Update, now: Date): Move | Refusal {
  if (item.version !== update.version) return stale(item);
  const transition = repairOf(item, update);
  if (!transition || !mayHappen(transition, item.status)) return notNow(item, update.status);
  const disagreement = resultProblem(statusAfter(transition, item.status), update.result);
  if (disagreement) return disagreement;
  const { comment = item.comment, error = item.error, output = item.output } = update;
  const said = { comment, output, error: transition === 'complete' ? undefined : error };
  return { transition, item: { ...moved(item, transition, now), ...said, ...repaired(transition, update) } };
}

/** The status that a person asks for, as a transition; asking for none, or for the present one, is an edit. */
function repairOf({ status }: Item, update: Update): TransitionName | undefined {
  if (update.status === undefined) return 'edit';
  if (update.status === status && !(status === 'DEFERRED' && update.deferredUntil !== undefined))
    return 'edit';
  return { COMPLETE: 'complete', FAILED: 'giveUp', DEFERRED: 'defer', IN_PROGRESS: undefined }[
    update.status
  ] as TransitionName | undefined;
}

function repaired(transition: TransitionName, { deferredUntil }: Update): Partial<Item> {
  if (transition === 'complete') return { result: 'SUCCESS' };
  if (transition === 'giveUp') return { result: 'FAILURE', failureKind: 'BUSINESS' };
  return transition === 'defer' ? { notBefore: dateOf(deferredUntil) } : {};
}

function stale({ id, version }: Pick<Item, 'id' | 'version'>): Refusal {
  return new Refusal(
    'VERSION_CONFLICT',
    `Item ${id} is at version ${version} by now. Read it again, then repeat the change.`,
  );
}

function notNow({ id, status, leaseExpiresOn }: Item, wanted: Status | undefined): Refusal {
  if (status === 'IN_PROGRESS') {
    const until = leaseExpiresOn?.toISOString();
    return new Refusal(
      'STATUS_CONFLICT',
      `Item ${id} is being processed, its lease runs until ${until}. Wait until it is done.`,
    );
  }
  const end =
    wanted === 'IN_PROGRESS'
      ? 'Items come into progress by a claim only.'
      : 'A COMPLETE item cannot be changed.';
  return new Refusal('STATUS_CONFLICT', `Item ${id} is ${status}. ${end}`);
}

function resultProblem(status: Status, result: string | undefined): Refusal | undefined {
  const expected = status === 'COMPLETE' ? 'SUCCESS' : status === 'FAILED' ? 'FAILURE' : undefined;
  if (result === undefined || result === expected) return undefined;
  return new Refusal(
    'INVALID_REQUEST',
    `The result ${result} does not go with the status ${status}. Leave it out, or send ${expected ?? 'none'}.`,
  );
}

export function dateOf(text: string | null | undefined): Date | undefined {
  return text ? new Date(text) : undefined;
}

/** How the counts of a queue change, and what was finished. */
export interface Tally {
  readonly counts: Readonly<Record<Status, number>>;
  readonly finishedComplete: number;
  readonly finishedFailed: number;
  readonly handlingMilliseconds: number;
}

/** Adds up changes of status; an item before it exists, and after it is deleted, is undefined. */
export function tallyOf(changes: readonly { before?: Item | undefined; after?: Item | undefined }[]): Tally {
  const counts = { NEW: 0, IN_PROGRESS: 0, COMPLETE: 0, FAILED: 0, DEFERRED: 0 };
  const finished = { COMPLETE: 0, FAILED: 0 };
  let handlingMilliseconds = 0;
  for (const { before, after } of changes) {
    if (before) counts[before.status] -= 1;
    if (after) counts[after.status] += 1;
    if (before?.status !== 'IN_PROGRESS' || !after?.endedOn || !before.startedOn) continue;
    finished[after.status === 'COMPLETE' ? 'COMPLETE' : 'FAILED'] += 1;
    handlingMilliseconds += after.endedOn.getTime() - before.startedOn.getTime();
  }
  return {
    counts,
    finishedComplete: finished.COMPLETE,
    finishedFailed: finished.FAILED,
    handlingMilliseconds,
  };
}
