import { ApiError, stringifyJson, type Id, type Schemas } from '@millrace/api';
import { backOffSeconds, mayPass, pause } from './backoff.ts';
import type { Emit } from './events.ts';
import type { Report } from './item.ts';
import { unreadable } from './report.ts';

type Outcome = Schemas['WorkItemOutcome'];

/** Sends reports on items of one queue. Outcomes are in the order of the reports. */
export type SendReports = (queueId: Id, reports: Report[]) => Promise<readonly Outcome[]>;

/**
 * The reports that the server has not answered yet. Each is sent until it does: the server takes a report that comes twice as
 * one, so nothing is lost or repeated when an answer gets lost.
 */
export interface Outbox {
  /** By queue: trouble in one does not hold up the others. */
  readonly boxes: Map<Id, Box>;
  readonly send: SendReports;
  readonly emit: Emit;
  readonly stopped: AbortSignal;
  readonly onRecovery: Set<() => void>;
}

/** The reports on items of one queue. */
interface Box {
  readonly queueId: Id;
  readonly waiting: Waiting[];
  /** Undefined while there is nothing to deliver. */
  delivery: Promise<void> | undefined;
  /** Calls that failed in a row. */
  failures: number;
}

interface Waiting {
  readonly report: Report;
  readonly characters: number;
  /** Sent by itself, because a call with others was refused as a whole. */
  readonly isAlone: boolean;
  /** Stands for a report that the server refused to read. */
  readonly isReplacement: boolean;
}

// One call carries everything since the last, up to a number that a server is sure to accept.
const maxReports = 500;
const maxCharacters = 2_000_000;

/** @param stopped ends the delivery and, by way of `send`, the calls under way; the rest stays undelivered. */
export function createOutbox(send: SendReports, emit: Emit, stopped: AbortSignal): Outbox {
  return { boxes: new Map(), send, emit, stopped, onRecovery: new Set() };
}

export function addReport(outbox: Outbox, queueId: Id, report: Report): void {
  const box = outbox.boxes.get(queueId) ?? { queueId, waiting: [], delivery: undefined, failures: 0 };
  outbox.boxes.set(queueId, box);
  box.waiting.push({ ...sized(report), isAlone: false, isReplacement: false });
  box.delivery ??= deliver(outbox, box);
}

/** The reports that are not answered. */
export function unanswered({ boxes }: Outbox): Report[] {
  return [...boxes.values()].flatMap(({ waiting }) => waiting.map(({ report }) => report));
}

/** Resolves when every report is answered, or the delivery was stopped. */
export async function delivered({ boxes }: Outbox): Promise<void> {
  const deliveries = () => [...boxes.values()].flatMap(({ delivery }) => delivery ?? []);
  while (deliveries().length > 0) await Promise.all(deliveries());
}

/**
 * Resolves when reports get through and fewer than `most` wait: a runner should not begin work that it cannot report soon, as
 * nobody extends the lease of an item whose report waits.
 */
export async function recovered(outbox: Outbox, most: number): Promise<void> {
  const { boxes, onRecovery, stopped } = outbox;
  const isFailing = () => [...boxes.values()].some(({ failures }) => failures > 0);
  while ((isFailing() || unanswered(outbox).length >= most) && !stopped.aborted) {
    await new Promise<void>((resolve) => void onRecovery.add(resolve));
  }
}

async function deliver(outbox: Outbox, box: Box): Promise<void> {
  // Handlers that end in the same turn of the event loop share the first call.
  await Promise.resolve();
  while (box.waiting.length > 0 && !outbox.stopped.aborted) {
    const batch = nextBatch(box.waiting);
    const reports = batch.map(({ report }) => report);
    try {
      settle(outbox, box, batch, await outbox.send(box.queueId, reports));
      recover(outbox, box);
    } catch (error) {
      if (outbox.stopped.aborted) break;
      if (mayPass(error)) await waitToRepeat(outbox, box, error as Error);
      else refuse(outbox, box, batch, error);
    }
  }
  recover(outbox, box);
  box.delivery = undefined;
}

function recover({ onRecovery }: Outbox, box: Box): void {
  box.failures = 0;
  for (const resolve of onRecovery) resolve();
  onRecovery.clear();
}

async function waitToRepeat({ emit, stopped }: Outbox, box: Box, { message }: Error): Promise<void> {
  box.failures += 1;
  const seconds = backOffSeconds(box.failures, Math.random());
  emit({ type: 'retrying', call: 'finishWorkItems', message, seconds });
  await pause(seconds, stopped);
}

/** The reports for the next call, from the first on: never two for one item. */
function nextBatch(waiting: readonly Waiting[]): Waiting[] {
  const batch: Waiting[] = [];
  const ids = new Set();
  let characters = 0;
  for (const one of waiting) {
    characters += one.characters;
    const isFull = batch.length >= maxReports || characters > maxCharacters || ids.has(one.report.id);
    if (batch.length > 0 && (isFull || one.isAlone)) break;
    batch.push(one);
    ids.add(one.report.id);
    if (one.isAlone) break;
  }
  return batch;
}

function sized(report: Report) {
  return { report, characters: stringifyJson(report).length };
}

/** Takes the reports that were answered out of the box. */
function settle(
  { emit }: Outbox,
  { waiting }: Box,
  batch: readonly Waiting[],
  outcomes: readonly Outcome[],
): void {
  if (outcomes.length !== batch.length) {
    throw new Error(
      `The server answered ${String(outcomes.length)} outcomes for ${String(batch.length)} reports.`,
    );
  }
  waiting.splice(0, batch.length);
  batch.forEach(({ report }, index) => {
    const { error, status } = outcomes[index] ?? { id: report.id };
    if (error === undefined) emit({ type: 'reported', report, status });
    else emit({ type: 'reportRefused', report, code: error.code, message: error.message });
  });
}

/** The server has refused the call as a whole: one of the reports must be the cause. */
function refuse({ emit }: Outbox, { waiting }: Box, batch: readonly Waiting[], error: unknown): void {
  const [first] = batch;
  if (first === undefined) return;
  if (batch.length > 1) {
    waiting.splice(0, batch.length, ...batch.map((one) => ({ ...one, isAlone: true })));
    return;
  }
  const message = error instanceof Error ? error.message : String(error);
  const isUnreadable = error instanceof ApiError && [400, 413, 422].includes(error.status);
  if (isUnreadable && !first.isReplacement) {
    waiting[0] = { ...sized(unreadable(first.report, message)), isAlone: true, isReplacement: true };
    return;
  }
  waiting.shift();
  const code = error instanceof ApiError ? error.code : 'FAILED';
  emit({ type: 'reportRefused', report: first.report, code, message });
}
