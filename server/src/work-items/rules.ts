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
import { Refusal } from '../errors.ts';
import { longestRecord } from '../models/size.ts';

/** An item without its data: all that rules look at and may change. Members that are not set are undefined. */
export interface Item {
  readonly id: Id;
  readonly status: Status;
  readonly version: number;
  /** Of the model, whose names the record has; 0 when left out. */
  readonly modelVersion?: number | undefined;
  readonly priority: number;
  readonly sortKey: Buffer;
  readonly retryCount: number;
  /** How often in a row its lease has run out. */
  readonly lapseCount?: number | undefined;
  readonly notBefore?: Date | undefined;
  readonly expiresOn?: Date | undefined;
  /** The user that holds the item, or held it last. */
  readonly claimedBy?: Id | undefined;
  readonly deviceId?: Id | undefined;
  /** What sent the item to its device; none when it was claimed without one. */
  readonly automationId?: Id | undefined;
  readonly leaseExpiresOn?: Date | undefined;
  /** How long the lease was given or extended for, the last time. */
  readonly leaseSeconds?: number | undefined;
  readonly pointOfNoReturnOn?: Date | undefined;
  readonly cancelRequestedOn?: Date | undefined;
  readonly cancelRequestedBy?: Id | undefined;
  readonly cancelReason?: string | undefined;
  /** Name of the user that asked for it to be cancelled. */
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
  readonly progress?: Schemas['Progress'] | undefined;
  /** What is said now; what was said before is kept where this is left out. */
  readonly output?: object | undefined;
  readonly comment?: string | undefined;
  readonly error?: string | undefined;
}

/** A transition that is granted, and the item after it. */
export interface Move {
  readonly transition: TransitionName;
  readonly item: Item;
  /** Why, for the timeline. */
  readonly reason?: string | undefined;
}

/** The item after a transition, by what all transitions have in common. */
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

/** The one of several transitions that may happen to the item: their guards exclude each other, or the first counts. */
export function firstOf(item: Item, names: readonly TransitionName[]): TransitionName {
  const name = names.find((one) => mayHappen(one, item));
  if (!name) throw new Error(`none of ${names.join(', ')} may happen to item ${item.id}, ${item.status}`);
  return name;
}

/** Whether the item is held by this user now. */
export function isHolder(item: Item, actorId: Id): boolean {
  return item.status === 'IN_PROGRESS' && item.claimedBy === actorId;
}

export function stale({ id, version }: Pick<Item, 'id' | 'version'>): Refusal {
  return new Refusal(
    'VERSION_CONFLICT',
    `Item ${id} is at version ${version} by now. Read it again, then repeat the change.`,
  );
}

export function resultProblem(status: Status, result: string | undefined): Refusal | undefined {
  const expected = status === 'COMPLETE' ? 'SUCCESS' : status === 'FAILED' ? 'FAILURE' : undefined;
  if (result === undefined || result === expected) return undefined;
  return new Refusal(
    'INVALID_REQUEST',
    `The result ${result} does not go with the status ${status}. Leave it out, or send ${expected ?? 'none'}.`,
  );
}

/** An output may be as large as the data of an item. */
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

/** An error that is not longer than one may be. */
export function bounded(error: string): string {
  return error.slice(0, longestError);
}

/** Tags as they are stored: an item without any has none. */
export function tagsOf(tags: readonly string[] | undefined): readonly string[] | undefined {
  return tags && tags.length > 0 ? tags : undefined;
}
