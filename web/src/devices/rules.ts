import { deviceName } from '../page/device-name.ts';
import type { Id, Schemas, TransitionName } from '@millrace/api';
import { partsOf } from '../page/lists.ts';

type Device = Schemas['Device'];
type Running = Schemas['RunningItem'];

/** The condition of a device, as one word: being out of use counts before the connection. */
export type Condition = 'quarantined' | 'draining' | 'lost' | 'busy' | 'free';

export function conditionOf({ state, status, busySlots, slots }: Device): Condition {
  if (state === 'QUARANTINED') return 'quarantined';
  if (status === 'DISCONNECTED') return 'lost';
  if (state === 'DRAINING') return 'draining';
  return busySlots >= slots ? 'busy' : 'free';
}

/** The conditions that last until somebody acts. Sorting by busy, which changes by the second, would move cards under the hand. */
const lasting: readonly Condition[] = ['draining', 'quarantined', 'lost'];

/** The devices, those that need a person first, equal ones by name. */
export function worstFirst(devices: readonly Device[]): Device[] {
  const rank = (device: Device) => lasting.indexOf(conditionOf(device));
  return devices.toSorted(
    (one, other) => rank(other) - rank(one) || deviceName(one).localeCompare(deviceName(other), 'en'),
  );
}

/** The members of a device that people may change, while they write: labels with commas between. */
export interface Draft {
  readonly nickname: string;
  readonly labels: string;
}

export function draftOf({ nickname, labels }: Device): Draft {
  return { nickname, labels: labels.join(', ') };
}

type Settings = Pick<Device, 'nickname' | 'labels'>;

export function settingsOf({ nickname, labels }: Draft): Settings {
  return { nickname: nickname.trim(), labels: [...new Set(partsOf(labels))] };
}

/** The settings that a draft changes in a device. */
export function changesIn(device: Device, draft: Draft): Partial<Settings> {
  const { nickname, labels } = settingsOf(draft);
  const hasOthers =
    labels.length !== device.labels.length || labels.some((one) => !device.labels.includes(one));
  return { ...(nickname !== device.nickname && { nickname }), ...(hasOthers && { labels }) };
}

/** The numbers of items on a quarantined device, by what becomes of them. */
export interface Fates {
  readonly back: number;
  readonly inDoubt: number;
  readonly failed: number;
}

export function fatesOf(running: readonly Running[]): Fates {
  const count = (fate: Running['ifTakenBack']) =>
    running.filter(({ ifTakenBack }) => ifTakenBack === fate).length;
  return { back: count('NEW'), inDoubt: count('IN_DOUBT'), failed: count('FAILED') };
}

/** Whether a device has a text in its names, labels, bots or condition. */
export function hasText(device: Device, text: string): boolean {
  const { hostName, nickname, labels, bots } = device;
  const texts = [hostName, nickname, ...labels, ...bots, conditionOf(device)];
  return texts.some((one) => one.toLowerCase().includes(text.toLowerCase()));
}

/** A pool with its devices. A device in several pools stands only in the first. */
export interface Group {
  readonly id: Id | undefined;
  readonly name: string;
  readonly devices: readonly Device[];
}

/** @param name the name of the group of devices without a visible pool */
export function groupsOf(
  devices: readonly Device[],
  pools: readonly Schemas['Pool'][],
  name: string,
): Group[] {
  const home = ({ poolIds }: Device) => pools.find(({ id }) => id !== undefined && poolIds.includes(id))?.id;
  const all = [...pools.map((pool) => ({ id: pool.id, name: pool.name ?? '' })), { id: undefined, name }];
  return all
    .map((group) => ({ ...group, devices: devices.filter((device) => home(device) === group.id) }))
    .filter((group) => group.devices.length > 0);
}

/** Ends without an outcome: put aside until later, or returned untried. */
const withoutOutcome: ReadonlySet<unknown> = new Set<TransitionName>(['park', 'giveBack']);

/** How attempts on items ended. */
export interface Outcomes {
  readonly all: number;
  readonly failed: number;
}

/** How attempts ended on a device, and on the others. An attempt that is tried again has failed as well, and so has one that fell silent. */
export function outcomesOn(
  deviceId: string,
  events: readonly Schemas['Event'][],
): { readonly own: Outcomes; readonly others: Outcomes } {
  const ended = events.filter(
    ({ from, deviceId: on, changes }) =>
      from === 'IN_PROGRESS' && on !== undefined && !withoutOutcome.has(changes?.['transition']),
  );
  const of = (some: typeof ended) => ({
    all: some.length,
    failed: some.filter(({ to }) => to !== 'COMPLETE').length,
  });
  const isOwn = (one: (typeof ended)[0]) => String(one.deviceId) === deviceId;
  return { own: of(ended.filter(isOwn)), others: of(ended.filter((one) => !isOwn(one))) };
}
