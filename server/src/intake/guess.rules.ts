import type { Attribute } from '../engine/operation.ts';
import { isEmpty, shownCell, type Cell } from './table/cells.rules.ts';
import { readCell, showsPoint, type ValueReading } from './values.rules.ts';

/** The attribute that the values of a column look like. */
export interface Guess extends Pick<ValueReading, 'dateFormat' | 'decimalSign'> {
  readonly type: Attribute['type'];
  /** Whether every row has a value. */
  readonly isRequired: boolean;
  /** Information for the person who has to agree. */
  readonly note?: string;
}

type Typed = Omit<Guess, 'isRequired'>;

/** The type that fits all values of a column; TEXT where no other does. */
export function guessColumn(cells: readonly (Cell | undefined)[], reading: ValueReading): Guess {
  const values = cells.filter((cell): cell is Cell => !isEmpty(cell));
  const isRequired = values.length > 0 && values.length === cells.length;
  if (values.length === 0) return { type: 'TEXT', isRequired, note: 'has no values in the rows looked at' };
  const typed =
    asBoolean(values, reading) ??
    asDate(values, reading) ??
    asNumber(values, reading) ??
    asText(values, reading);
  return { ...typed, isRequired };
}

const fits = (type: Attribute['type'], values: readonly Cell[], reading: ValueReading) =>
  values.every((cell) => 'value' in readCell(type, cell, reading));

/** Digits may be switches, but a NUMBER can hold these and everything else. */
function asBoolean(values: readonly Cell[], reading: ValueReading): Typed | undefined {
  const isOfDigits = values.every((cell) => /^[01]$/.test(shownCell(cell).trim()));
  return !isOfDigits && fits('BOOLEAN', values, reading) ? { type: 'BOOLEAN' } : undefined;
}

const dayFirst = ['dd/mm/yyyy', 'dd-mm-yyyy', 'dd/mm/yy', 'dd-mm-yy'];
const monthFirst = ['mm/dd/yyyy', 'mm-dd-yyyy', 'mm/dd/yy', 'mm-dd-yy'];
const formats = [...dayFirst, ...monthFirst, 'dd.mm.yy', 'yyyy/mm/dd', 'yyyy.mm.dd'];

function asDate(values: readonly Cell[], reading: ValueReading): Typed | undefined {
  if (fits('DATE', values, reading)) return { type: 'DATE' };
  if (reading.dateFormat !== undefined) return undefined;
  const found = formats.filter((dateFormat) => fits('DATE', values, { ...reading, dateFormat }));
  const [only, other] = found;
  if (only === undefined) return undefined;
  if (other === undefined)
    return { type: 'DATE', dateFormat: only, note: `holds dates that are read with dateFormat ${only}` };
  const note = `can be read as day and month or as month and day: say by dateFormat which, ${only} or ${other}`;
  return { type: 'DATE', note };
}

function asNumber(values: readonly Cell[], reading: ValueReading): Typed | undefined {
  const isPlain = fits('NUMBER', values, { ...reading, hasPoint: showsPoint(values) });
  if (isPlain) {
    const lossy = values.find(losesDigits);
    return lossy === undefined ? { type: 'NUMBER' } : { type: 'TEXT', note: keptAsText(lossy) };
  }
  if (reading.decimalSign !== undefined) return undefined;
  const signs = (['COMMA', 'POINT'] as const).filter((decimalSign) =>
    fits('NUMBER', values, { ...reading, decimalSign }),
  );
  const [only, other] = signs;
  if (only === undefined) return undefined;
  if (other === undefined)
    return {
      type: 'NUMBER',
      decimalSign: only,
      note: `holds numbers that are read with decimalSign ${only}`,
    };
  const note = 'can be read with a comma or a point before decimals: say by decimalSign which';
  return { type: 'NUMBER', note };
}

// With more digits a double, and so most programs, loses some.
const mostDigits = 15;

/** Whether a value is an identifier made of digits, which would change as a number. */
function losesDigits(cell: Cell): boolean {
  if (typeof cell === 'number' || typeof cell === 'boolean') return false;
  const text = shownCell(cell).trim();
  return (
    /^[+-]?0\d/.test(text) || (/^[+-]?\d+$/.test(text) && text.length > mostDigits) || text.startsWith('+')
  );
}

const keptAsText = (cell: Cell) =>
  `is a TEXT, as a number would not keep all characters of values such as ${quoted(cell)}`;

const near = 0.8;
const others = [
  ['NUMBER', 'numbers'],
  ['DATE', 'dates'],
] as const;

/** A TEXT attribute, with a note about the type of most of its values. */
function asText(values: readonly Cell[], reading: ValueReading): Typed {
  for (const [type, name] of others) {
    const bad = values.filter((cell) => !('value' in readCell(type, cell, reading)));
    const [first] = bad;
    if (first === undefined || bad.length > values.length * (1 - near)) continue;
    const note = `is a TEXT, as ${bad.length} of ${values.length} values are no ${name}, such as ${quoted(first)}`;
    return { type: 'TEXT', note };
  }
  return { type: 'TEXT' };
}

function quoted(cell: Cell): string {
  const text = shownCell(cell);
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}
