import type { Id, Schemas } from '@millrace/api';
import { drawTable } from '../../table.ts';

type ItemEvent = Schemas['WorkItemEvent'];

/** The history of an item: a line for each event, and one for its reason. */
export function drawTimeline(events: readonly ItemEvent[], devices: ReadonlyMap<string, Id>): string {
  const rows = events.map(({ on, operation, from, to, deviceId }) => [
    clockOf(on),
    operation,
    statusesOf(from, to),
    nameOf(devices, deviceId),
  ]);
  const lines = drawTable(rows).split('\n');
  const reasons = events.map(({ reason }) => (reason ? `\n${' '.repeat(14)}${reason}` : ''));
  return lines.map((line, index) => line + (reasons[index] ?? '')).join('\n');
}

/** The time of an instant, to the millisecond, in the time zone in which the server answers. */
function clockOf(on: string): string {
  return on.slice(11, 23);
}

function statusesOf(from: ItemEvent['from'], to: ItemEvent['to']): string {
  if (from === to) return from ?? '';
  return [from ?? '', to ?? 'gone'].filter(Boolean).join(' → ');
}

function nameOf(devices: ReadonlyMap<string, Id>, id: Id | undefined): string {
  return [...devices].find(([, deviceId]) => deviceId === id)?.[0] ?? '';
}
