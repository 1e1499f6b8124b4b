import type { Id, Schemas } from '@millrace/api';
import { seenBy } from '../access/members/membership.ts';
import { foresee, type Foresight } from '../dispatch/candidates.ts';
import {
  decideGrants,
  isOpen,
  mayStart,
  suits,
  type Automation,
  type Candidates,
  type Offer,
} from '../dispatch/rules.ts';
import { sql } from '../engine/db.ts';
import type { Context, PlainOperation } from '../engine/operation.ts';
import { findAutomation, inScope, scopeOf } from '../fleet/automations/automations.ts';
import { findDevice } from '../fleet/devices/find.ts';
import type { DeviceFacts } from './facts.ts';
import { because, count, listed } from './words.ts';
import { readDevices } from './why.ts';

export const explainDevice: PlainOperation<'explainDevice'> = async (context, { path }) => {
  const device = await findDevice(context, path.id);
  const foresight = await foresee(context, [path.id]);
  const facts = await named(context, foresight);
  return answer(explainDeviceFacts(withSlots(factsOf(device), foresight), facts));
};

export const explainAutomation: PlainOperation<'explainAutomation'> = async (context, { path }) => {
  const automation = await findAutomation(context, path.id);
  const devices = await readDevices(context, automation.poolId);
  if (automation.status !== 'ACTIVE') return { ...answer([resting(automation)]), devices: [] };
  const foresight = await foresee(
    context,
    devices.map(({ id }) => id),
  );
  const facts = await named(context, foresight);
  const own = facts.automations.find(({ id }) => id === automation.id);
  // A pool without devices: its automations were not read.
  if (!own) return { ...answer([{ code: 'NO_DEVICE', sentence: noDevices }]), devices: [] };
  const verdicts = judgeDevices(
    own,
    devices.map((device) => withSlots(device, foresight)),
    facts,
  );
  return { ...answer(explainAutomationFacts(own, verdicts, facts)), devices: verdicts };
};

const noDevices = 'There is no device in its pool. Put one into it.';

function answer(reasons: FleetReason[]): Schemas['FleetExplanation'] {
  const [first] = reasons;
  if (!first) throw new Error('an explanation without a reason');
  return { code: first.code, sentence: first.sentence, reasons };
}

function resting({ status, statusReason }: Schemas['Automation']): FleetReason {
  const [code, word] =
    status === 'STOPPED'
      ? (['AUTOMATION_STOPPED', 'stopped'] as const)
      : (['AUTOMATION_PAUSED', 'paused'] as const);
  return { code, sentence: `It is ${word}${because(statusReason)}. Activate it to go on.` };
}

function factsOf(device: Schemas['Device']): DeviceFacts {
  const { id, nickname, hostName, status, state, stateReason, labels, bots, slots, busySlots, poolIds } =
    device;
  const name = nickname === '' ? hostName : nickname;
  const isConnected = status === 'CONNECTED';
  return { id, name, isConnected, state, stateReason, labels, bots, slots, busySlots, poolIds };
}

/** The device with its slots as counted for grants. */
function withSlots(device: DeviceFacts, { devices }: Foresight): DeviceFacts {
  return { ...device, busySlots: devices.get(device.id)?.running ?? device.busySlots };
}

/** The foresight, with the names that the caller may see. */
async function named(context: Context, { automations, candidates }: Foresight): Promise<FleetFacts> {
  const counted = new Map(candidates.automations.map((one) => [one.id, one]));
  const names = await selectNames(
    context,
    automations.map(({ id }) => id),
  );
  const list = automations.map(({ unit, threshold, started, ...stored }): NamedAutomation => {
    const reactivation = { unit, threshold, started, waiting: 0 };
    const uncounted = { ...stored, claimable: 0, reactivation };
    const { isQueueActive } = stored;
    return { ...(counted.get(stored.id) ?? uncounted), isQueueActive, names: names.get(stored.id) };
  });
  return { candidates, automations: list };
}

async function selectNames({ db, actor }: Context, ids: readonly Id[]): Promise<Map<Id, AutomationNames>> {
  const rows = await db.rows<AutomationNames & { id: Id }>(sql`
    select a.id, a.name as automation, case when ${seenBy(actor)} then q.name end as queue, p.name as pool
    from automations a join queues q on q.id = a.queue_id join pools p on p.id = a.pool_id
    where a.id = any(${ids}::bigint[]) and ${inScope(scopeOf(actor))}`);
  return new Map(rows.map(({ id, ...names }) => [id, names]));
}

