import { createClient, type Client, type Id } from '@millrace/api';
import { waitFor } from './backoff.ts';
import { claimItems } from './claims.ts';
import { LeaseLost, RunnerFault, RunnerStopped } from './errors.ts';
import { addEvent, describeEvent, nothingDone, type Emit, type Summary } from './events.ts';
import type { Handler, Report, Work, WorkItem } from './item.ts';
import {
  createLeases,
  drop,
  hold,
  idle,
  keepLeases,
  noteProgress,
  type Lease,
  type Leases,
} from './leases.ts';
import { settingsOf, type RunOptions, type Settings } from './options.ts';
import { addReport, createOutbox, delivered, recovered, type Outbox } from './outbox.ts';
import { findQueue } from './queue.ts';
import { cleanText, completion, failure } from './report.ts';
import { createStop, type Stop } from './signals.ts';
import { createSlots, releaseSlot, type Slots } from './slots.ts';

/** A runner at work. */
interface Runner {
  readonly settings: Settings;
  readonly handler: Handler;
  readonly slots: Slots;
  readonly leases: Leases;
  readonly outbox: Outbox;
  readonly stop: Stop;
  readonly emit: Emit;
  /** Why no item can be done here. */
  fault: Error | undefined;
}

// How long a call may take on top of what it waits for.
const answerSeconds = 30;
const waitSeconds = 30;
// A handler that is told to end, or a last report, gets so long when there is no other time left.
const lastSeconds = 15;
const killedSeconds = 2;

/**
 * Takes items from a queue and has the handler work on them, until told to stop. Survives restarts of the server: reports are kept
 * and sent again until the server has answered each.
 * @returns what was done.
 * @throws ApiError when the server refuses this runner; RunnerFault from the handler; RangeError for a bad option.
 */
export async function run<Json = Record<string, unknown>>(
  options: RunOptions,
  handler: Handler<Json>,
): Promise<Summary> {
  const settings = settingsOf(options);
  const client = createClient(options);
  const stop = createStop(options.signal, options.killSignal);
  const watch = createWatch(options.onEvent ?? writeEvent, stop);
  try {
    const plan = { settings, handler: handler as Handler, stop, emit: watch.emit };
    const queueId = await findQueue(client, settings.queue, watch.emit, stop.drain);
    if (queueId !== undefined) await work(client, queueId, plan);
  } finally {
    stop.dispose();
    watch.emit({ type: 'stopped', summary: watch.summary() });
  }
  if (watch.fault() !== undefined) throw watch.fault();
  return watch.summary();
}

/** Counts what happens and passes it on. A watcher that throws must not cost items, so the runner drains before it says so. */
function createWatch(onEvent: Emit, stop: Stop) {
  let summary = nothingDone;
  let fault: unknown;
  const emit: Emit = (event) => {
    summary = addEvent(summary, event);
    try {
      onEvent(event);
    } catch (error) {
      fault ??= error;
      stop.end();
    }
  };
  return { emit, summary: () => summary, fault: () => fault };
}

type Plan = Pick<Runner, 'settings' | 'handler' | 'stop' | 'emit'>;

async function work(client: Client, queueId: Id, plan: Plan): Promise<void> {
  const { settings, stop, emit } = plan;
  emit({ type: 'connected', queueId, queue: String(settings.queue) });
  const over = new AbortController();
  const calls = callsOn(client, queueId, settings, over.signal);
  const leases = createLeases(settings.leaseSeconds, calls.heartbeat, emit, over.signal);
  const outbox = createOutbox(calls.finish, emit, over.signal);
  const slots = createSlots(settings.slots);
  const runner: Runner = { ...plan, slots, leases, outbox, fault: undefined };
  const heartbeats = keepLeases(leases);
  const start = (item: WorkItem) => void workOn(runner, item);
  try {
    await claimItems({ slots, claim: calls.claim, start, emit, drain: stop.drain, kill: stop.kill });
  } catch (error) {
    runner.fault ??= error as Error;
  }
  await endWork(runner);
  over.abort();
  await Promise.all([heartbeats, delivered(outbox)]);
  for (const { report } of outbox.waiting) emit({ type: 'unreported', report });
  if (runner.fault !== undefined) throw runner.fault;
}

