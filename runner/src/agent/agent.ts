import { createClient, type ClientOptions, type Schemas } from '@millrace/api';
import { answerSeconds, waitSeconds } from '../calls.ts';
import type { Source } from '../claims.ts';
import type { Emit, Summary } from '../events.ts';
import type { WorkItem } from '../item.ts';
import type { WorkSettings } from '../options.ts';
import { createStop, type Stop } from '../signals.ts';
import { createWatch } from '../watch.ts';
import { work } from '../work.ts';
import { createBots, type Bots } from './bots.ts';
import type { AgentConfig } from './config.ts';
import { connectDevice, isUnknown, keepPresent, noteState, registerAgain, type Device } from './device.ts';
import { version } from './version.ts';

/** The server of an agent, and its settings. */
export interface AgentOptions extends ClientOptions {
  readonly config: AgentConfig;
  /**
   * Aborted to stop in good order: no more work, running items end or are given back, reports are sent. Without it the agent
   * listens for SIGTERM and SIGINT.
   */
  readonly signal?: AbortSignal | undefined;
  /** Aborted to stop at once. */
  readonly killSignal?: AbortSignal | undefined;
  /** Called with each event; without it, events that matter to people are written to stderr. */
  readonly onEvent?: Emit | undefined;
}

/**
 * Works for this machine: registers it, asks for work by one long poll for all its pools, and runs the bots that the server names, by the
 * configuration. Survives restarts of the server: reports are kept and sent until they are answered.
 * @returns the summary of the work, when told to stop.
 * @throws ApiError when the server refuses the device.
 */
export async function runAgent(options: AgentOptions): Promise<Summary> {
  const stop = createStop(options.signal, options.killSignal);
  const watch = createWatch(options.onEvent, stop);
  try {
    await serve(options, stop, watch.emit);
  } finally {
    stop.dispose();
    watch.emit({ type: 'stopped', summary: watch.summary() });
  }
  if (watch.fault() !== undefined) throw watch.fault();
  return watch.summary();
}

async function serve({ config, ...options }: AgentOptions, stop: Stop, emit: Emit): Promise<void> {
  const settings = settingsOf(config);
  const client = createClient(options);
  const bots = createBots(config, settings.maxOutputBytes, emit);
  const device = await connectDevice(client, () => registrationOf(config, bots), emit, stop.drain);
  if (device === undefined) return;
  const over = new AbortController();
  const presence = keepPresent(device, over.signal);
  const handlerOf = (item: WorkItem) => bots.handlerOf(item, device);
  try {
    await work({ settings, client, source: workFor(device, settings), handlerOf, stop, emit });
  } finally {
    over.abort();
    await Promise.all([presence, bots.end()]);
  }
}

function settingsOf({ device, leaseSeconds, drainSeconds, maxOutputBytes }: AgentConfig): WorkSettings {
  return {
    slots: device.slots,
    leaseSeconds: leaseSeconds ?? 60,
    drainSeconds: drainSeconds ?? 60,
    maxOutputBytes: maxOutputBytes ?? 1_000_000,
  };
}

function registrationOf({ device }: AgentConfig, bots: Bots): Schemas['DeviceRegistration'] {
  const { labels, ...rest } = device;
  return { ...rest, ...(labels && { labels: [...labels] }), bots: bots.names(), agentVersion: version };
}

/** The work of all pools of the device. */
function workFor(device: Device, { leaseSeconds }: WorkSettings): Source {
  const take = async (count: number, signal: AbortSignal) => {
    // A held device waits in the same call for its next state.
    const body = { count, waitSeconds, leaseSeconds, state: device.state };
    const options = { signal, timeoutSeconds: waitSeconds + answerSeconds };
    try {
      const answer = await device.client.requestWork({ path: { id: device.id }, body }, options);
      noteState(device, answer);
      return answer.list as WorkItem[];
    } catch (error) {
      if (!isUnknown(error)) throw error;
      await registerAgain(device);
      return [];
    }
  };
  const onTakenBack = (renew: () => void) =>
    void device.onState.add(() => {
      if (device.state === 'QUARANTINED') renew();
    });
  return { call: 'requestWork', take, onTakenBack };
}