/** An answer to why a device or an automation gets nothing. */
type FleetReason = Schemas['FleetReason'];

/** An active automation, as seen by the explanation of devices. */
export interface NamedAutomation extends Automation {
  readonly isQueueActive: boolean;
  /** The names of things that the caller may see. */
  readonly names?: AutomationNames | undefined;
}

interface AutomationNames {
  readonly automation: string;
  /** A reader who sees a pool sees its automations, though not all of their queues. */
  readonly queue?: string | undefined;
  readonly pool: string;
}

/** The data of a decision about devices. */
export interface FleetFacts {
  readonly candidates: Candidates;
  /** The active automations of the pools, including those of paused queues. */
  readonly automations: readonly NamedAutomation[];
}

/** The item that a device gets next, or the reasons why it gets none, the most decisive first. */
export function explainDeviceFacts(device: DeviceFacts, facts: FleetFacts): FleetReason[] {
  const own = deviceHindrance(device);
  const next = nextFor(device, facts);
  if (!own && next) return [comes(next)];
  return [...(own ? [own] : []), ...poolHindrances(device, facts)];
}

function poolHindrances(device: DeviceFacts, { automations, candidates }: FleetFacts): FleetReason[] {
  if (device.poolIds.length === 0)
    return [
      { code: 'NO_POOL', sentence: 'It is in no pool. Put it into one, so that automations reach it.' },
    ];
  if (automations.length === 0)
    return [{ code: 'NO_AUTOMATION', sentence: 'No active automation sends items to its pools.' }];
  // Automations that it could work for come before those that it never will.
  const suited = automations.toSorted(
    (one, other) => Number(suits(device, other)) - Number(suits(device, one)),
  );
  return suited.flatMap((one) => {
    const reason = mismatch(device, one) ?? automationHindrance(one, candidates.takenUserIds);
    return reason
      ? [{ ...reason, sentence: `${titleOf(one)}: ${reason.sentence}`, facts: factsOfAutomation(one) }]
      : [];
  });
}

/** The condition that keeps a device from all work. */
function deviceHindrance(device: DeviceFacts): FleetReason | undefined {
  const { id, state, stateReason, isConnected, slots, busySlots } = device;
  const facts = { deviceId: id };
  if (state !== 'ACTIVE') {
    const sentence = `It is ${state === 'DRAINING' ? 'draining' : 'quarantined'} and takes no work${because(stateReason)}. Resume it to go on.`;
    return { code: state, sentence, facts };
  }
  if (!isConnected) return { code: 'DISCONNECTED', sentence: 'It is not connected. Start its agent.', facts };
  if (busySlots < slots) return undefined;
  const all = slots === 1 ? 'Its only slot is' : `All its ${slots} slots are`;
  return { code: 'SLOTS_BUSY', sentence: `${all} busy.`, facts: { ...facts, slots, busySlots } };
}

/** The reason why a device never gets items of an automation, if it does not. */
function mismatch(device: DeviceFacts, { poolId, botName, labels }: Automation): FleetReason | undefined {
  if (!device.poolIds.includes(poolId)) return { code: 'NO_POOL', sentence: 'it is not in the pool.' };
  if (!device.bots.includes(botName))
    return { code: 'WITHOUT_BOT', sentence: `the agent of the device has no bot "${botName}".` };
  const missing = labels.filter((label) => !device.labels.includes(label));
  if (missing.length === 0) return undefined;
  const which = missing.length === 1 ? 'the label' : 'the labels';
  return {
    code: 'WITHOUT_LABELS',
    sentence: `the device has not ${which} ${listed(missing.map((label) => `"${label}"`))}.`,
  };
}

/** The reason why an active automation has nothing to give now, if so. */
function automationHindrance(
  automation: NamedAutomation,
  takenUserIds: ReadonlySet<Id>,
): FleetReason | undefined {
  const { isQueueActive, claimable, runAsUserIds, running } = automation;
  if (!isQueueActive) return { code: 'QUEUE_PAUSED', sentence: 'its queue is paused.' };
  if (claimable === 0) return { code: 'NOTHING_WAITS', sentence: 'no item of its queue could start now.' };
  if (runAsUserIds.length > 0 && runAsUserIds.every((id) => takenUserIds.has(id)))
    return { code: 'RUN_AS_USERS_TAKEN', sentence: 'all its run-as users are at work or disabled.' };
  if (mayStart(automation)) return undefined;
  return {
    code: 'THRESHOLD',
    sentence: `the reactivation threshold of its queue is not reached: ${count(running, 'item')} of it run.`,
  };
}