/** Ends in good order: running items, then their reports, while there is time. */
async function endWork({ settings, leases, outbox, stop, emit }: Runner): Promise<void> {
  const { kill } = stop;
  const deadline = Date.now() + settings.drainSeconds * 1000;
  const uninterrupted = new AbortController().signal;
  emit({ type: 'draining', running: leases.held.size, reports: outbox.waiting.length });
  await waitFor(idle(leases), settings.drainSeconds, kill);
  for (const lease of leases.held) lease.controller.abort(new RunnerStopped(kill.aborted));
  await waitFor(idle(leases), lastSeconds, uninterrupted);
  await waitFor(delivered(outbox), Math.max(lastSeconds, (deadline - Date.now()) / 1000), kill);
  if (kill.aborted) await waitFor(delivered(outbox), killedSeconds, uninterrupted);
}

async function workOn(runner: Runner, item: WorkItem): Promise<void> {
  const { leases, outbox, emit } = runner;
  const lease = hold(leases, item);
  const startedOn = Date.now();
  const report = await reportOn(runner, lease);
  drop(leases, lease);
  if (report !== undefined) {
    emit({ type: 'finished', report, seconds: (Date.now() - startedOn) / 1000 });
    addReport(outbox, report);
    await recovered(outbox, runner.settings.slots);
  }
  releaseSlot(runner.slots);
}

/** Runs the handler. An item that was lost, or given up before it was done, is not reported: its lease speaks for it. */
async function reportOn(runner: Runner, lease: Lease): Promise<Report | undefined> {
  const { item, controller } = lease;
  let report: Report;
  try {
    report = completion(
      item,
      await runner.handler(item, toolsFor(runner, lease)),
      runner.settings.maxOutputBytes,
    );
  } catch (error) {
    if (error instanceof RunnerFault) stopWith(runner, error);
    if (error instanceof RunnerFault || controller.signal.reason instanceof RunnerStopped) {
      runner.emit({ type: 'givenUp', id: item.id });
      return undefined;
    }
    report = failure(item, error);
  }
  return controller.signal.reason instanceof LeaseLost ? undefined : report;
}

function stopWith(runner: Runner, fault: RunnerFault): void {
  runner.fault ??= fault;
  runner.stop.end();
}

function toolsFor({ leases, emit }: Runner, lease: Lease): Work {
  const { id } = lease.item;
  return {
    signal: lease.controller.signal,
    log: (text) => emit({ type: 'log', id, text }),
    progress: async (percent, text) => {
      emit({ type: 'progress', id, percent, text });
      const share = Number.isNaN(percent) ? 0 : Math.min(100, Math.max(0, percent));
      await noteProgress(leases, lease, {
        percent: share,
        ...(text !== undefined && { text: cleanText(text, 1000) }),
      });
    },
  };
}

function callsOn(client: Client, id: Id, { leaseSeconds, deviceId }: Settings, over: AbortSignal) {
  const path = { id };
  const device = deviceId === undefined ? {} : { deviceId };
  const heartbeatSeconds = Math.min(10, Math.max(1, leaseSeconds / 3));
  return {
    claim: async (count: number, signal: AbortSignal) => {
      const body = { count, leaseSeconds, waitSeconds, ...device };
      const { list } = await client.claimWorkItems(
        { path, body },
        { signal, timeoutSeconds: waitSeconds + answerSeconds },
      );
      return list as WorkItem[];
    },
    heartbeat: async (leases: Parameters<Parameters<typeof createLeases>[1]>[0]) =>
      (
        await client.heartbeatWorkItems(
          { path, body: { leases } },
          { timeoutSeconds: heartbeatSeconds, signal: over },
        )
      ).list,
    finish: async (results: Report[]) =>
      (
        await client.finishWorkItems(
          { path, body: { results } },
          { timeoutSeconds: answerSeconds, signal: over },
        )
      ).list,
  };
}

function writeEvent(event: Parameters<Emit>[0]): void {
  const line = describeEvent(event);
  if (line !== undefined) process.stderr.write(`${new Date().toISOString()} ${line}\n`);
}
