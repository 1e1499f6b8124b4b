import type { DeviceState, RunnerEvent, Summary } from './events.ts';
import type { Report } from './item.ts';
import { cleanText } from './report.ts';

type Type = RunnerEvent['type'];
type Lines = { readonly [T in Type]: (event: Extract<RunnerEvent, { type: T }>) => string | undefined };

const lines: Lines = {
  connected: ({ queue }) => `takes items from the queue ${queue}`,
  registered: ({ hostName, deviceId, slots, bots }) =>
    `device ${hostName} (${String(deviceId)}), ${String(slots)} slots, runs ${bots.join(', ') || 'nothing'}`,
  deviceState: ({ state, reason }) =>
    `the device is ${state}: it ${meanings[state]}${reason === undefined ? '' : ` (${reason})`}`,
  claimed: () => undefined,
  progress: () => undefined,
  log: ({ id, text }) => `item ${String(id)}: ${text}`,
  note: ({ text }) => text,
  finished: ({ report, logTail }) => describeFailure(report, logTail),
  reported: () => undefined,
  reportRefused: ({ report, code, message }) =>
    `item ${String(report.id)}: the report was refused: ${code}: ${message}`,
  leaseLost: ({ id, message }) => `item ${String(id)}: taken away: ${message}`,
  cancelled: ({ id, message }) => `item ${String(id)}: ${message}`,
  unreported: ({ report }) =>
    `item ${String(report.id)}: has ended, but the server could not be told; it comes back when its lease expires`,
  retrying: ({ call, message, seconds }) => `${call}: ${message} Trying again in ${seconds.toFixed(1)} s.`,
  draining: ({ running, reports }) =>
    `stops: ${String(running)} items still running, ${String(reports)} reports to send`,
  stopped: ({ summary }) => `stopped: ${describeSummary(summary)}`,
};

const meanings: Readonly<Record<DeviceState, string>> = {
  ACTIVE: 'takes work',
  DRAINING: 'takes no more work',
  QUARANTINED: 'takes no work, and what it had is taken back',
};

/** A line for a log, or nothing for events that are only worth drawing. */
export function describeEvent(event: RunnerEvent): string | undefined {
  const describe = lines[event.type] as (event: RunnerEvent) => string | undefined;
  return describe(event);
}

function describeFailure(
  { id, status, failureKind, error = '', reason }: Report,
  logTail: string,
): string | undefined {
  if (status === 'NEW') return `item ${String(id)}: given back: ${reason ?? ''}`;
  if (status !== 'FAILED') return undefined;
  const failed = `item ${String(id)}: ${failureKind === 'BUSINESS' ? 'business' : 'technical'} failure`;
  const news = withoutLogged(error, logTail);
  return news === '' ? failed : `${failed}: ${news}`;
}

/** An error without the lines at its end that a person has just read as the log of the item. */
function withoutLogged(error: string, logTail: string): string {
  const logged = `\n${cleanText(logTail, logTail.length).trimEnd()}`;
  const parts = error.split('\n');
  const from = parts.findIndex((_, index) => logged.endsWith(`\n${parts.slice(index).join('\n')}`));
  return from === -1 ? error : parts.slice(0, from).join('\n');
}

function describeSummary(summary: Summary): string {
  const parts = Object.entries(summary).filter(([, items]) => Number(items) > 0);
  return parts.map(([name, items]) => `${name} ${String(items)}`).join(', ') || 'nothing was done';
}
