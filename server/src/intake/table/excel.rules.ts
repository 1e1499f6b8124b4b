import { remembering } from '../../records/remembering.rules.ts';
import { wellFormed, type Cell, type DateCell } from './cells.rules.ts';

/** Of a cell, in characters: the limit of the format itself. */
export const longestText = 32_767;

/** The kind of value that a number format shows. */
export type NumberStyle = 'plain' | 'date' | 'time' | { readonly digits: number };

/** The number formats for dates or times that workbooks refer to by number alone. */
const builtIn = new Map<number, NumberStyle>([
  ...[14, 15, 16, 17, 22, 27, 28, 29, 30, 31, 36, 50, 51, 52, 53, 54, 57, 58].map(
    (id) => [id, 'date'] as const,
  ),
  ...[18, 19, 20, 21, 32, 33, 34, 35, 45, 46, 47, 55, 56].map((id) => [id, 'time'] as const),
]);

/** The style of a number format, by its code where the workbook has one for it, otherwise by its number. */
export function styleOf(id: number, code: string | undefined): NumberStyle {
  if (code === undefined) return builtIn.get(id) ?? 'plain';
  const [positive = ''] = code.split(';');
  const bare = positive.replace(/"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]/gi, '');
  if (/[yd]/i.test(bare) || /^[^hs]*m[^hs]*$/i.test(bare)) return 'date';
  if (/[hs]/i.test(bare)) return 'time';
  return /^0{2,}$/.test(bare) ? { digits: bare.length } : 'plain';
}

const dayMs = 86_400_000;
// Excel takes 1900 for a leap year: its day 60 never existed.
const [epoch1900, epoch1904] = [Date.UTC(1899, 11, 31), Date.UTC(1904, 0, 1)];
const mostDays = 2_958_465;

/** The date that a serial number means; the number itself where it is no valid date. */
function dateOfSerial(serial: number, style: 'date' | 'time', is1904: boolean): DateCell | number {
  if (!(serial >= 0 && serial < mostDays + 1)) return serial;
  const total = Math.round(serial * dayMs);
  const rest = total % dayMs;
  const days = (total - rest) / dayMs;
  if (days === 0 && (style === 'time' || !is1904)) return { time: timeOf(rest) };
  const corrected = is1904 || days < 60 ? days : days - 1;
  const day = dayOf((is1904 ? epoch1904 : epoch1900) + corrected * dayMs);
  return rest === 0 ? { day } : { day, time: timeOf(rest) };
}

/** Remembered, because to write a date costs as much as to parse three cells, and the days of a column come again. */
const dayOf = remembering((midnight: number) => new Date(midnight).toISOString().slice(0, 10), 10_000);

function timeOf(milliseconds: number): string {
  return new Date(milliseconds)
    .toISOString()
    .slice(11, 23)
    .replace(/\.000$/, '');
}

/** The column of a reference such as AB12, from 0; undefined where there is none. */
export function columnOf(reference: string | undefined): number | undefined {
  if (reference === undefined) return undefined;
  let column = 0;
  for (let at = 0; at < reference.length; at += 1) {
    const letter = reference.charCodeAt(at) & 0xdf;
    if (letter < 65 || letter > 90) break;
    column = column * 26 + letter - 64;
  }
  return column === 0 ? undefined : column - 1;
}

/** The name of a column, from 0, as shown by a spreadsheet. */
export function columnName(index: number): string {
  const rest = index % 26;
  const letter = String.fromCharCode(65 + rest);
  return index < 26 ? letter : columnName((index - rest) / 26 - 1) + letter;
}

/** A text as it was typed: characters that XML cannot hold are stored by their numbers. */
export function unescaped(text: string): string {
  if (!text.includes('_x')) return text;
  const characters = text.replace(/_x([0-9A-Fa-f]{4})_/g, (_, code: string) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  );
  return wellFormed(characters);
}

/** A number as shown by the workbook: digits of a double beyond the fifteenth are noise. */
function numberOf(text: string): number {
  const number = Number(text);
  return text.length > 15 && text.includes('.') ? Number(number.toPrecision(15)) : number;
}

/**
 * Whether a number has more digits before its point than a double keeps, as programs write account numbers; Excel itself keeps none of
 * those.
 */
function losesDigits(text: string, number: number): boolean {
  return text.length > 15 && /^-?\d{16,}(\.\d+)?$/.test(text) && String(number) !== text;
}

/** A cell with a number, by its style; a text with all of the digits where a number would lose some. */
export function styledNumber(text: string, style: NumberStyle, is1904: boolean): Cell {
  const number = numberOf(text);
  if (losesDigits(text, number)) return text;
  if (text === '' || Number.isNaN(number)) return text;
  if (style === 'plain') return number;
  if (style === 'date' || style === 'time') return dateOfSerial(number, style, is1904);
  const isWhole = Number.isInteger(number) && number >= 0;
  return isWhole ? { number, shown: String(number).padStart(style.digits, '0') } : number;
}

/** A date written as text in a workbook; it stays a text where it has an offset from UTC, which no date cell has. */
export function dateOfText(text: string): Cell {
  const [, day, time, zone] =
    /^(\d{4}-\d\d-\d\d)?T?(\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?)?(Z?)$/.exec(text) ?? [];
  if (day === undefined && time === undefined) return text;
  if (day !== undefined && time !== undefined && zone) return `${day}T${withSeconds(time)}Z`;
  return { ...(day !== undefined && { day }), ...(time !== undefined && { time: withSeconds(time) }) };
}

function withSeconds(time: string): string {
  return time.length === 5 ? `${time}:00` : time;
}
