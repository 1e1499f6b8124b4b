import { stringifyJson, type OperationId, type Schemas } from '@millrace/api';
import { isRecord } from './body.ts';
import { cellsOf, fieldsOf, listsIn } from './cells.ts';
import { columnsOf, columnsWithin } from './columns.ts';
import { drawColumns, drawTable, fitting } from './table.ts';
import { oneLine, type Terminal } from './terminal.ts';

type Row = Readonly<Record<string, unknown>>;

/** An answer of the server, and the operation it belongs to. */
export interface Answer {
  readonly operationId: OperationId;
  readonly value: unknown;
  /** Its description in the contract, for answers without a body. */
  readonly description: string;
}

/** Writes an answer: as JSON on one line, with all digits of every number; or for people, as tables and fields. */
export function printAnswer(
  terminal: Terminal,
  { operationId, value, description }: Answer,
  asJson: boolean,
): void {
  if (value === undefined) return terminal.say(`${description}.`);
  if (asJson) return terminal.out(stringifyJson(value));
  if (!isRecord(value)) return terminal.out(oneLine(stringifyJson(value)));
  if (operationId.startsWith('explain'))
    return printExplanation(terminal, value as unknown as Schemas['Explanation']);
  if (typeof value['sentence'] === 'string') return printSaid(terminal, value);
  const { list, page, ...record } = value;
  if (!Array.isArray(list)) return printRecord(terminal, value);
  if (fieldsOf(record).length > 0) {
    printFields(terminal, record);
    terminal.out('');
  }
  printList(terminal, operationId, list as Row[]);
  printLists(terminal, record);
  sayRest(terminal, page, list.length);
}

/** Writes the sentence, which is that of the first reason, and then the further reasons. */
function printExplanation(terminal: Terminal, explanation: Schemas['Explanation']): void {
  const { sentence, reasons, ...record } = explanation;
  terminal.out(oneLine(sentence));
  printRecord(terminal, { ...record, 'further reasons': reasons.slice(1) });
}

/** Writes the sentence of an answer, and then what it rests on. */
function printSaid(terminal: Terminal, { sentence, ...record }: Row): void {
  terminal.out(oneLine(String(sentence)));
  printRecord(terminal, record);
}

/** Writes a record as lines of name and value, and each list in it as a table. */
function printRecord(terminal: Terminal, record: Row): void {
  printFields(terminal, record);
  printLists(terminal, record);
}

/** Writes the members of a record that are no lists, as lines of name and value. */
export function printFields(terminal: Terminal, record: Row): void {
  const { dim } = terminal.outColors;
  const fields = fieldsOf(record).map(([name, text]) => [dim(oneLine(name)), text]);
  if (fields.length > 0) terminal.out(drawTable(fields));
}

function printLists(terminal: Terminal, record: Row): void {
  const { bold } = terminal.outColors;
  for (const [name, rows] of listsIn(record)) {
    // A list within one thing is shown whole, without cuts.
    const table = drawColumns(cellsOf(columnsWithin(name), rows), (head) => bold(oneLine(head)));
    terminal.out(`\n${bold(oneLine(name))}\n${table}`);
  }
}

/** The number of refused parts of a call: some operations answer an outcome for each input, or a count. */
export function refusalsIn(value: unknown): number {
  if (isRecord(value) && typeof value['refused'] === 'number') return value['refused'];
  const list = isRecord(value) && Array.isArray(value['list']) ? (value['list'] as unknown[]) : [];
  return list.filter((row) => isRecord(row) && isRecord(row['error'])).length;
}

/** The number of rows of a file that did not fit; 0 of an answer that is about no file. */
export function rejectedIn(value: unknown): number {
  return isRecord(value) && typeof value['rejected'] === 'number' ? value['rejected'] : 0;
}

function printList(terminal: Terminal, operationId: OperationId, list: readonly Row[]): void {
  if (list.length === 0) return terminal.say('Nothing found.');
  const columns = cellsOf(columnsOf(operationId), list);
  const shown = fitting(columns, terminal.width);
  terminal.out(drawColumns(shown, (head) => terminal.outColors.bold(oneLine(head))));
  const hidden = columns.length - shown.length;
  const are = hidden === 1 ? 'column does' : 'columns do';
  if (hidden > 0) terminal.say(`${String(hidden)} more ${are} not fit; --json shows everything.`);
}

function sayRest(terminal: Terminal, page: unknown, shown: number): void {
  if (!isRecord(page)) return;
  const { next, totalFilter, lookedAt } = page;
  const end = Number(page['offset']) + shown;
  const about = page['isEstimated'] === true ? 'about ' : '';
  if (page['isPartial'] === true)
    terminal.say(
      `Looked at ${String(lookedAt)} items so far; --after ${String(next)} looks at those that follow.`,
    );
  else if (end < Number(totalFilter) && shown > 0)
    terminal.say(
      `${String(shown)} of ${about}${String(totalFilter)}; --offset ${String(end)} shows what follows.`,
    );
  else if (typeof next === 'string') terminal.say(`More follow; --after ${next} shows them.`);
}
