import { stringifyJson, type OperationId } from '@millrace/api';
import { isRecord } from './body.ts';
import { cellsOf, fieldsOf } from './columns.ts';
import { drawTable } from './table.ts';
import { oneLine, type Terminal } from './terminal.ts';

type Row = Readonly<Record<string, unknown>>;

/** An answer of the server, with what it is. */
export interface Answer {
  readonly operationId: OperationId;
  readonly value: unknown;
  /** What the contract says about it, for answers without a body. */
  readonly description: string;
}

/** Writes an answer: as JSON on one line, with all digits of every number; or for people, as a table or as fields. */
export function printAnswer(
  terminal: Terminal,
  { operationId, value, description }: Answer,
  asJson: boolean,
): void {
  if (value === undefined) return terminal.say(`${description}.`);
  if (asJson) return terminal.out(stringifyJson(value));
  if (!isRecord(value)) return terminal.out(oneLine(stringifyJson(value)));
  const { list, refusals, ...counts } = value;
  if (Array.isArray(refusals)) return printBulk(terminal, operationId, counts, refusals as Row[]);
  if (!Array.isArray(list)) return printFields(terminal, value);
  printTable(terminal, operationId, list as Row[]);
  sayRest(terminal, value, list.length);
}

/** What was done to many items: how many, and then those that were refused. */
function printBulk(
  terminal: Terminal,
  operationId: OperationId,
  counts: Row,
  refusals: readonly Row[],
): void {
  printFields(terminal, counts);
  if (refusals.length === 0) return;
  terminal.out('');
  printTable(terminal, operationId, refusals);
}

/** Writes a record as lines of name and value. */
export function printFields(terminal: Terminal, record: Row): void {
  const { dim } = terminal.outColors;
  const fields = fieldsOf(record).map(([name, text]) => [dim(oneLine(name)), text]);
  if (fields.length > 0) terminal.out(drawTable(fields));
}

/** How many parts of the call were refused: some operations answer one outcome for each input, or count. */
export function refusalsIn(value: unknown): number {
  if (isRecord(value) && typeof value['refused'] === 'number') return value['refused'];
  const list = isRecord(value) && Array.isArray(value['list']) ? (value['list'] as unknown[]) : [];
  return list.filter((row) => isRecord(row) && isRecord(row['error'])).length;
}

function printTable(terminal: Terminal, operationId: OperationId, list: readonly Row[]): void {
  if (list.length === 0) return terminal.say('Nothing found.');
  const { head, rows, hidden } = cellsOf(operationId, list, terminal.width);
  terminal.out(
    drawTable(
      rows,
      head.map((name) => terminal.outColors.bold(oneLine(name))),
    ),
  );
  if (hidden > 0) terminal.say(`${String(hidden)} more columns do not fit; --json shows everything.`);
}

function sayRest(terminal: Terminal, { page }: Row, shown: number): void {
  if (!isRecord(page)) return;
  const end = Number(page['offset']) + shown;
  const found = Number(page['totalFilter']);
  if (end < found && shown > 0)
    terminal.say(`${String(shown)} of ${String(found)}; --offset ${String(end)} shows what follows.`);
}
