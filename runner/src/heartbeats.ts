import type { Id, Schemas } from '@millrace/api';
import { backOffSeconds, pause } from './backoff.ts';
import { isLost, lose, type Lease, type Leases } from './leases.ts';

type Message = Schemas['Lease'];
type Outcome = Schemas['LeaseOutcome'];

/** Sends heartbeats for items of one queue. Outcomes keep the order of what was sent. */
export type SendHeartbeats = (queueId: Id, messages: Message[]) => Promise<readonly Outcome[]>;

/** What keeps the items that a runner holds. */
export interface Heartbeats {
  /** Sends heartbeats for all; resolves when they are answered, or could not be sent. */
  readonly beat: () => Promise<void>;
  readonly leases: Leases;
  readonly leaseSeconds: number;
  readonly stopped: AbortSignal;
  /** Times in a row that not every call got through. */
  failures: number;
}

/** A lease, and what is said of it in a heartbeat. */
interface News {
  readonly lease: Lease;
  readonly message: Message;
}

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
  // One that is stopped or cancelled is ours until it is reported.
  const ours = [...leases.held].filter((lease) => !isLost(lease));
  if (ours.length === 0 || stopped.aborted) return;
  const calls = inCalls(ours.map((lease) => ({ lease, message: messageOf(lease, leaseSeconds) })));
  const failures = await Promise.all(calls.map((news) => sendOne(leases, send, news)));
  const failure = failures.find((one) => one !== undefined);
  if (stopped.aborted) return;
  heartbeats.failures = failure === undefined ? 0 : heartbeats.failures + 1;
  if (failure === undefined) return;
  const seconds = secondsToNext(heartbeats);
  leases.emit({ type: 'retrying', call: 'heartbeatWorkItems', message: failure.message, seconds });
}

/** @returns why it failed, if it did. */
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

/** A call for the items of each queue. */
function inCalls(news: readonly News[]): News[][] {
  const calls = new Map<Id, News[]>();
  for (const one of news) {
    const { queueId } = one.lease.item;
    calls.set(queueId, [...(calls.get(queueId) ?? []), one]);
  }
  return [...calls.values()];
}

function settle(leases: Leases, { lease, message }: News, outcome: Outcome | undefined): void {
  // An item that was reported meanwhile is not held any more, and nothing is wrong.
  if (!leases.held.has(lease)) return;
  if (lease.progress === message.progress) lease.progress = undefined;
  if (outcome?.error !== undefined) lose(leases, lease, outcome.error.code, outcome.error.message);
}

function messageOf({ item, progress }: Lease, leaseSeconds: number): Message {
  return { id: item.id, version: item.version, leaseSeconds, ...(progress && { progress }) };
}

/** Runs the chore for all who ask; those who ask while it runs share the next run. */
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
