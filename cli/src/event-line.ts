import { stringifyJson, type Schemas } from '@millrace/api';
import { oneLine, type Terminal } from './terminal.ts';

type Event = Schemas['Event'];
type Colors = Terminal['outColors'];

const colorOf: Readonly<Record<string, 'green' | 'red' | 'yellow' | 'cyan'>> = {
  COMPLETE: 'green',
  FAILED: 'red',
  DEFERRED: 'yellow',
  IN_PROGRESS: 'cyan',
};

// Wide enough for most operations and subjects, so that the rest lines up.
const operationWidth = 22;
const subjectWidth = 18;

/** An event as one line for people: when, what, to whom, by whom, and why. */
export function eventLine(event: Event, colors: Colors): string {
  const { on, operation, reason, changes } = event;
  const parts = [
    colors.dim(on),
    colors.bold(oneLine(operation).padEnd(operationWidth)),
    oneLine(subjectOf(event)).padEnd(subjectWidth),
    statusOf(event, colors),
    oneLine(actorOf(event)),
    reason === undefined ? '' : colors.yellow(oneLine(reason)),
    changes === undefined ? '' : colors.dim(oneLine(stringifyJson(changes))),
  ];
  return parts.filter(Boolean).join('  ');
}

function subjectOf({ queueId, queueName, itemId, batchId, deviceId }: Event): string {
  if (queueId === undefined) return deviceId === undefined ? '-' : `device ${String(deviceId)}`;
  const queue = queueName ?? `queue ${String(queueId)}`;
  if (itemId !== undefined) return `${queue} #${String(itemId)}`;
  return batchId === undefined ? queue : `${queue} batch ${String(batchId)}`;
}

function statusOf({ from, to, itemId }: Event, colors: Colors): string {
  if (itemId === undefined || (from === undefined && to === undefined)) return '';
  const colored = (status: string) => colors[colorOf[status] ?? 'reset'](status);
  if (from === to) return colored(String(to));
  const steps = [from === undefined ? [] : [colored(from)], '→', to === undefined ? 'gone' : colored(to)];
  return steps.flat().join(' ');
}

function actorOf({ actorId, actorName, queueId, deviceId }: Event): string {
  const name = actorName ?? (Number(actorId) === 0 ? 'Millrace' : `user ${String(actorId)}`);
  return deviceId === undefined || queueId === undefined
    ? `by ${name}`
    : `by ${name} on device ${String(deviceId)}`;
}
