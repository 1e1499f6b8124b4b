import type { Id } from '@millrace/api';
import type { Colors } from '../../stage.ts';
import { drawTable } from '../../table.ts';
import type { History, Stint } from './history.ts';
import { busyShare, inUseUntil } from './measures.ts';

/** The content of the panel, besides the events. */
export interface PanelParts {
  /** Names of devices and queues, in the order in which they are shown. */
  readonly devices: ReadonlyMap<string, Id>;
  readonly queues: ReadonlyMap<string, Id>;
  /** Devices that were killed, and when. */
  readonly killed: ReadonlyMap<Id, number>;
  readonly colors: Colors;
}

/** The numbers of a queue's items by state. */
export interface QueueCounts {
  readonly waiting: number;
  readonly running: number;
  readonly done: number;
  readonly failed: number;
}

const barLength = 20;

/** The work of each device, and the progress of the queues. */
export function drawPanel(history: History, parts: PanelParts, now: number): string {
  const { colors, queues } = parts;
  const head = (...titles: string[]) => titles.map((title) => colors.dim(title));
  const devices = [...parts.devices].map(([name, id]) => deviceRow(history, parts, { name, id, now }));
  const counts = [...queues].map(([name, id]) => queueRow(name, countsOf(history, id), colors));
  const tables = [
    drawTable(devices, head('DEVICE', 'RUNS', 'FOR', 'ITEMS', 'BUSY')),
    drawTable(counts, head('QUEUE', 'WAITING', 'RUNNING', 'DONE', 'FAILED', '')),
  ];
  return indent(tables.join('\n'));
}

/** The same in one line, for outputs where nothing can move. */
export function panelLine(history: History, { queues }: PanelParts, seconds: number): string {
  const all = [...queues].map(([name, id]) => ({ name, ...countsOf(history, id) }));
  const running = all.filter((one) => one.running > 0).map((one) => `${one.name} ${one.running}`);
  const total = (member: keyof QueueCounts) => all.reduce((sum, one) => sum + one[member], 0);
  return (
    `   [${seconds} s] ${total('waiting')} waiting, ${total('done')} done, ${total('failed')} failed, ` +
    `running: ${running.join(', ') || 'nothing'}`
  );
}

export function countsOf({ waits, stints }: History, queueId: Id): QueueCounts {
  const own = stints.filter((stint) => stint.queueId === queueId);
  return {
    waiting: waits.filter((wait) => wait.queueId === queueId && wait.to === undefined).length,
    running: own.filter(({ to }) => to === undefined).length,
    done: own.filter(({ outcome }) => outcome === 'COMPLETE').length,
    failed: own.filter(({ outcome }) => outcome === 'FAILED').length,
  };
}

function deviceRow(
  history: History,
  { queues, killed, colors }: PanelParts,
  { name, id, now }: { name: string; id: Id; now: number },
): string[] {
  const stints = history.stints.filter((stint) => stint.deviceId === id);
  const current = stints.find(({ to }) => to === undefined);
  const ended = stints.filter(({ outcome }) => outcome === 'COMPLETE' || outcome === 'FAILED').length;
  const [queueName = ''] = [...queues].find(([, queueId]) => queueId === current?.queueId) ?? [];
  const share = busyShare(history, id, inUseUntil(history, killed, id, now));
  return [
    name,
    (killed.has(id) ? colors.red('killed') : stateOf(history, id, colors)) ??
      (current ? workOf(queueName, current, colors) : colors.dim('idle')),
    current && !killed.has(id) ? `${((now - current.from) / 1000).toFixed(1)} s` : '',
    String(ended),
    `${Math.round(share * 100)} %`,
  ];
}

function stateOf({ quarantines }: History, id: Id, colors: Colors): string | undefined {
  return quarantines.some(({ deviceId }) => deviceId === id) ? colors.yellow('quarantined') : undefined;
}

function workOf(queue: string, { itemId, pointOfNoReturnOn }: Stint, colors: Colors): string {
  const mark = pointOfNoReturnOn === undefined ? '' : colors.yellow('  no way back');
  return `${colors.cyan(queue)} ${String(itemId)}${mark}`;
}

function queueRow(name: string, counts: QueueCounts, colors: Colors): string[] {
  const { waiting, running, done, failed } = counts;
  const all = waiting + running + done + failed;
  const full = all === 0 ? 0 : Math.round((barLength * (done + failed)) / all);
  const bar = colors.green('█'.repeat(full)) + colors.dim('░'.repeat(barLength - full));
  return [name, ...[waiting, running, done, failed].map(String), bar];
}

function indent(text: string): string {
  return text.replaceAll(/^(?=.)/gm, '   ');
}
