import { ApiError, type Client, type Id, type Schemas } from '@millrace/api';
import { pause } from '../backoff.ts';
import { answerSeconds } from '../calls.ts';
import type { Emit } from '../events.ts';
import { untilAnswered } from '../persist.ts';

/** This machine, in the words of the server. */
export interface Device {
  readonly client: Client;
  readonly emit: Emit;
  /** Its present properties and bots. */
  readonly registration: () => Schemas['DeviceRegistration'];
  id: Id;
  state: Schemas['DeviceState']['state'];
  /** Called when the state has changed. */
  readonly onState: Set<() => void>;
  /** The registration under way. */
  registering: Promise<void> | undefined;
}

// A device that is silent for 45 seconds counts as disconnected: two beats may be lost.
const beatSeconds = 15;

/**
 * Registers this machine; waits for a server that cannot be reached yet.
 * @returns undefined when the signal was aborted first.
 * @throws ApiError when the server refuses it
 */
export async function connectDevice(
  client: Client,
  registration: Device['registration'],
  emit: Emit,
  signal: AbortSignal,
): Promise<Device | undefined> {
  const register = () => registerOnce(client, registration(), signal);
  const answer = await untilAnswered('registerDevice', register, emit, signal);
  if (answer === undefined) return undefined;
  const { id } = answer;
  const device: Device = {
    client,
    emit,
    registration,
    id,
    state: 'ACTIVE',
    onState: new Set(),
    registering: undefined,
  };
  adopt(device, answer);
  return device;
}

/** Registers this machine again; simultaneous callers share one call. */
export async function registerAgain(device: Device): Promise<void> {
  const { client, registration } = device;
  device.registering ??= registerOnce(client, registration())
    .then((answer) => adopt(device, answer))
    .finally(() => (device.registering = undefined));
  await device.registering;
}

/** Sends heartbeats and takes in the state of the device, until stopped. */
export async function keepPresent(device: Device, stopped: AbortSignal): Promise<void> {
  const { client, emit } = device;
  while (!stopped.aborted) {
    await pause(beatSeconds, stopped);
    if (stopped.aborted) return;
    try {
      const options = { timeoutSeconds: beatSeconds, signal: stopped };
      noteState(device, await client.heartbeatDevice({ path: { id: device.id }, body: {} }, options));
    } catch (error) {
      if (stopped.aborted) return;
      const again = isUnknown(error)
        ? await registerAgain(device).catch((failure: unknown) => failure)
        : error;
      if (!(again instanceof Error)) continue;
      emit({ type: 'retrying', call: 'heartbeatDevice', message: again.message, seconds: beatSeconds });
    }
  }
}

/** Takes in the state that the server has for the device. */
export function noteState(device: Device, { state, stateReason }: Schemas['DeviceState']): void {
  if (device.state === state) return;
  device.state = state;
  device.emit({ type: 'deviceState', state, reason: stateReason });
  for (const act of [...device.onState]) act();
}

/** Whether the server does not know the device, because it was deleted. */
export function isUnknown(error: unknown): boolean {
  return error instanceof ApiError && error.status === 404;
}

async function registerOnce(client: Client, body: Schemas['DeviceRegistration'], signal?: AbortSignal) {
  return client.registerDevice({ body }, { timeoutSeconds: answerSeconds, signal });
}

function adopt(device: Device, answer: Schemas['Device']): void {
  const { id, hostName, bots, slots } = answer;
  device.id = id;
  device.emit({ type: 'registered', deviceId: id, hostName, bots, slots });
  noteState(device, answer);
}
