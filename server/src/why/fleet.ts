import type { Id, Schemas } from '@millrace/api';
import { seenBy } from '../access/members/membership.ts';
import { foresee, type Foresight } from '../dispatch/candidates.ts';
import { sql } from '../engine/db.ts';
import type { Context, PlainOperation } from '../engine/operation.ts';
import { findAutomation, inScope, scopeOf } from '../fleet/automations/automations.ts';
import { findDevice } from '../fleet/devices/find.ts';
import type { DeviceFacts } from './facts.ts';
import {
  explainAutomationFacts,
  explainDeviceFacts,
  judgeDevices,
  type AutomationNames,
  type FleetFacts,
  type FleetReason,
  type NamedAutomation,
} from './fleet.rules.ts';
import { because } from './words.ts';
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
