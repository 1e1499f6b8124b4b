import {
  isOver,
  mayHappen,
  statusAfter,
  stringifyJson,
  transitions,
  type Id,
  type Schemas,
  type Status,
  type TransitionName,
} from '@millrace/api';
import { Refusal } from '../../engine/errors.ts';
import type { Attribute, QueueDefinition } from '../../engine/operation.ts';
import { longestRecord, recordProblems, type JsonRecord } from '../../records/record.ts';
import { isSealed } from '../../records/sensitive.rules.ts';

/** An item without its data, with all members that rules read and may change. Unset members are undefined. */
export interface Item {
  readonly id: Id;
  readonly status: Status;
  readonly version: number;
  /** The version of the model for the names in the record; 0 when left out. */
  readonly modelVersion?: number | undefined;
  readonly priority: number;
  readonly sortKey: Buffer;
  readonly retryCount: number;
  /** Number of expired leases in a row. */
  readonly lapseCount?: number | undefined;
  readonly notBefore?: Date | undefined;
  readonly expiresOn?: Date | undefined;
  /** The user that holds the item, or held it last. */
  readonly claimedBy?: Id | undefined;
  readonly deviceId?: Id | undefined;
  /** The automation that sent the item to its device; none when it was claimed directly. */
  readonly automationId?: Id | undefined;
  readonly leaseExpiresOn?: Date | undefined;
  /** Length of the lease when it was last given or extended. */
  readonly leaseSeconds?: number | undefined;
  readonly pointOfNoReturnOn?: Date | undefined;
  readonly cancelRequestedOn?: Date | undefined;
  readonly cancelRequestedBy?: Id | undefined;
  readonly cancelReason?: string | undefined;
  /** Name of the user who asked to cancel it. */
  readonly canceller?: string | undefined;
  readonly startedOn?: Date | undefined;
  readonly endedOn?: Date | undefined;
  readonly result?: 'SUCCESS' | 'FAILURE' | undefined;
  readonly resultText?: string | undefined;
  readonly failureKind?: NonNullable<Schemas['WorkItem']['failureKind']> | undefined;
  readonly reportedBy?: Id | undefined;
  readonly reportedVersion?: number | undefined;
  readonly reportedStatus?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  /** The batch with which it came. */
  readonly batchId?: Id | undefined;
  /** The remedy by which it was last restarted. */
  readonly remedyId?: Id | undefined;
  readonly progress?: Schemas['Progress'] | undefined;
  /** The output set by this change; when left out, the stored one is kept. */
  readonly output?: object | undefined;
  readonly comment?: string | undefined;
  readonly error?: string | undefined;
}

/** A granted transition, and the item after it. */
export interface Move {
  readonly transition: TransitionName;
  readonly item: Item;
  /** The reason, for the timeline. */
  readonly reason?: string | undefined;
}

/** The item after a transition, with the changes common to all transitions. */
export function moved(item: Item, transition: TransitionName, now: Date): Item {
  const status = statusAfter(transition, item.status);
  const next = { ...item, status, version: item.version + 1 };
  if (transitions[transition].to === 'SAME') return next;
  const bare = {
    ...next,
    leaseExpiresOn: undefined,
    pointOfNoReturnOn: undefined,
    cancelRequestedOn: undefined,
    cancelRequestedBy: undefined,
    cancelReason: undefined,
    notBefore: undefined,
    result: undefined,
    failureKind: undefined,
  };
  return isOver(status) ? { ...bare, endedOn: now } : { ...bare, endedOn: undefined, progress: undefined };
}

/** The item without an attempt that does not count: its retries and its place in the order are as before. */
export function refunded(item: Item): Item {
  return { ...item, startedOn: undefined };
}

/** A cancelled item that ends without success. */
export function stopped(item: Item, error: string | undefined, now: Date): Move {
  const reason = withCancellation(item, error) as string;
  const failure = { result: 'FAILURE', failureKind: 'BUSINESS', error: reason } as const;
  return { transition: 'stop', item: { ...moved(item, 'stop', now), ...failure }, reason };
}

/** An item whose outcome is unresolved: it is past the point of no return, and nobody knows whether it was done. */
export function unresolved(item: Item, why: string | undefined, now: Date): Move {
  const { pointOfNoReturnOn } = item;
  const since = `${passage(item)}; whether it was done is not known.`;
  const reason = withCancellation(item, why);
  const error = bounded(reason === undefined ? since : `${since} ${reason}`);
  const failure = { result: 'FAILURE', failureKind: 'IN_DOUBT', pointOfNoReturnOn, error } as const;
  return { transition: 'doubt', item: { ...moved(item, 'doubt', now), ...failure }, reason };
}

/** The time and device at which an item passed the point of no return, in words. */
export function passage({ pointOfNoReturnOn, deviceId }: Item): string {
  const where = deviceId === undefined ? '' : ` on device ${deviceId}`;
  return `It passed the point of no return on ${pointOfNoReturnOn?.toISOString()}${where}`;
}

/** The error of an item, with the user and the reason of a cancellation, if there was one. */
export function withCancellation(item: Item, error: string | undefined): string | undefined {
  if (item.cancelRequestedOn === undefined) return error;
  const { canceller = `user ${item.cancelRequestedBy}`, cancelReason } = item;
  const cancelled = `Cancelled by ${canceller}${cancelReason === undefined ? '' : `: ${cancelReason}`}`;
  if (error === undefined) return `${cancelled}.`;
  // A runner that learned of the cancellation reports it itself.
  return error.startsWith(cancelled) ? error : bounded(`${cancelled}. ${error}`);
}

