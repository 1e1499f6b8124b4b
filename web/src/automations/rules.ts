import { toId, type Schemas } from '@millrace/api';
import { changesBetween } from '../dialogs/changes.ts';
import { partsOf } from '../page/lists.ts';

type Automation = Schemas['Automation'];
type Device = Schemas['Device'];

/** The devices in its pool that could do the work of an automation, by bot and labels, whatever they do now. */
export function suitedOf(
  { poolId, botName, labels = [] }: Partial<Pick<Automation, 'poolId' | 'botName' | 'labels'>>,
  devices: readonly Device[],
): { readonly inPool: number; readonly suited: number } {
  const own = devices.filter(({ poolIds }) => poolId !== undefined && poolIds.includes(poolId));
  const suits = (device: Device) =>
    device.bots.some((bot) => bot === botName) && labels.every((label) => device.labels.includes(label));
  return { inPool: own.length, suited: own.filter(suits).length };
}

/** An automation while somebody writes it: ids and numbers as texts, labels with commas between. */
export interface Draft {
  readonly name: string;
  readonly description: string;
  readonly queueId: string;
  readonly poolId: string;
  readonly botName: string;
  readonly labels: string;
  readonly priority: string;
  readonly weight: string;
  readonly runAs: readonly string[];
}

const fresh = {
  name: '',
  description: '',
  botName: '',
  labels: [],
  priority: 4,
  weight: 1,
  runAsUserIds: [],
};

/** The draft of an automation; without one, of a new automation. */
export function draftOf(automation: Partial<Automation> = {}): Draft {
  const { name, description, botName, labels, priority, weight, runAsUserIds } = { ...fresh, ...automation };
  return {
    name,
    description,
    queueId: String(automation.queueId ?? ''),
    poolId: String(automation.poolId ?? ''),
    botName,
    labels: labels.join(', '),
    priority: String(priority),
    weight: String(weight),
    runAs: runAsUserIds.map(String),
  };
}

type Settings = Omit<Schemas['NewAutomation'], 'status'>;

/** The lists of drafts and settings that have no order. */
export const sets = { runAs: 'set', runAsUserIds: 'set' } as const;

/** The settings of a draft, as in the contract. */
export function settingsOf(draft: Draft): Settings {
  return {
    name: draft.name.trim(),
    description: draft.description,
    queueId: toId(draft.queueId || '0'),
    poolId: toId(draft.poolId || '0'),
    botName: draft.botName.trim(),
    labels: partsOf(draft.labels),
    priority: Number(draft.priority),
    weight: Number(draft.weight),
    runAsUserIds: draft.runAs.map((id) => toId(id)),
  };
}

/** The settings that a draft changes. The queue is never among them: an automation stays with it. */
export function changesIn(automation: Automation, draft: Draft): Partial<Settings> {
  const [before, after] = [settingsOf(draftOf(automation)), settingsOf(draft)];
  return Object.fromEntries(changesBetween(before, after, sets).map((one) => [one.name, one.after]));
}

/** Whether all required settings are filled in. */
export function isWhole({ name, queueId, poolId, botName, priority, weight }: Draft): boolean {
  return [name, queueId, poolId, botName, priority, weight].every((one) => one.trim() !== '');
}

/** The bots on the devices of a pool, each once. */
export function botsIn(poolId: string, devices: readonly Device[]): string[] {
  const own = devices.filter(({ poolIds }) => poolIds.some((id) => String(id) === poolId));
  return [...new Set(own.flatMap(({ bots }) => bots))].toSorted();
}
