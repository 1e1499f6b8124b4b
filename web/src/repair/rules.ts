import { parseJson } from '@millrace/api';
import { allOf, print } from '../filters/parse.ts';
import { typedOf } from '../work-items/values.ts';

/** An attribute of the model, as a column of the grid. */
export interface Attribute {
  readonly name: string;
  readonly type: 'TEXT' | 'NUMBER' | 'DATE' | 'BOOLEAN';
  readonly isRequired?: boolean;
}

/** An item as it was read. */
export interface Row {
  readonly id: string;
  readonly json: Readonly<Record<string, unknown>>;
}

/** The texts of changed cells, by item and attribute. */
export type Edits = ReadonlyMap<string, Readonly<Record<string, string>>>;

export interface CellEdit {
  readonly row: Row;
  readonly name: string;
  readonly text: string;
}

export const noEdits: Edits = new Map();

/** The text of a cell: the typed one, or else the stored value. */
export function cellText(edits: Edits, row: Row, name: string): string {
  return edits.get(row.id)?.[name] ?? typedOf(row.json[name]);
}

/** The edits with more of them; a cell with its stored value is no edit. */
export function withCells(edits: Edits, cells: readonly CellEdit[]): Edits {
  const next = new Map(edits);
  for (const { row, name, text } of cells) {
    const { [name]: _, ...others } = next.get(row.id) ?? {};
    const changed = text === typedOf(row.json[name]) ? others : { ...others, [name]: text };
    if (Object.keys(changed).length > 0) next.set(row.id, changed);
    else next.delete(row.id);
  }
  return next;
}

export type Problem = 'required' | 'number' | 'date' | 'boolean';

const numeric = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const date = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)?$/;

/** The reason why a text is no value of an attribute, by the rules of the server. */
export function problemOf(text: string, { type, isRequired }: Attribute): Problem | undefined {
  if (text === '') return isRequired ? 'required' : undefined;
  if (type === 'NUMBER') return numeric.test(text) ? undefined : 'number';
  if (type === 'BOOLEAN') return text === 'true' || text === 'false' ? undefined : 'boolean';
  const isDate = type !== 'DATE' || (date.test(text) && !Number.isNaN(Date.parse(text)));
  return isDate ? undefined : 'date';
}

/** A typed text as the stored value, to the last digit; an empty one removes the value. */
export function valueOf(text: string, { type }: Attribute): unknown {
  if (text === '') return null;
  return type === 'NUMBER' || type === 'BOOLEAN' ? parseJson(text) : text;
}

/** The attributes that the edits of a row change. */
export function changeOf(edits: Edits, row: Row, attributes: readonly Attribute[]): Record<string, unknown> {
  const changed = edits.get(row.id) ?? {};
  return Object.fromEntries(
    attributes.flatMap((attribute) => {
      const text = changed[attribute.name];
      return text === undefined ? [] : [[attribute.name, valueOf(text, attribute)]];
    }),
  );
}

/** A changed cell that holds no value of its attribute. */
export interface UnsoundCell {
  readonly id: string;
  readonly name: string;
  readonly column: number;
  readonly problem: Problem;
}

/** The unsound cells of rows: of each row, the first. */
export function unsoundIn(
  edits: Edits,
  rows: readonly Row[],
  attributes: readonly Attribute[],
): UnsoundCell[] {
  return rows.flatMap(({ id }) => {
    const cells = attributes.flatMap((attribute, column) => {
      const text = edits.get(id)?.[attribute.name];
      const problem = text === undefined ? undefined : problemOf(text, attribute);
      return problem ? [{ id, name: attribute.name, column, problem }] : [];
    });
    return cells.slice(0, 1);
  });
}

/** The cells of a block as copied from a sheet: tabs between cells, and quotes around those with tabs, quotes or lines in them. */
export function blockOf(text: string): string[][] {
  const cells = text.replace(/\r?\n$/, '').matchAll(/("(?:[^"]|"")*"|[^\t\r\n]*)(\t|\r?\n|$)/g);
  const rows: string[][] = [[]];
  for (const [, cell = '', end] of cells) {
    const isQuoted = cell.length > 1 && cell.startsWith('"') && cell.endsWith('"');
    rows.at(-1)?.push(isQuoted ? cell.slice(1, -1).replaceAll('""', '"') : cell);
    if (end === '') break;
    if (end !== '\t') rows.push([]);
  }
  return rows;
}

