import { mayHappen, type Id, type Schemas, type Status, type TransitionName } from '@millrace/api';
import { Refusal } from '../../engine/errors.ts';
import type { Actor, QueueDefinition } from '../../engine/operation.ts';
import {
  arrivalIn,
  bounded,
  dateOf,
  expiryOf,
  moved,
  movedBehind,
  passage,
  resultProblem,
  tagsOf,
  type Item,
  type Move,
} from '../item/rules.ts';

/** The update wanted by a person, or by the holder in a single call. */
export type Update = Omit<Schemas['UpdateWorkItemRequest'], 'id' | 'queueId' | 'json'>;

/** The transitions that people may request for an item that nobody holds, besides moving and deleting it. */
export type Repair = Extract<
  TransitionName,
  | 'release'
  | 'restart'
  | 'edit'
  | 'defer'
  | 'complete'
  | 'giveUp'
  | 'resolveDone'
  | 'resolveNotDone'
  | 'resolvePartly'
>;

type Remark = 'comment' | 'error' | 'output' | 'resultText' | 'tags' | 'deferredUntil' | 'reason';

/** The members that a person may send along. */
type Remarks = { readonly [M in Remark]?: Update[M] | undefined };

interface RepairCircumstances {
  readonly queue: Pick<QueueDefinition, 'expiry'>;
  readonly now: Date;
}

/** The members that a holder may update while the work goes on. */
type Note = Pick<Item, 'progress' | 'comment' | 'output' | 'resultText' | 'tags'>;

/** The item after an update by its holder, while the work goes on. */
export function decideProgress(item: Item, note: Note): Move {
  const noted = {
    progress: note.progress ?? item.progress,
    comment: note.comment ?? item.comment,
    output: note.output ?? item.output,
    resultText: note.resultText ?? item.resultText,
    tags: note.tags ? tagsOf(note.tags) : item.tags,
  };
  return { transition: 'progress', item: { ...item, version: item.version + 1, ...noted } };
}

/** The transition that a person's update makes. */
export function decideUpdate(item: Item, update: Update, circumstances: RepairCircumstances): Move | Refusal {
  if (item.version !== update.version) return stale(item);
  const disagreement = resultProblem(update.status ?? item.status, update.result);
  return disagreement ?? decideRepair(item, repairOf(item, update), update, circumstances);
}

/** The repair that leads to the status wanted by a person; with the present status, an edit. */
function repairOf(item: Item, update: Update): Repair {
  const { status = item.status, deferredUntil } = update;
  if (isAnswer(item, update)) return resolutions[status] ?? repairs[status] ?? 'edit';
  const isDeferredAnew = status === 'DEFERRED' && deferredUntil !== undefined;
  return status === item.status && !isDeferredAnew ? 'edit' : (repairs[status] ?? 'edit');
}

/** Whether the sent status resolves an item that is IN_DOUBT; sent back as it was read, it does not. */
function isAnswer(item: Item, { status, failureKind }: Update): boolean {
  if (item.failureKind !== 'IN_DOUBT' || status === undefined) return false;
  return status !== 'FAILED' || failureKind !== 'IN_DOUBT';
}

type Meaning = Partial<Record<Status, Repair>>;

const repairs: Meaning = { COMPLETE: 'complete', FAILED: 'giveUp', DEFERRED: 'defer' };
const resolutions: Meaning = { COMPLETE: 'resolveDone', FAILED: 'resolvePartly' };

/** The repair of an item that nobody holds. A change of status applies to the version that the person has seen. */
export function decideSeenRepair(
  item: Item,
  { version, repair, ...remarks }: Remarks & { readonly version: number; readonly repair: Repair },
  circumstances: RepairCircumstances,
): Move | Refusal {
  return item.version === version ? decideRepair(item, repair, remarks, circumstances) : stale(item);
}

export function stale({ id, version }: Pick<Item, 'id' | 'version'>): Refusal {
  return new Refusal(
    'VERSION_CONFLICT',
    `Item ${id} is at version ${version} by now. Read it again, then repeat the change.`,
  );
}

/** The same for the present version of the item, whichever the person has seen. */
export function decideRepair(
  item: Item,
  repair: Repair,
  remarks: Remarks,
  circumstances: RepairCircumstances,
): Move | Refusal {
  if (!mayHappen(repair, item)) return notNow(item, repair);
  if (repair === 'resolvePartly' && !remarks.comment?.trim()) return unexplained(item);
  const change = changeBy(item, repair, remarks, circumstances);
  if (change instanceof Refusal) return change;
  const { comment = item.comment, error = item.error, output = item.output } = remarks;
  const { resultText = item.resultText } = remarks;
  const tags = remarks.tags ? tagsOf(remarks.tags) : item.tags;
  const kept = { comment, error, output, resultText, tags };
  const next = { ...moved(item, repair, circumstances.now), ...kept, ...change };
  return { transition: repair, item: next, reason: remarks.reason };
}

/** Members cleared on an item that is to be processed again; its attempts show what was wrong with it. */
const cleared = { lapseCount: undefined, error: undefined };

