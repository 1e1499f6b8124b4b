import { createClient, type Client, type Id } from '@millrace/api';
import { answerSeconds, waitSeconds } from './calls.ts';
import type { Source } from './claims.ts';
import type { Bot } from './bots/bot.ts';
import type { Emit, Summary } from './events.ts';
import type { Handler, WorkItem } from './item.ts';
import { settingsOf, type RunOptions, type Settings } from './options.ts';
import { findQueue } from './queue.ts';
import { createStop } from './signals.ts';
import { createWatch } from './watch.ts';
import { work } from './work.ts';

/**
 * Takes items from a queue and has the handler work on them, until told to stop. Survives restarts of the server: reports are kept and sent
 * again until the server has answered each.
 * @returns the summary of the work.
 * @throws ApiError when the server refuses this runner; RunnerFault from the handler; RangeError for a bad option.
 */
export async function run<Json = Record<string, unknown>>(
  options: RunOptions,
  handler: Handler<Json>,
): Promise<Summary> {
  return runWith(options, () => ({ handle: handler as Handler, end: () => Promise.resolve() }));
}

/** As `run`, with a bot that is created for it and ended with it. */
export async function runWith(options: RunOptions, createBot: (emit: Emit) => Bot): Promise<Summary> {
  const settings = settingsOf(options);
  const client = createClient(options);
  const stop = createStop(options.signal, options.killSignal);
  const watch = createWatch(options.onEvent, stop);
  const bot = createBot(watch.emit);
  try {
    const queueId = await findQueue(client, settings.queue, watch.emit, stop.drain);
    if (queueId !== undefined) {
      watch.emit({ type: 'connected', queueId, queue: String(settings.queue) });
      const source = claimsOn(client, queueId, settings);
      await work({ settings, client, source, handlerOf: () => bot.handle, stop, emit: watch.emit });
    }
  } finally {
    await bot.end();
    stop.dispose();
    watch.emit({ type: 'stopped', summary: watch.summary() });
  }
  if (watch.fault() !== undefined) throw watch.fault();
  return watch.summary();
}

function claimsOn(client: Client, id: Id, { leaseSeconds, deviceId }: Settings): Source {
  const device = deviceId === undefined ? {} : { deviceId };
  const take = async (count: number, signal: AbortSignal) => {
    const body = { count, leaseSeconds, waitSeconds, ...device };
    const options = { signal, timeoutSeconds: waitSeconds + answerSeconds };
    return (await client.claimWorkItems({ path: { id }, body }, options)).list as WorkItem[];
  };
  return { call: 'claimWorkItems', take };
}
