import { stringifyJson } from '@millrace/api';
import type { Event } from './rules.ts';

const columns = [
  'on',
  'operation',
  'actorId',
  'actorName',
  'queueId',
  'queueName',
  'itemId',
  'deviceId',
  'from',
  'to',
  'reason',
  'changes',
  'batchId',
  'cursor',
] as const satisfies readonly (keyof Event)[];

export const csvHead = `${columns.join(',')}\r\n`;

/** An event as a line of CSV. Texts that a spreadsheet would run as a formula are made harmless. */
export function csvLine(event: Event): string {
  const cells = columns.map((name) => {
    const value = event[name];
    if (value === undefined) return '';
    if (typeof value === 'object') return quoted(stringifyJson(value));
    return typeof value === 'string' ? quoted(harmless(value)) : String(value);
  });
  return `${cells.join(',')}\r\n`;
}

/** By the same rule as in the server's exports. */
function harmless(text: string): string {
  return /^'*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/.test(text) ? `'${text}` : text;
}

function quoted(text: string): string {
  return /[",;\t|\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
