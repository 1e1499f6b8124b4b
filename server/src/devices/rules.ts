import type { Id, Schemas } from '@millrace/api';
import { Refusal, refuseStale, type ErrorDetail } from '../errors.ts';

/** What an agent says of its device. */
export type Registration = Pick<
  Schemas['Device'],
  'hostName' | 'nickname' | 'labels' | 'bots' | 'slots' | 'agentVersion'
>;

/** A device that was not known before. @throws Refusal INVALID_REQUEST that names each text that is none. */
export function newDevice(sent: Schemas['DeviceRegistration']): Registration {
  const device = { nickname: '', labels: [], bots: [], slots: 1, agentVersion: '', ...sent };
  const details = [
    ...textProblems('hostName', [device.hostName]),
    ...textProblems('labels', device.labels),
    ...textProblems('bots', device.bots),
  ];
  if (details.length > 0) throw invalid(details);
  return { ...device, labels: namesOf(device.labels), bots: namesOf(device.bots) };
}

/** A device that is known, as it registers again: what it does not say stays, and the nickname does in any case. */
export function registeredAgain(
  known: Registration,
  sent: Schemas['DeviceRegistration'],
): Omit<Registration, 'hostName' | 'nickname'> {
  const { labels, bots, slots, agentVersion } = { ...known, ...sent };
  return { labels: namesOf(labels), bots: namesOf(bots), slots, agentVersion };
}

type ByHand = Pick<Registration, 'nickname' | 'labels'>;

/** What people call the device and ask of it, after a change. @throws Refusal VERSION_CONFLICT, INVALID_REQUEST */
export function changedByHand(device: Schemas['Device'], sent: Schemas['DeviceUpdate']): ByHand {
  refuseStale('device', device, sent);
  const { nickname, labels } = { ...device, ...sent };
  const details = textProblems('labels', labels);
  if (details.length > 0) throw invalid(details);
  return { nickname, labels: namesOf(labels) };
}

type State = Schemas['Device']['state'];

/** What a person can do with the state of a device. */
export type StateChange = 'drain' | 'quarantine' | 'resume';

const stateAfter: Record<StateChange, Partial<Record<State, State>>> = {
  // Whoever quarantined a device had a reason that draining would take away.
  drain: { ACTIVE: 'DRAINING', DRAINING: 'DRAINING' },
  quarantine: { ACTIVE: 'QUARANTINED', DRAINING: 'QUARANTINED', QUARANTINED: 'QUARANTINED' },
  resume: { ACTIVE: 'ACTIVE', DRAINING: 'ACTIVE', QUARANTINED: 'ACTIVE' },
};

/** The state of a device after a change. @throws Refusal STATUS_CONFLICT */
export function decideState(
  { id, state }: Pick<Schemas['Device'], 'id' | 'state'>,
  change: StateChange,
): State {
  const after = stateAfter[change][state];
  if (after) return after;
  throw new Refusal(
    'STATUS_CONFLICT',
    `Device ${id} is ${state} and cannot be ${change}ed. Resume it first.`,
  );
}

/** Why a device takes no work, if it does not. @param device undefined when the caller has no such device. */
export function decideClaim(
  id: Id,
  device: Pick<Schemas['Device'], 'state' | 'stateReason'> | undefined,
): Refusal | undefined {
  if (device?.state === 'ACTIVE') return undefined;
  if (device) {
    return new Refusal(
      'STATUS_CONFLICT',
      `Device ${id} is ${device.state} and takes no work: ${device.stateReason}`,
    );
  }
  const message = `names no device of yours: you registered none with the id ${id}`;
  return new Refusal(
    'INVALID_REQUEST',
    `deviceId ${message}. Register it at POST /v4/wlm/devices, or leave deviceId out.`,
    {
      details: [{ field: 'deviceId', message }],
    },
  );
}

/** @throws Refusal IN_USE while the device runs items */
export function refuseWhileBusy({ id, busySlots }: Schemas['Device']): void {
  if (busySlots === 0) return;
  const items = busySlots === 1 ? '1 item' : `${busySlots} items`;
  throw new Refusal(
    'IN_USE',
    `Device ${id} runs ${items}. Drain it and wait for them, or quarantine it, which takes them back.`,
  );
}

/** Names as a set, in one order. */
export function namesOf(names: readonly string[]): string[] {
  return [...new Set(names)].toSorted();
}

/** What is wrong with texts that must be told apart by eye: white space around them would be invisible. */
export function textProblems(field: string, texts: readonly string[]): ErrorDetail[] {
  return texts.flatMap((text) => {
    const isPlain = text !== '' && text === text.trim() && !/\p{Cc}/u.test(text);
    const message = `must not begin or end with white space, or hold control characters: ${JSON.stringify(text.slice(0, 60))}`;
    return isPlain ? [] : [{ field, message }];
  });
}

function invalid(details: ErrorDetail[]): Refusal {
  const sentences = details.map(({ field, message }) => `${field} ${message}`).join('; ');
  return new Refusal('INVALID_REQUEST', `This is no device: ${sentences}.`, { details });
}