/** A cell of the grid by its place. */
export interface Place {
  readonly row: number;
  readonly column: number;
}

/** A block put into the grid from a cell on, to the right and down; cells beyond the edge are left out. */
export function pasted(
  block: readonly (readonly string[])[],
  at: Place,
  rows: readonly Row[],
  attributes: readonly Attribute[],
): CellEdit[] {
  return block.flatMap((line, down) =>
    line.flatMap((text, right) => {
      const row = rows[at.row + down];
      const attribute = attributes[at.column + right];
      return row && attribute ? [{ row, name: attribute.name, text: typedAs(text.trim(), attribute) }] : [];
    }),
  );
}

/** Sheets write booleans in capitals. */
function typedAs(text: string, { type }: Attribute): string {
  return type === 'BOOLEAN' ? text.toLowerCase() : text;
}

/** The cells below one, with its text: in the selected rows, or in all where none is selected. */
export function filled(
  edits: Edits,
  rows: readonly Row[],
  from: number,
  { name, selected }: { readonly name: string | undefined; readonly selected: ReadonlySet<string> },
): CellEdit[] {
  const first = rows[from];
  if (!first || name === undefined) return [];
  const text = cellText(edits, first, name);
  const below = rows.slice(from + 1).filter(({ id }) => selected.size === 0 || selected.has(id));
  return below.map((row) => ({ row, name, text }));
}

/** The cells that contain a text, with another in its place. */
export function replaced(
  edits: Edits,
  rows: readonly Row[],
  attributes: readonly Attribute[],
  [find, by]: readonly [string, string],
): CellEdit[] {
  if (find === '') return [];
  return rows.flatMap((row) =>
    attributes.flatMap(({ name }) => {
      const text = cellText(edits, row, name);
      return text.includes(find) ? [{ row, name, text: text.replaceAll(find, by) }] : [];
    }),
  );
}

/** The edits that differ from what is stored by now, such as after the same change of all items at once. */
export function standing(edits: Edits, rows: readonly Row[]): Edits {
  const known = rows.filter(({ id }) => edits.has(id));
  return withCells(
    edits,
    known.flatMap((row) =>
      Object.entries(edits.get(row.id) ?? {}).map(([name, text]) => ({ row, name, text })),
    ),
  );
}

/** The edits of rows that the grid shows: others cannot be sent, as their items have left the cause. */
export function editsOf(rows: readonly Row[], edits: Edits): Edits {
  const ids = new Set(rows.map(({ id }) => id));
  return new Map([...edits].filter(([id]) => ids.has(id)));
}

/** The texts that every changed row has alike, by attribute: what the same change of all items would set. */
export function alike(edits: Edits): Readonly<Record<string, string>> {
  const [first, ...others] = [...edits.values()];
  const shared = Object.entries(first ?? {}).filter(([name, text]) =>
    others.every((changed) => changed[name] === text),
  );
  return Object.fromEntries(shared);
}

interface Cause {
  readonly signature: string;
  readonly failureKind: string;
}

/** The items of a cause, as one types it into the filter of a queue. */
export function queryOf({ signature, failureKind }: Cause): string {
  const is = (field: string, value: string) => ({ is: 'compare', field, sign: ':', value }) as const;
  return print(
    allOf([is('status', 'FAILED'), is('failureKind', failureKind), is('errorSignature', signature)]),
  );
}

/** A cause as people read it: the parts that differ from item to item are left open. */
export function shapeOf(signature: string): string {
  return signature.replaceAll(/<(?:link|id|text|path|time|number)>/g, '…');
}

interface Cause {
  readonly failureKind: string;
  readonly signature: string;
}

export function keyOf({ failureKind, signature }: Cause): string {
  return `${failureKind} ${signature}`;
}

/** The causes in the order in which they were known before, with new ones behind. */
export function keptOrder<One extends Cause>(known: readonly string[], latest: readonly One[]): One[] {
  const place = new Map(known.map((key, index) => [key, index]));
  const placeOf = (one: One) => place.get(keyOf(one)) ?? known.length;
  return latest.toSorted((one, other) => placeOf(one) - placeOf(other));
}
