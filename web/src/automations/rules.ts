import type { Schemas } from '@millrace/api';

/** How many devices of its pool could do the work of an automation, by bot and labels, whatever they do now. */
export function suitedOf(
  { poolId, botName, labels }: Schemas['Automation'],
  devices: readonly Schemas['Device'][],
): { readonly inPool: number; readonly suited: number } {
  const own = devices.filter(({ poolIds }) => poolId !== undefined && poolIds.includes(poolId));
  const suits = (device: Schemas['Device']) =>
    device.bots.some((bot) => bot === botName) && labels.every((label) => device.labels.includes(label));
  return { inPool: own.length, suited: own.filter(suits).length };
}
