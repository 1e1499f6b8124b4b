import type { Schemas } from '@millrace/api';

/** A reason about a queue, an item, a device or an automation. */
export interface Reason {
  readonly code: Schemas['Reason']['code'] | Schemas['FleetReason']['code'];
  readonly sentence: string;
  readonly facts?: Readonly<Record<string, unknown>>;
}

/** The act that a reason calls for: a look at items, having the queue go on, or work on the page of the thing that holds them up. */
export type Remedy =
  | { readonly is: 'items'; readonly queueId: string; readonly q: string }
  | { readonly is: 'resume'; readonly queueId: string }
  | {
      readonly is: 'automation' | 'device' | 'devices' | 'pool' | 'automations' | 'settings' | 'members';
      readonly path: string;
    };

const filters: Partial<Record<Reason['code'], string>> = {
  BACK_OFF: 'notBefore>now',
  DEFERRED: 'status:DEFERRED',
  FAILED: 'status:FAILED',
  EXPIRED: 'kind:EXPIRED',
  IN_DOUBT: 'kind:IN_DOUBT',
  SLOTS_BUSY: 'status:IN_PROGRESS',
  WORKING: 'status:IN_PROGRESS',
};

const aboutAutomation: ReadonlySet<Reason['code']> = new Set([
  'AUTOMATION_STOPPED',
  'AUTOMATION_PAUSED',
  'RUN_AS_USERS_DISABLED',
  'RUN_AS_USERS_TAKEN',
]);

const aboutDevices: ReadonlySet<Reason['code']> = new Set([
  'NO_DEVICE_CONNECTED',
  'NO_DEVICE_WITH_LABELS',
  'NO_DEVICE_WITH_BOT',
  'DEVICES_HELD',
]);

/** The tab of the queue where its own settings keep its items back. */
const tabs: Partial<Record<Reason['code'], 'settings' | 'members'>> = {
  QUEUE_ARCHIVED: 'settings',
  THRESHOLD: 'settings',
  MISSING_PERMISSION: 'members',
};

/**
 * The remedy for a reason; undefined where there is none.
 * @param queueId the queue that the reason is about, where its facts do not name it
 */
export function remedyFor(reason: Reason, queueId = textOf(reason.facts?.['queueId'])): Remedy | undefined {
  return queueId === ''
    ? remedyElsewhere(reason)
    : (remedyInQueue(reason, queueId) ?? remedyElsewhere(reason));
}

function remedyInQueue({ code }: Reason, queueId: string): Remedy | undefined {
  const [q, tab] = [filters[code], tabs[code]];
  if (q !== undefined) return { is: 'items', queueId, q };
  if (code === 'QUEUE_PAUSED') return { is: 'resume', queueId };
  return tab && { is: tab, path: `/queues/${queueId}/${tab}` };
}

function remedyElsewhere({ code, facts = {} }: Reason): Remedy | undefined {
  if (aboutAutomation.has(code))
    return { is: 'automation', path: `/automations/${textOf(facts['automationId'])}` };
  if (code === 'NO_AUTOMATION') return { is: 'automations', path: '/automations' };
  if (code === 'NO_DEVICE') return { is: 'pool', path: `/pools/${textOf(facts['poolId'])}` };
  return aboutDevices.has(code) ? devicesOf(facts['deviceIds']) : undefined;
}

function devicesOf(ids: unknown): Remedy {
  const [first, ...others] = Array.isArray(ids) ? (ids as unknown[]) : [];
  if (first === undefined || others.length > 0) return { is: 'devices', path: '/devices' };
  return { is: 'device', path: `/devices/${textOf(first)}` };
}

const rooms: Record<string, string> = {
  queueId: 'queues',
  automationId: 'automations',
  poolId: 'pools',
  deviceId: 'devices',
  deviceIds: 'devices',
  disconnectedDeviceIds: 'devices',
  heldDeviceIds: 'devices',
};

/** The pages of the things that a fact names by id. */
export function linksIn(name: string, value: unknown): { readonly id: string; readonly path: string }[] {
  const room = rooms[name];
  if (room === undefined) return [];
  const ids: unknown[] = Array.isArray(value) ? value : [value];
  return ids.map((id) => ({ id: textOf(id), path: `/${room}/${textOf(id)}` }));
}

function textOf(id: unknown): string {
  return typeof id === 'number' || typeof id === 'bigint' ? String(id) : '';
}
