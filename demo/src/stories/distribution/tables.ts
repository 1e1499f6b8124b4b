import { drawTable } from '../../table.ts';
import type { Outcome, QueueOutcome } from './outcome.ts';

/** The outcome, as tables for people. */
export function drawOutcome(outcome: Outcome): string {
  const { settled } = outcome;
  const unresolved = settled.map((one) => [
    `${one.queue} ${one.itemId}`,
    one.device,
    one.became ?? '',
    one.note,
  ]);
  const tables = [
    drawQueues(outcome.queues),
    drawTable(
      outcome.devices.map(({ name, items, busy }) => [name, String(items), percent(busy)]),
      ['DEVICE', 'ITEMS', 'BUSY'],
    ),
    ...(unresolved.length > 0 ? [drawTable(unresolved, ['IN DOUBT', 'DEVICE', 'BECAME', 'BECAUSE'])] : []),
    drawTable(sums(outcome)),
  ];
  return tables.join('\n\n');
}

function drawQueues(queues: readonly QueueOutcome[]): string {
  const kinds = [...new Set(queues.flatMap(({ failed }) => Object.keys(failed)))].toSorted();
  const rows = queues.map(({ name, items, done, failed, retried, share }) => [
    name,
    String(items),
    String(done),
    ...kinds.map((kind) => String(failed[kind] ?? 0)),
    String(retried),
    share ? percent(share.got) : '',
    share ? percent(share.due) : '',
  ]);
  return drawTable(rows, ['QUEUE', 'ITEMS', 'DONE', ...kinds, 'RETRIED', 'SHARE', 'DUE']);
}

function sums({ seconds, contestedSeconds, longestIdleSeconds, lost, doneTwice }: Outcome): string[][] {
  return [
    ['from the first item to the last', `${seconds.toFixed(1)} s`],
    ['all queues of the office had work (SHARE, DUE)', `${contestedSeconds.toFixed(1)} s`],
    ['longest a free device of the office waited for work', `${longestIdleSeconds.toFixed(2)} s`],
    ['done twice', String(doneTwice.length)],
    ['lost', String(lost.length)],
  ];
}

export function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
