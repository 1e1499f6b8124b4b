import type { Schemas } from '@millrace/api';
import { defused } from '../../records/formula.rules.ts';
import { wallTime } from '../../records/zone.rules.ts';
import type { Cell } from './columns.rules.ts';

interface Writing extends Pick<Schemas['ExportRequest'], 'delimiter' | 'timeZone'> {
  readonly decimalSign?: 'POINT' | 'COMMA' | undefined;
}

const delimiters = { COMMA: ',', SEMICOLON: ';', TAB: '\t', PIPE: '|' } as const;

/** A row of CSV with its line break. */
export function csvLine(cells: readonly Cell[], writing: Writing): string {
  const delimiter = delimiters[writing.delimiter ?? 'COMMA'];
  return `${cells.map((cell) => csvCell(cell, delimiter, writing)).join(delimiter)}\r\n`;
}

function csvCell(cell: Cell, delimiter: string, { decimalSign, timeZone }: Writing): string {
  if (cell === undefined) return '';
  if (typeof cell === 'string') return isPlain.test(cell) ? defused(cell) : quoted(defused(cell));
  if (typeof cell === 'boolean') return String(cell);
  if ('on' in cell) return timeZone === undefined ? cell.on : inZone(cell.on, timeZone);
  const number = decimalSign === 'COMMA' ? cell.number.replace('.', ',') : cell.number;
  return number.includes(delimiter) ? quoted(number) : number;
}

// A text with another delimiter is quoted as well, so that a program which guesses the delimiter does not take that one.
const isPlain = /^(?!\s)[^",;\t|\r\n]*(?<!\s)$/;

const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;

/** An instant with the time and offset of a zone; a day is the same everywhere. */
function inZone(on: string, timeZone: string): string {
  if (!on.includes('T')) return on;
  const { day, time, offset } = wallTime(timeZone, Date.parse(on));
  return `${day}T${time}${offset}`;
}
