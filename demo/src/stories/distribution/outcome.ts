import type { Id, Schemas } from '@millrace/api';
import type { Event } from './feed.ts';
import { historyOf, type History } from './history.ts';
import {
  busyShare,
  contestedSpans,
  inUseUntil,
  longestIdle,
  sharesIn,
  type Share,
  type Weighted,
} from './measures.ts';
import { lengthOf, type Span } from './spans.ts';

type Item = Schemas['WorkItem'];

/** The evidence when the story is over: answers of the server, and the statement of the bank. */
export interface Evidence {
  /** Ids of all items that the server has accepted. */
  readonly accepted: readonly Id[];
  /** All items, as they are now. */
  readonly items: readonly Item[];
  readonly events: readonly Event[];
  readonly queues: ReadonlyMap<string, Id>;
  readonly devices: ReadonlyMap<string, Id>;
  /** The times at which devices were killed. */
  readonly killed: ReadonlyMap<Id, number>;
  /** The pool with the scheme FAIR: its devices and queues. */
  readonly fair: { readonly deviceIds: readonly Id[]; readonly queues: readonly Weighted[] };
  /** The queue whose items cannot be undone, and the reference of each time that one was sent. */
  readonly payments: { readonly queueId: Id; readonly sent: readonly string[] };
}

export interface QueueOutcome {
  readonly name: string;
  readonly items: number;
  readonly done: number;
  /** Items that failed, by kind. */
  readonly failed: Readonly<Record<string, number>>;
  /** Items that were tried again after a technical failure. */
  readonly retried: number;
  /** The shares of the devices that it got and was due while all queues of its pool had work; only with FAIR. */
  readonly share?: Pick<Share, 'got' | 'due'> | undefined;
}

export interface DeviceOutcome {
  readonly name: string;
  readonly items: number;
  /** Of the time from its first item until the last of all, or until it was killed or quarantined. */
  readonly busy: number;
}

/** An item that was in doubt, and the answer of a person. */
export interface Settled {
  readonly queue: string;
  readonly itemId: Id;
  readonly device: string;
  readonly became: Item['status'];
  readonly note: string;
}

export interface Outcome {
  readonly seconds: number;
  readonly queues: readonly QueueOutcome[];
  readonly devices: readonly DeviceOutcome[];
  readonly settled: readonly Settled[];
  /** The time in which all queues of the FAIR pool had work waiting. */
  readonly contestedSeconds: number;
  /** The longest that a device of the FAIR pool was idle while there was work for it. */
  readonly longestIdleSeconds: number;
  /** Accepted, and neither done nor failed. */
  readonly lost: readonly Id[];
  /** Items that became COMPLETE more than once. */
  readonly doneTwice: readonly Id[];
  /** References of payments that are done and were not sent exactly once. */
  readonly sentWrongly: readonly string[];
}

/** Adds up the outcome of the story. */
export function sumUp(evidence: Evidence): Outcome {
  const { events, items, fair, accepted, payments } = evidence;
  const history = historyOf(events);
  const { from, to } = workSpan(history);
  const contested = contestedSpans(history, queueIdsOf(fair.queues), to);
  const shares = sharesIn(contested, history, fair.queues, to);
  const until = (id: Id) => inUseUntil(history, evidence.killed, id, to);
  const fairInUse = new Map(fair.deviceIds.map((id) => [id, until(id)]));
  const ended = new Set(items.filter(({ endTime }) => endTime !== undefined).map(({ id }) => id));
  return {
    seconds: (to - from) / 1000,
    queues: [...evidence.queues].map(([name, id]) => queueOutcome(name, id, items, shares)),
    devices: [...evidence.devices].map(([name, id]) => deviceOutcome(history, { name, id }, until(id))),
    settled: settledIn(evidence, history),
    contestedSeconds: lengthOf(contested) / 1000,
    longestIdleSeconds: longestIdle(history, queueIdsOf(fair.queues), fairInUse, to) / 1000,
    lost: accepted.filter((id) => !ended.has(id)),
    doneTwice: repeated(events.filter((one) => one.to === 'COMPLETE' && one.from !== 'COMPLETE')),
    sentWrongly: sentWrongly(items, payments),
  };
}

/** The things that must never happen and did, a sentence each. */
export function wrongsOf({ lost, doneTwice, sentWrongly: sent, queues }: Outcome): string[] {
  const starved = queues.filter(({ share }) => share !== undefined && share.got * 2 < share.due);
  return [
    ...(lost.length > 0 ? [`Items were lost: ${lost.join(', ')}.`] : []),
    ...(doneTwice.length > 0 ? [`Items were done twice: ${doneTwice.join(', ')}.`] : []),
    ...(sent.length > 0 ? [`Payments are done that were not sent exactly once: ${sent.join(', ')}.`] : []),
    ...starved.map(({ name }) => `FAIR starved the queue ${name}: it got less than half of its share.`),
  ];
}

function deviceOutcome(
  history: History,
  { name, id }: { name: string; id: Id },
  until: number,
): DeviceOutcome {
  const own = history.stints.filter((one) => one.deviceId === id && isEnd(one.outcome));
  return { name, items: own.length, busy: busyShare(history, id, until) };
}

/** From the first item that was begun to the last that ended. */
function workSpan({ stints }: History): Span {
  const from = Math.min(...stints.map((stint) => stint.from));
  return { from, to: Math.max(from, ...stints.map((stint) => stint.to ?? stint.from)) };
}

function queueOutcome(name: string, id: Id, all: readonly Item[], shares: readonly Share[]): QueueOutcome {
  const items = all.filter(({ queueId }) => queueId === id);
  const failed = items.filter(({ status }) => status === 'FAILED').map(({ failureKind = '' }) => failureKind);
  const share = shares.find(({ queueId }) => queueId === id);
  return {
    name,
    items: items.length,
    done: items.filter(({ status }) => status === 'COMPLETE').length,
    failed: countBy(failed),
    retried: items.filter(({ retryCount = 0 }) => retryCount > 0).length,
    share: share && { got: share.got, due: share.due },
  };
}

function settledIn({ events, items, queues, devices }: Evidence, { stints }: History): Settled[] {
  const nameOf = (names: ReadonlyMap<string, Id>, id: Id | undefined) =>
    [...names].find(([, known]) => known === id)?.[0] ?? '';
  const answers = events.filter(({ operation }) => operation === 'resolveWorkItem');
  return answers.map(({ queueId, itemId = 0, to }) => {
    const stint = stints.find((one) => one.itemId === itemId && one.pointOfNoReturnOn !== undefined);
    return {
      queue: nameOf(queues, queueId),
      itemId,
      device: nameOf(devices, stint?.deviceId),
      became: to,
      note: items.find(({ id }) => id === itemId)?.comment ?? '',
    };
  });
}

function sentWrongly(items: readonly Item[], { queueId, sent }: Evidence['payments']): string[] {
  const done = items.filter((item) => item.queueId === queueId && item.status === 'COMPLETE');
  const references = done.map(({ json }) => String(json?.['reference']));
  return references.filter((reference) => sent.filter((one) => one === reference).length !== 1);
}

function repeated(events: readonly Event[]): Id[] {
  const ids = events.map(({ itemId = 0 }) => itemId);
  return [...new Set(ids.filter((id, index) => ids.indexOf(id) !== index))];
}

function queueIdsOf(queues: readonly Weighted[]): Id[] {
  return queues.map(({ queueId }) => queueId);
}

function isEnd(status: Item['status']): boolean {
  return status === 'COMPLETE' || status === 'FAILED';
}

function countBy(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