/** The possible one of several transitions of the item: their guards exclude each other, or the first counts. */
export function firstOf(item: Item, names: readonly TransitionName[]): TransitionName {
  const name = names.find((candidate) => mayHappen(candidate, item));
  if (!name) throw new Error(`none of ${names.join(', ')} may happen to item ${item.id}, ${item.status}`);
  return name;
}

const arrivalBytes = 8;
const highestPriority = 9;

/**
 * The place of an item among waiting ones, as bytes that sort in the order of claims: priority, then the rank of its record in the queue's
 * processing order, then arrival.
 */
export function sortKey(priority: number, rank: Buffer, arrival: Date): Buffer {
  return Buffer.concat([Buffer.from([highestPriority - priority]), rank, arrivalOf(arrival)]);
}

/** The key of the same item after all of equal rank that have arrived until now. */
export function movedBehind(key: Buffer, now: Date): Buffer {
  return Buffer.concat([key.subarray(0, -arrivalBytes), arrivalOf(now)]);
}

/** The time at which the item with this key arrived, or was last moved behind the others. */
export function arrivalIn(key: Buffer): Date {
  return new Date(Number(key.readBigUInt64BE(key.length - arrivalBytes)));
}

function arrivalOf(time: Date): Buffer {
  const bytes = Buffer.alloc(arrivalBytes);
  bytes.writeBigUInt64BE(BigInt(time.getTime()));
  return bytes;
}

/** Whether this user holds the item now. */
export function isHolder(item: Item, actorId: Id): boolean {
  return item.status === 'IN_PROGRESS' && item.claimedBy === actorId;
}

export function resultProblem(status: Status, result: string | undefined): Refusal | undefined {
  const expected = status === 'COMPLETE' ? 'SUCCESS' : status === 'FAILED' ? 'FAILURE' : undefined;
  if (result === undefined || result === expected) return undefined;
  return new Refusal(
    'INVALID_REQUEST',
    `The result ${result} does not go with the status ${status}. Leave it out, or send ${expected ?? 'none'}.`,
  );
}

/** The refusal of an output that is larger than the data of an item may be. */
export function outputProblem(output: object | undefined): Refusal | undefined {
  const length = output === undefined ? 0 : stringifyJson(output).length;
  if (length <= longestRecord) return undefined;
  return new Refusal(
    'INVALID_REQUEST',
    `The output has ${length} characters; ${longestRecord} are possible. Keep what is longer in a file store, with its address here.`,
  );
}

export function dateOf(text: string | null | undefined): Date | undefined {
  return text ? new Date(text) : undefined;
}

const longestError = 10_000;

/** An error, cut to the greatest length. */
export function bounded(error: string): string {
  return error.slice(0, longestError);
}

/** Tags in their stored form: undefined for an item without any. */
export function tagsOf(tags: readonly string[] | undefined): readonly string[] | undefined {
  return tags && tags.length > 0 ? tags : undefined;
}

export function unknownItem(queue: QueueDefinition, itemId: Id): Refusal {
  return new Refusal('NOT_FOUND', `There is no item ${itemId} in queue ${queue.id}.`);
}

const expiryUnitMs: Record<string, number> = { MINUTES: 60_000, HOURS: 3_600_000, DAYS: 86_400_000 };

/** The expiry of an item of the queue that is created now. */
export function expiryOf({ expiry }: Pick<QueueDefinition, 'expiry'>, now: Date): Date | undefined {
  if (!expiry) return undefined;
  if (expiry.type === 'DATE') return expiry.date ? new Date(expiry.date) : undefined;
  return new Date(now.getTime() + (expiry.duration ?? 0) * (expiryUnitMs[expiry.durationUnit ?? ''] ?? 0));
}

/** The reason why a queue takes no items now, from anybody. */
export function decideIntake(queue: Pick<QueueDefinition, 'id' | 'expiry'>, now: Date): Refusal | undefined {
  const expiresOn = expiryOf(queue, now);
  if (expiresOn === undefined || expiresOn > now) return undefined;
  return new Refusal(
    'STATUS_CONFLICT',
    `Queue ${queue.id} takes no items: they would expire at once, since its expiry, ${expiresOn.toISOString()}, has passed. ` +
      'An owner of the queue can change that (updateQueue).',
  );
}

const defaultLeaseSeconds = 60;

/** A lease given or extended now: its length and its end. */
export function leaseFrom(now: Date, leaseSeconds = defaultLeaseSeconds) {
  return { leaseSeconds, leaseExpiresOn: new Date(now.getTime() + leaseSeconds * 1000) };
}

/** Whether the item failed because its data did not fit, and is to be processed now. */
export function goesOn({ failureKind }: Pick<Item, 'failureKind'>, to: Status): boolean {
  return failureKind === 'DATA_ERROR' && (to === 'NEW' || to === 'DEFERRED');
}

/** The reason why an item that failed because of its data cannot be processed: the data do not fit the model yet. */
export function decideData(
  item: Pick<Item, 'id' | 'failureKind'>,
  to: Status,
  attributes: readonly Attribute[],
  json: JsonRecord,
): Refusal | undefined {
  if (!goesOn(item, to)) return undefined;
  const [problem, ...more] = recordProblems(attributes, json, isSealed);
  if (!problem) return undefined;
  const message = `The data of item ${item.id} do not fit the model: ${problem.field} ${problem.message}. Correct them first.`;
  return new Refusal('STATUS_CONFLICT', message, { details: [problem, ...more] });
}