/** Members set on an item that is also restarted: it has all its retries again, and the former remedy no longer counts. */
const renewal = { ...cleared, remedyId: undefined, retryCount: 0 };

/** The members that a repair changes besides the status. */
function changeBy(
  item: Item,
  repair: Repair,
  remarks: Remarks,
  { queue, now }: RepairCircumstances,
): Partial<Item> | Refusal {
  switch (repair) {
    case 'complete':
    case 'resolveDone':
      return { result: 'SUCCESS', error: undefined };
    case 'giveUp':
      return { result: 'FAILURE', failureKind: 'BUSINESS' };
    case 'resolvePartly':
      return { failureKind: 'BUSINESS', pointOfNoReturnOn: undefined, error: partlyDone(item, remarks) };
    case 'defer':
      return deferral(item, remarks, { queue, now });
    case 'release':
      return { sortKey: atLatestNow(item.sortKey, now) };
    case 'restart':
      return renewed(item, queue, now, { ...renewal, sortKey: movedBehind(item.sortKey, now) });
    case 'resolveNotDone':
      return renewed(item, queue, now, cleared);
    case 'edit':
      return {};
  }
}

/**
 * The members that a deferral changes. An item that had failed no longer counts as failed: it needs a future expiry, and only a new error
 * is kept.
 */
function deferral(
  item: Item,
  remarks: Remarks,
  { queue, now }: RepairCircumstances,
): Partial<Item> | Refusal {
  const notBefore = dateOf(remarks.deferredUntil);
  if (notBefore && notBefore <= now) return passed('deferredUntil', now);
  if (item.status !== 'FAILED') return { notBefore };
  return renewed(item, queue, now, { notBefore, error: newError(item, remarks) });
}

function passed(field: string, now: Date): Refusal {
  const message = `has passed: it is ${now.toISOString()} by now`;
  return new Refusal('INVALID_REQUEST', `${field} ${message}. Leave it out to defer for ever.`, {
    details: [{ field, message }],
  });
}

/** The error sent by a person; the item's own, sent back as it was read, does not count. */
function newError(item: Item, { error }: Remarks): string | undefined {
  return error === item.error ? undefined : error;
}

/** The error of an item that was partly done, in place of the one that said its outcome was unresolved. */
function partlyDone(item: Item, remarks: Remarks): string {
  return newError(item, remarks) ?? bounded(`${passage(item)}; it was done in part: ${remarks.comment}`);
}

/** The key of an item that waited for its retry: no later than now, as its place was after all items that came until the retry. */
function atLatestNow(sortKey: Buffer, now: Date): Buffer {
  return arrivalIn(sortKey) > now ? movedBehind(sortKey, now) : sortKey;
}

/** The change, with a new expiry counted from now for an item that has expired: otherwise it would fail again at once. */
function renewed(
  item: Item,
  queue: RepairCircumstances['queue'],
  now: Date,
  change: Partial<Item>,
): Partial<Item> | Refusal {
  if (item.expiresOn === undefined || item.expiresOn > now) return change;
  const expiresOn = expiryOf(queue, now);
  if (expiresOn === undefined || expiresOn > now) return { ...change, expiresOn };
  return new Refusal(
    'STATUS_CONFLICT',
    `Item ${item.id} would expire at once: the expiry of its queue, ${expiresOn.toISOString()}, has passed. Change that first.`,
  );
}

/** The request to cancel an item: it goes on until its holder learns of it. */
export function decideCancel(
  item: Item,
  { actorId, reason }: { readonly actorId: Id; readonly reason: string | undefined },
  now: Date,
): Move | 'repeated' | Refusal {
  if (item.status !== 'IN_PROGRESS') {
    return new Refusal(
      'STATUS_CONFLICT',
      `Item ${item.id} is ${item.status}: nobody works on it, so there is nobody to stop. Delete it, defer it, or set its status.`,
    );
  }
  if (!mayHappen('cancel', item)) return 'repeated';
  const request = { cancelRequestedOn: now, cancelRequestedBy: actorId, cancelReason: reason };
  return { transition: 'cancel', item: { ...item, ...request }, reason };
}

const longestReason = 1000;
const answers = { DONE: 'resolveDone', NOT_DONE: 'resolveNotDone', PARTLY: 'resolvePartly' } as const;

/** The repair for a person's answer about an item that is IN_DOUBT. */
export function decideResolve(
  item: Item,
  { version, answer, note }: Schemas['ResolveRequest'],
  circumstances: RepairCircumstances,
): Move | Refusal {
  const remarks = { comment: note, reason: note?.slice(0, longestReason) };
  return decideSeenRepair(item, { version, repair: answers[answer], ...remarks }, circumstances);
}

function unexplained({ id }: Item): Refusal {
  const message = `Item ${id} was done in part: say in a note what is left to do. It becomes the comment of the item.`;
  return new Refusal('INVALID_REQUEST', message, { details: [{ field: 'note', message: 'is missing' }] });
}

