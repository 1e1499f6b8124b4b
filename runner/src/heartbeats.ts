import type { Id, Schemas } from '@millrace/api';
import { backOffSeconds, pause } from './backoff.ts';
import { cancel, isLost, lose, newLogTail, type Lease, type Leases } from './leases.ts';

type Message = Schemas['Lease'];
type Outcome = Schemas['LeaseOutcome'];

/** Sends heartbeats for items of one queue. Outcomes are in the order of the messages. */
export type SendHeartbeats = (queueId: Id, messages: Message[]) => Promise<readonly Outcome[]>;

/** Keeps the leases of a runner's items. */
export interface Heartbeats {
  /** Sends heartbeats for all; resolves when they are answered, or could not be sent. */
  readonly beat: () => Promise<void>;
  readonly leases: Leases;
  readonly leaseSeconds: number;
  readonly stopped: AbortSignal;
  /** The number of times in a row that not every call got through. */
  failures: number;
}

/** A lease, and its message in a heartbeat. */
interface News {
  readonly lease: Lease;
  readonly message: Message;
  readonly logTail: string;
}

// One call carries no more than a server is sure to accept.
const maxMessages = 500;
const maxCharacters = 2_000_000;

/** @param stopped ends the heartbeats and, by way of `send`, the calls under way. */
export function createHeartbeats(
  leases: Leases,
  leaseSeconds: number,
  send: SendHeartbeats,
  stopped: AbortSignal,
): Heartbeats {
  const beat = oneAtATime(() => sendAll(heartbeats, send));
  const heartbeats: Heartbeats = { beat, leases, leaseSeconds, stopped, failures: 0 };
  return heartbeats;
}

/** Tells the server at once; resolves when it knows, or cannot be reached. */
export async function noteProgress(
  { beat, leases }: Heartbeats,
  lease: Lease,
  progress: Schemas['Progress'],
): Promise<void> {
  if (!leases.held.has(lease) || lease.controller.signal.aborted) return;
  lease.progress = progress;
  await beat();
}

/**
 * Marks that an item cannot be tried again from here on; resolves when the server has it on disk.
 * @throws the reason of the signal, when the item is to be let go; Error when it was reported already
 */
export async function passPointOfNoReturn({ beat, leases }: Heartbeats, lease: Lease): Promise<void> {
  const { signal } = lease.controller;
  if (lease.pointOfNoReturn === 'AHEAD') lease.pointOfNoReturn = 'ASKED';
  for (let failures = 1; ; failures += 1) {
    signal.throwIfAborted();
    if (lease.pointOfNoReturn === 'PASSED') return;
    if (!leases.held.has(lease)) throw new Error('The item was reported before its point of no return.');
    await beat();
    if (lease.pointOfNoReturn === 'ASKED' && !signal.aborted)
      await pause(backOffSeconds(failures, Math.random()), signal);
  }
}

/** Sends heartbeats in time, until stopped. */
export async function keepLeases(heartbeats: Heartbeats): Promise<void> {
  while (!heartbeats.stopped.aborted) {
    await pause(secondsToNext(heartbeats), heartbeats.stopped);
    await heartbeats.beat();
  }
}

function secondsToNext({ leaseSeconds, failures }: Heartbeats): number {
  // A third of the lease: two heartbeats in a row may be lost without harm.
  const regular = leaseSeconds / 3;
  return failures === 0 ? regular : Math.min(regular, backOffSeconds(failures, Math.random()));
}

async function sendAll(heartbeats: Heartbeats, send: SendHeartbeats): Promise<void> {
  const { leases, leaseSeconds, stopped } = heartbeats;
  // A stopped or cancelled item is ours until it is reported.
  const ours = [...leases.held].filter((lease) => !isLost(lease));
  if (ours.length === 0 || stopped.aborted) return;
  const calls = inCalls(ours.map((lease) => newsOf(lease, leaseSeconds)));
  const failures = await Promise.all(calls.map((news) => sendOne(leases, send, news)));
  const failure = failures.find((one) => one !== undefined);
  if (stopped.aborted) return;
  heartbeats.failures = failure === undefined ? 0 : heartbeats.failures + 1;
  if (failure === undefined) return;
  const seconds = secondsToNext(heartbeats);
  leases.emit({ type: 'retrying', call: 'heartbeatWorkItems', message: failure.message, seconds });
}

/** @returns the reason of a failure. */
async function sendOne(
  leases: Leases,
  send: SendHeartbeats,
  news: readonly News[],
): Promise<Error | undefined> {
  const [first] = news;
  if (first === undefined) return undefined;
  try {
    const outcomes = await send(
      first.lease.item.queueId,
      news.map(({ message }) => message),
    );
    news.forEach((one, index) => settle(leases, one, outcomes[index]));
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** Calls for the items of each queue, none too large. */
function inCalls(news: readonly News[]): News[][] {
  const calls: News[][] = [];
  const open = new Map<Id, { call: News[]; characters: number }>();
  for (const one of news) {
    const { queueId } = one.lease.item;
    const characters = one.message.logTail?.length ?? 0;
    const last = open.get(queueId);
    if (last && last.call.length < maxMessages && last.characters + characters <= maxCharacters) {
      last.call.push(one);
      last.characters += characters;
    } else {
      const call = [one];
      calls.push(call);
      open.set(queueId, { call, characters });
    }
  }
  return calls;
}

function settle(leases: Leases, { lease, message, logTail }: News, outcome: Outcome | undefined): void {
  // An item that was reported meanwhile is not held any more, and nothing is wrong.
  if (!leases.held.has(lease)) return;
  const { error, cancel: request, pointOfNoReturnOn } = outcome ?? {};
  if (error !== undefined) return lose(leases, lease, error.code, error.message);
  if (lease.progress === message.progress) lease.progress = undefined;
  lease.toldLogTail = logTail;
  if (pointOfNoReturnOn !== undefined) lease.pointOfNoReturn = 'PASSED';
  if (request !== undefined) cancel(leases, lease, request.by, request.reason);
}

function newsOf(lease: Lease, leaseSeconds: number): News {
  const { item, progress, pointOfNoReturn, logTail } = lease;
  const newTail = newLogTail(lease);
  const message = {
    id: item.id,
    version: item.version,
    leaseSeconds,
    ...(progress && { progress }),
    ...(pointOfNoReturn === 'ASKED' && { pointOfNoReturn: true as const }),
    ...(newTail !== undefined && { logTail: newTail }),
  };
  return { lease, message, logTail };
}

/** Runs the chore for all callers; those who ask while it runs share the next run. */
function oneAtATime(chore: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  function start(): Promise<void> {
    next = undefined;
    running = chore().finally(() => {
      running = next;
    });
    return running;
  }
  return () => {
    if (running === undefined) return start();
    next ??= running.then(start);
    return next;
  };
}
