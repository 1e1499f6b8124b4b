import type { Automation, Candidates, Grant, Offer, Pool } from './rules.ts';

export const noon = new Date('2026-03-02T12:00:00Z');

export const later = (seconds: number) => new Date(noon.getTime() + seconds * 1000);

/** A device of pool 1 with one slot, able to run the bot of all automations. */
export function offer(more: Partial<Offer> = {}): Offer {
  return { deviceId: 1, poolIds: [1], labels: [], bots: ['bot'], slots: 1, ...more };
}

export function pool(more: Partial<Pool> = {}): Pool {
  return { id: 1, scheme: 'FAIR', timeSliceSeconds: 60, virtualTime: 0, ...more };
}

/** An automation of pool 1 whose queue holds much work, on which any number of devices may work. */
export function automation(id: number, more: Partial<Automation> = {}): Automation {
  return {
    id,
    poolId: 1,
    queueId: 100 + id,
    botName: 'bot',
    labels: [],
    priority: 4,
    weight: 1,
    virtualTime: 0,
    runAsUserIds: [],
    running: 0,
    claimable: 1000,
    reactivation: { unit: 'PERCENT', threshold: 100, waiting: 1000, started: 0 },
    ...more,
  };
}

export function candidates(automations: readonly Automation[], more: Partial<Candidates> = {}): Candidates {
  return { now: noon, pools: [pool()], automations, takenUserIds: new Set(), ...more };
}

/** The ids of the automations with grants, in order. */
export const automationIds = (grants: readonly Grant[]) => grants.map(({ automation: { id } }) => Number(id));

/** The candidates after items of these automations have ended. */
export function ended(from: Candidates, ids: readonly number[]): Candidates {
  const over = (id: number) => ids.filter((one) => one === id).length;
  return {
    ...from,
    automations: from.automations.map((one) => ({ ...one, running: one.running - over(Number(one.id)) })),
  };
}