interface TakeCircumstances {
  readonly queue: Pick<QueueDefinition, 'id' | 'status'>;
  readonly actor: Pick<Actor, 'id' | 'capabilities'>;
  /** The name of the user who holds the item, if anybody does. */
  readonly holder: string | undefined;
  readonly now: Date;
}

/** The reason why a user does not get the wanted item, if any: the same limits as for a claim. */
export function decideTake(
  item: Item,
  { version, result }: Pick<Update, 'version' | 'result'>,
  { queue, actor, holder, now }: TakeCircumstances,
): Refusal | undefined {
  if (!actor.capabilities.has('process')) return mayNotTake(item, queue, actor);
  if (item.status === 'IN_PROGRESS')
    return heldAlready(item, version, item.claimedBy === actor.id ? undefined : holder);
  if (item.version !== version) return stale(item);
  if (queue.status === 'INACTIVE') return givesNothing(queue);
  const isExpired = item.expiresOn !== undefined && item.expiresOn <= now;
  if (isExpired || !mayHappen('claim', item)) return notWaiting(item, now);
  return resultProblem('IN_PROGRESS', result);
}

function mayNotTake(
  item: Item,
  queue: TakeCircumstances['queue'],
  actor: TakeCircumstances['actor'],
): Refusal {
  // People send an item back as they read it: they want to correct one on which somebody works.
  if (item.status === 'IN_PROGRESS' && actor.capabilities.has('repair')) return notNow(item, 'edit');
  return new Refusal(
    'FORBIDDEN',
    `Items of queue ${queue.id} are taken (status IN_PROGRESS) by its consumers and by queue admins. ` +
      'Ask an owner of the queue to make a role of yours its consumer (addQueueConsumer).',
  );
}

/** @param other the user who holds the item; undefined when that is the caller. */
function heldAlready(item: Item, seen: number, other: string | undefined): Refusal {
  const { id, version, leaseExpiresOn } = item;
  const until = leaseExpiresOn?.toISOString();
  // Several programs may share a user: giving it to the second one as well would have both do the work.
  const advice = other
    ? `${other} holds it until ${until}. Take another one.`
    : `your user holds it until ${until}. If no other program of this user took it, the answer to your call was lost: go on with version ${version}.`;
  return new Refusal(
    version === seen ? 'STATUS_CONFLICT' : 'VERSION_CONFLICT',
    `Item ${id} is IN_PROGRESS at version ${version}: ${advice}`,
  );
}

function givesNothing({ id }: TakeCircumstances['queue']): Refusal {
  return new Refusal(
    'STATUS_CONFLICT',
    `Queue ${id} is INACTIVE and gives no items out. Try again when it is resumed (resumeQueue).`,
  );
}

/** The reason why the item is not waiting to be processed now. */
function notWaiting(item: Item, now: Date): Refusal {
  if (item.failureKind === 'IN_DOUBT') return notNow(item, 'claim');
  return new Refusal('STATUS_CONFLICT', `Item ${item.id} ${stateOf(item, now)}`);
}

function stateOf({ status, notBefore, expiresOn }: Item, now: Date): string {
  const until = notBefore && `until ${notBefore.toISOString()}`;
  if (status === 'COMPLETE') return 'is COMPLETE: there is nothing left to do.';
  if (status === 'FAILED') return 'is FAILED. To have it tried again, restart it first (restartWorkItem).';
  if (expiresOn && expiresOn <= now) return `has expired on ${expiresOn.toISOString()}.`;
  if (notBefore && notBefore <= now) return `waited ${until}: read it again in a few seconds, then take it.`;
  if (status === 'NEW') return `waits for its retry ${until}. To end the wait, release it (releaseWorkItem).`;
  return `is DEFERRED ${until ?? 'for ever'}. To let it go on, release it (releaseWorkItem).`;
}

/** The reason why a transition wanted by a person is not possible for the item in its present state. */
export function notNow(item: Item, wanted: TransitionName): Refusal {
  const { id, status, leaseExpiresOn } = item;
  if (status === 'IN_PROGRESS') {
    const until = leaseExpiresOn?.toISOString();
    return new Refusal(
      'STATUS_CONFLICT',
      `Item ${id} is being processed, its lease runs until ${until}. Wait until it is done, or cancel it.`,
    );
  }
  if (item.failureKind === 'IN_DOUBT') {
    return new Refusal(
      'STATUS_CONFLICT',
      `Item ${id} is IN_DOUBT: it may have been done. Find out, then answer DONE, NOT_DONE or PARTLY (resolveWorkItem).`,
    );
  }
  if (wanted.startsWith('resolve')) {
    return new Refusal('STATUS_CONFLICT', `Item ${id} is not in doubt: it is ${status}.`);
  }
  const hint =
    status === 'COMPLETE' ? 'A COMPLETE item cannot be changed.' : `That cannot happen to it (${wanted}).`;
  return new Refusal('STATUS_CONFLICT', `Item ${id} is ${status}. ${hint}`);
}
