import { stringifyJson, type OperationId } from '@millrace/api';
import { isRecord } from './body.ts';
import { cellsOf, fieldsOf, listsIn } from './cells.ts';
import { columnsOf, columnsWithin } from './columns.ts';
import { drawColumns, drawTable, fitting } from './table.ts';
import { oneLine, type Terminal } from './terminal.ts';

type Row = Readonly<Record<string, unknown>>;

/** An answer of the server, with what it is. */
export interface Answer {
  readonly operationId: OperationId;
  readonly value: unknown;
  /** What the contract says about it, for answers without a body. */
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

/** Writes a record as lines of name and value, and each list in it as a table. */
function printRecord(terminal: Terminal, record: Row): void {
  printFields(terminal, record);
  printLists(terminal, record);
}

/** Writes what is no list in a record, as lines of name and value. */
export function printFields(terminal: Terminal, record: Row): void {
  const { dim } = terminal.outColors;
  const fields = fieldsOf(record).map(([name, text]) => [dim(oneLine(name)), text]);
  if (fields.length > 0) terminal.out(drawTable(fields));
}

function printLists(terminal: Terminal, record: Row): void {
  const { bold } = terminal.outColors;
  for (const [name, rows] of listsIn(record)) {
    // Whoever looks at one thing wants all of it: nothing is cut.
    const table = drawColumns(cellsOf(columnsWithin(name), rows), (head) => bold(oneLine(head)));
    terminal.out(`\n${bold(oneLine(name))}\n${table}`);
  }
}

/** How many parts of the call were refused: some operations answer one outcome for each input, or count. */
export function refusalsIn(value: unknown): number {
  if (isRecord(value) && typeof value['refused'] === 'number') return value['refused'];
  const list = isRecord(value) && Array.isArray(value['list']) ? (value['list'] as unknown[]) : [];
  return list.filter((row) => isRecord(row) && isRecord(row['error'])).length;
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
  const end = Number(page['offset']) + shown;
  const found = Number(page['totalFilter']);
  if (end < found && shown > 0)
    terminal.say(`${String(shown)} of ${String(found)}; --offset ${String(end)} shows what follows.`);
}