/** The automation whose next item a device would get, if it could take any. */
function nextFor(device: DeviceFacts, { automations, candidates }: FleetFacts): NamedAutomation | undefined {
  const [grant] = decideGrants(candidates, [{ ...offerOf(device), slots: 1 }]);
  return automations.find(({ id }) => id === grant?.automation.id);
}

function offerOf({ id, poolIds, labels, bots }: DeviceFacts): Omit<Offer, 'slots'> {
  return { deviceId: id, poolIds, labels, bots };
}

function comes(automation: NamedAutomation): FleetReason {
  const { names } = automation;
  const queue = names?.queue === undefined ? '' : ` of the queue "${names.queue}"`;
  const of = names ? `${queue}, by the automation "${names.automation}"` : '';
  return { code: 'NEXT', sentence: `It gets the next item${of}.`, facts: factsOfAutomation(automation) };
}

function titleOf({ names }: NamedAutomation): string {
  return names ? `The automation "${names.automation}"` : 'An automation that you may not see';
}

function factsOfAutomation({ id, queueId, names }: NamedAutomation): Record<string, unknown> {
  if (!names) return {};
  return { automationId: id, automationName: names.automation, queueId, queueName: names.queue };
}

/** The verdicts on the devices of an automation's pool, first those that would take its next item. */
export function judgeDevices(
  automation: NamedAutomation,
  devices: readonly DeviceFacts[],
  facts: FleetFacts,
): Schemas['DeviceVerdict'][] {
  const tried = withOneItem(automation, facts);
  const verdicts = devices.map((device) => {
    const { code, sentence } = judge(automation, device, tried);
    return { deviceId: device.id, deviceName: device.name, code, sentence: capital(sentence) };
  });
  return verdicts.toSorted((one, other) => Number(other.code === 'NEXT') - Number(one.code === 'NEXT'));
}

/** The facts as if the queue of the automation had at least one waiting item. */
function withOneItem({ id }: NamedAutomation, facts: FleetFacts): FleetFacts {
  const { candidates } = facts;
  const automations = candidates.automations.map((one) =>
    one.id === id ? { ...one, claimable: Math.max(1, one.claimable) } : one,
  );
  return { ...facts, candidates: { ...candidates, automations } };
}

function judge(automation: NamedAutomation, device: DeviceFacts, facts: FleetFacts): FleetReason {
  const hindrance = mismatch(device, automation) ?? deviceHindrance(device);
  if (hindrance) return hindrance;
  const next = nextFor(device, facts);
  if (next?.id === automation.id) return { code: 'NEXT', sentence: 'It would take the next item.' };
  if (!next) return { code: 'FREE', sentence: 'It is free, and waits for the automation.' };
  const which = next.names ? `of the automation "${next.names.automation}"` : 'of another automation';
  return { code: 'OTHER_FIRST', sentence: `Its next item is one ${which}, by the scheme of the pool.` };
}

/** Whether an automation has items to give, and the devices that would take them. */
function explainAutomationFacts(
  automation: NamedAutomation,
  verdicts: readonly Schemas['DeviceVerdict'][],
  facts: FleetFacts,
): FleetReason[] {
  const { takenUserIds } = facts.candidates;
  const takers = verdicts.filter(({ code }) => code === 'NEXT').map(({ deviceName }) => `"${deviceName}"`);
  const none: FleetReason[] = takers.length > 0 ? [] : [noDevice(verdicts.length)];
  const hindrance =
    isOpen(automation, takenUserIds) && automation.isQueueActive
      ? undefined
      : automationHindrance(automation, takenUserIds);
  if (hindrance) return [{ ...hindrance, sentence: capital(hindrance.sentence) }, ...none];
  if (takers.length === 0) return none;
  const who = takers.length === 1 ? 'The device' : 'Whichever asks first of the devices';
  return [{ code: 'NEXT', sentence: `${who} ${listed(takers)} takes the next item.` }];
}

function noDevice(devices: number): FleetReason {
  if (devices === 0)
    return { code: 'NO_DEVICE', sentence: 'There is no device in its pool. Put one into it.' };
  const all = devices === 1 ? 'The only device of its pool' : `None of the ${devices} devices of its pool`;
  return {
    code: 'NO_DEVICE',
    sentence: `${all} would ${devices === 1 ? 'not ' : ''}take the next item now.`,
  };
}

function capital(sentence: string): string {
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}
