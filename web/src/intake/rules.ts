import type { Id, Input, Schemas } from '@millrace/api';

type Preview = Schemas['FilePreview'];
export type Column = Preview['columns'][number];

/** The format in which to read a file; the server detects whatever is left out. */
export interface Reading {
  readonly delimiter?: Schemas['Delimiter'];
  readonly encoding?: Input<'previewFile'>['query']['encoding'];
  readonly sheet?: string;
  /** Attributes by names of columns. */
  readonly mapping: Readonly<Record<string, string>>;
  readonly leavesOut: boolean;
  readonly dateFormat: string;
  readonly decimalSign?: 'POINT' | 'COMMA';
  readonly timeZone: string;
}

/** The properties that the steps on a file share. */
export interface StepProps {
  readonly queueId: Id;
  readonly file: File;
  readonly preview: Preview;
  readonly reading: Reading;
  readonly onRead: (reading: Reading) => void;
}

/** The reading as the contract has it. */
export function optionsOf(reading: Reading): Input<'previewFile'>['query'] {
  const { mapping, leavesOut, dateFormat, delimiter, encoding, sheet, decimalSign, timeZone } = reading;
  return {
    ...(delimiter && { delimiter }),
    ...(encoding && { encoding }),
    ...(sheet && { sheet }),
    ...(Object.keys(mapping).length > 0 && { mapping: JSON.stringify(mapping) }),
    ...(leavesOut && { extraColumns: 'IGNORE' as const }),
    ...(dateFormat.trim() && { dateFormat: dateFormat.trim() }),
    ...(decimalSign && { decimalSign }),
    ...(timeZone.trim() && { timeZone: timeZone.trim() }),
  };
}

/** The reading with a column for another attribute, or none. Of two columns for one attribute, the later wins. */
export function mapped(reading: Reading, column: string, attribute: string): Reading {
  const others = Object.entries(reading.mapping).filter(
    ([name, former]) => name !== column && former !== attribute,
  );
  const own = attribute === '' ? [] : [[column, attribute] as const];
  return { ...reading, mapping: Object.fromEntries([...others, ...own]) };
}

type Proposals = Pick<Preview, 'mapping' | 'dateFormat' | 'decimalSign'>;

/** The server's proposals beyond what was chosen; undefined where it has none. */
export function proposalsOf(reading: Reading, { mapping, dateFormat, decimalSign }: Proposals) {
  const columns = Object.entries(mapping).filter(([name]) => reading.mapping[name] === undefined);
  const texts = [
    ...columns.map(([name, attribute]) => `${name} → ${attribute}`),
    ...(dateFormat ? [dateFormat] : []),
    ...(decimalSign ? [decimalSign === 'COMMA' ? '1,5' : '1.5'] : []),
  ];
  if (texts.length === 0) return undefined;
  const accepted: Reading = {
    ...reading,
    mapping: { ...reading.mapping, ...Object.fromEntries(columns) },
    ...(dateFormat && { dateFormat }),
    ...(decimalSign && { decimalSign }),
  };
  return { text: texts.join(' · '), accepted };
}

/** A row, and the item made of it or equal to it. */
export type ProblemRow = Pick<Schemas['RowProblem'], 'row' | 'itemId'>;

/** Rows with the same problem. */
interface ProblemKind {
  readonly column: string | undefined;
  readonly reason: string;
  readonly rows: readonly ProblemRow[];
}

/** The problems of a file by kind, the most frequent first. The number of an equal row or item makes no kind of its own. */
export function problemsByKind(problems: readonly Schemas['RowProblem'][]): ProblemKind[] {
  const kinds = new Map<string, ProblemKind>();
  for (const { column, reason, row, itemId } of problems) {
    const kind = reason.replace(/^equals (row|item) \d+/, 'equals another $1');
    const key = JSON.stringify([column, kind]);
    const { rows } = kinds.get(key) ?? { rows: [] };
    kinds.set(key, { column, reason: kind, rows: [...rows, { row, itemId }] });
  }
  return [...kinds.values()].toSorted((one, other) => other.rows.length - one.rows.length);
}
