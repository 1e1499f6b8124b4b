import type { Schemas } from '@millrace/api';
import { namesOf, storedName, textProblems } from '../../engine/checks.ts';
import { Refusal, refuseStale, type ErrorDetail } from '../../engine/errors.ts';

/** A device as described by its agent. */
export type Registration = Pick<
  Schemas['Device'],
  'hostName' | 'nickname' | 'labels' | 'bots' | 'slots' | 'agentVersion'
>;

/** A newly registered device. @throws Refusal INVALID_REQUEST that names each invalid text. */
export function newDevice(sent: Schemas['DeviceRegistration']): Registration {
  const device = { nickname: '', labels: [], bots: [], slots: 1, agentVersion: '', ...sent };
  const details = [
    ...textProblems('hostName', [device.hostName]),
    ...textProblems('labels', device.labels),
    ...textProblems('bots', device.bots),
  ];
  if (details.length > 0) throw invalid(details);
  return {
    ...device,
    hostName: storedName(device.hostName),
    labels: namesOf(device.labels),
    bots: namesOf(device.bots),
  };
}

/** A known device that registers again: omitted members stay, and the nickname stays in any case. */
export function registeredAgain(
  known: Registration,
  sent: Schemas['DeviceRegistration'],
): Omit<Registration, 'hostName' | 'nickname'> {
  const { labels, bots, slots, agentVersion } = { ...known, ...sent };
  return { labels: namesOf(labels), bots: namesOf(bots), slots, agentVersion };
}

/** An action on a visible device: `hold` takes it out of use, and into it again. */
type DeviceCapability = 'view' | 'hold' | 'edit';

/** @param ownsPool whether the user owns a pool that has the device */
export function deviceCapabilitiesOf(
  permissions: ReadonlySet<string>,
  ownsPool: boolean,
): DeviceCapability[] {
  if (permissions.has('manageDevices')) return ['view', 'hold', 'edit'];
  return ownsPool ? ['view', 'hold'] : ['view'];
}

type ByHand = Pick<Registration, 'nickname' | 'labels'>;

/** The members set by people, after a change. @throws Refusal VERSION_CONFLICT, INVALID_REQUEST */
export function changedByHand(device: Schemas['Device'], sent: Schemas['DeviceUpdate']): ByHand {
  refuseStale('device', device, sent);
  const { nickname, labels } = { ...device, ...sent };
  const details = textProblems('labels', labels);
  if (details.length > 0) throw invalid(details);
  return { nickname, labels: namesOf(labels) };
}

type State = Schemas['Device']['state'];

/** A person's change of the state of a device. */
export type StateChange = 'drain' | 'quarantine' | 'resume';

const stateAfter: Record<StateChange, Partial<Record<State, State>>> = {
  // Draining would remove the reason for which a device was quarantined.
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

/** @throws Refusal IN_USE while the device runs items */
export function refuseWhileBusy({ id, busySlots }: Schemas['Device']): void {
  if (busySlots === 0) return;
  const items = busySlots === 1 ? '1 item' : `${busySlots} items`;
  throw new Refusal(
    'IN_USE',
    `Device ${id} runs ${items}. Drain it and wait for them, or quarantine it, which takes them back.`,
  );
}

function invalid(details: ErrorDetail[]): Refusal {
  const sentences = details.map(({ field, message }) => `${field} ${message}`).join('; ');
  return new Refusal('INVALID_REQUEST', `This is no device: ${sentences}.`, { details });
}
