import type { Client } from '@millrace/api';
import { waitFor } from './backoff.ts';
import { callsOn } from './calls.ts';
import { claimItems, type Source } from './claims.ts';
import { BusinessError, Defer, GiveBack, RunnerFault, RunnerStopped } from './errors.ts';
import type { Emit } from './events.ts';
import { createHeartbeats, keepLeases, type Heartbeats } from './heartbeats.ts';
import type { Handler, Report, WorkItem } from './item.ts';
import { hearOfInterruptions } from './interruptions.ts';
import { createLeases, drop, hold, idle, isLost, newLogTail, type Lease, type Leases } from './leases.ts';
import type { WorkSettings } from './options.ts';
import { addReport, createOutbox, delivered, recovered, unanswered, type Outbox } from './outbox.ts';
import { completion, failure, returned, withRemarks } from './report.ts';
import type { Stop } from './signals.ts';
import { createSlots, releaseSlot, type Slots } from './slots.ts';
import { toolsFor } from './tools.ts';

/** The task of a runner. */
export interface Plan {
  readonly settings: WorkSettings;
  readonly client: Client;
  readonly source: Source;
  /** The handler of an item. */
  readonly handlerOf: (item: WorkItem) => Handler;
  readonly stop: Stop;
  readonly emit: Emit;
}

/** A runner at work. */
interface Runner extends Plan {
  readonly slots: Slots;
  readonly leases: Leases;
  readonly heartbeats: Heartbeats;
  readonly outbox: Outbox;
  /** The reason why no item can be done here. */
  fault: Error | undefined;
}

// Time for an ending handler and for a last report, when no other time is left.
const lastSeconds = 15;
const killedSeconds = 2;

/**
 * Takes items, has them done and reports them, until told to stop.
 * @throws ApiError when the server refuses for good; RunnerFault from a handler.
 */
export async function work(plan: Plan): Promise<void> {
  const { settings, client, source, stop, emit } = plan;
  const over = new AbortController();
  const calls = callsOn(client, settings.leaseSeconds, over.signal);
  const leases = createLeases(emit);
  const heartbeats = createHeartbeats(leases, settings.leaseSeconds, calls.heartbeat, over.signal);
  const outbox = createOutbox(calls.finish, emit, over.signal);
  const slots = createSlots(settings.slots);
  const runner: Runner = { ...plan, slots, leases, heartbeats, outbox, fault: undefined };
  const keeping = [keepLeases(heartbeats), hearOfInterruptions(heartbeats, calls.watch)];
  source.onTakenBack?.(() => void heartbeats.beat());
  const start = (item: WorkItem) => void workOn(runner, item);
  try {
    await claimItems({ slots, source, start, emit, drain: stop.drain, kill: stop.kill });
  } catch (error) {
    runner.fault ??= error as Error;
  }
  await endWork(runner);
  over.abort();
  await Promise.all([...keeping, delivered(outbox)]);
  for (const report of unanswered(outbox)) emit({ type: 'unreported', report });
  if (runner.fault !== undefined) throw runner.fault;
}

/** Ends in good order: running items, then their reports, while there is time. */
async function endWork({ settings, leases, outbox, stop, emit }: Runner): Promise<void> {
  const { kill } = stop;
  const deadline = performance.now() + settings.drainSeconds * 1000;
  const uninterrupted = new AbortController().signal;
  emit({ type: 'draining', running: leases.held.size, reports: unanswered(outbox).length });
  await waitFor(idle(leases), settings.drainSeconds, kill);
  for (const lease of leases.held) lease.controller.abort(new RunnerStopped(kill.aborted));
  await waitFor(idle(leases), lastSeconds, uninterrupted);
  await waitFor(delivered(outbox), Math.max(lastSeconds, (deadline - performance.now()) / 1000), kill);
  if (kill.aborted) await waitFor(delivered(outbox), killedSeconds, uninterrupted);
}

async function workOn(runner: Runner, item: WorkItem): Promise<void> {
  const { leases, outbox, emit } = runner;
  const lease = hold(leases, item);
  const startedOn = performance.now();
  const report = await reportOn(runner, lease);
  drop(leases, lease);
  if (report !== undefined) {
    const seconds = (performance.now() - startedOn) / 1000;
    emit({ type: 'finished', report, seconds, logTail: lease.logTail });
    addReport(outbox, item.queueId, report);
    await recovered(outbox, runner.settings.slots);
  }
  releaseSlot(runner.slots);
}

/** Runs the handler. An item that was lost is not reported: it belongs to somebody else. */
async function reportOn(runner: Runner, lease: Lease): Promise<Report | undefined> {
  const { heartbeats, emit, settings } = runner;
  const { item } = lease;
  let report: Report;
  try {
    const output = await runner.handlerOf(item)(item, toolsFor(heartbeats, lease, emit));
    report = completion(item, output, settings.maxOutputBytes);
  } catch (error) {
    if (error instanceof RunnerFault) stopWith(runner, error);
    report = failureOf(lease, error);
  }
  return isLost(lease) ? undefined : withRemarks(report, { ...lease, logTail: newLogTail(lease) });
}

/** An item that failed because of the runner is given back; the server knows whether that is safe. */
function failureOf({ item, controller }: Lease, error: unknown): Report {
  const cause: unknown = error instanceof RunnerFault ? error : controller.signal.reason;
  const isRunners = cause instanceof RunnerFault || cause instanceof RunnerStopped;
  return isRunners && !isVerdict(error) ? returned(item, cause.message) : failure(item, error);
}

/** Whether the handler has decided the outcome of the item. */
function isVerdict(error: unknown): boolean {
  return error instanceof BusinessError || error instanceof Defer || error instanceof GiveBack;
}

function stopWith(runner: Runner, fault: RunnerFault): void {
  runner.fault ??= fault;
  runner.stop.end();
}
