import { isFormula } from '../../records/formula.rules.ts';
import { wallTime } from '../../records/zone.rules.ts';
import type { Cell } from './columns.rules.ts';

/** The styles of cells, in the order of `styles`. */
const style = { plain: 0, day: 1, instant: 2, marked: 3, head: 4, time: 5 } as const;

const main = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main';
const declaration = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>';

/**
 * The styles of a workbook. A cell whose text begins like a formula has the mark by which spreadsheets keep it a text, even when it is
 * edited: the apostrophe that people type.
 */
const styles = `${declaration}<styleSheet xmlns="${main}"><numFmts count="3"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/><numFmt numFmtId="165" formatCode="yyyy\\-mm\\-dd\\ hh:mm:ss"/><numFmt numFmtId="166" formatCode="hh:mm:ss"/></numFmts><fonts count="2"><font><sz val="11"/><name val="Calibri"/></font><font><b/><sz val="11"/><name val="Calibri"/></font></fonts><fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills><borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="6"><xf/><xf numFmtId="164" applyNumberFormat="1"/><xf numFmtId="165" applyNumberFormat="1"/><xf quotePrefix="1"/><xf fontId="1" applyFont="1"/><xf numFmtId="166" applyNumberFormat="1"/></cellXfs></styleSheet>`;

/** The beginning of a sheet before its rows; its header stays in view. */
export const sheetStart = `${declaration}<worksheet xmlns="${main}"><sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><sheetData>`;
export const sheetEnd = '</sheetData></worksheet>';

const relationships = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
const packages = 'http://schemas.openxmlformats.org/package/2006';
const office = 'application/vnd.openxmlformats-officedocument.spreadsheetml';

/** The parts of a workbook with this many sheets, other than the sheets, by their names in the archive. */
export function frameOf(sheets: number, name: string): Record<string, string> {
  const numbers = Array.from({ length: sheets }, (_, index) => index + 1);
  const relation = (id: string, type: string, target: string) =>
    `<Relationship Id="${id}" Type="${relationships}/${type}" Target="${target}"/>`;
  const relations = (...all: string[]) =>
    `${declaration}<Relationships xmlns="${packages}/relationships">${all.join('')}</Relationships>`;
  const type = (part: string, kind: string) =>
    `<Override PartName="/${part}" ContentType="${office}.${kind}+xml"/>`;
  const named = numbers.map((n) => `<sheet name="${sheetName(name, n)}" sheetId="${n}" r:id="rId${n}"/>`);
  return {
    'xl/styles.xml': styles,
    'xl/workbook.xml': `${declaration}<workbook xmlns="${main}" xmlns:r="${relationships}"><sheets>${named.join('')}</sheets></workbook>`,
    'xl/_rels/workbook.xml.rels': relations(
      ...numbers.map((n) => relation(`rId${n}`, 'worksheet', `worksheets/sheet${n}.xml`)),
      relation('rIdStyles', 'styles', 'styles.xml'),
    ),
    '_rels/.rels': relations(relation('rId1', 'officeDocument', 'xl/workbook.xml')),
    '[Content_Types].xml': `${declaration}<Types xmlns="${packages}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>${type('xl/workbook.xml', 'sheet.main')}${type('xl/styles.xml', 'styles')}${numbers.map((n) => type(`xl/worksheets/sheet${n}.xml`, 'worksheet')).join('')}</Types>`,
  };
}

/** Names of sheets have 31 characters at most, and exclude some characters. */
function sheetName(name: string, number: number): string {
  const ending = number === 1 ? '' : ` ${number}`;
  return escaped(`${name.replace(/[[\]:*?/\\]/g, ' ').slice(0, 31 - ending.length)}${ending}`) || 'Sheet1';
}

/** The contents of a cell of a sheet, including a time without a day. */
export type SheetCell = Cell | { readonly time: string };

/** The header of a sheet. */
export function headXml(names: readonly string[]): string {
  return `<row>${names.map((name) => textXml(name, style.head)).join('')}</row>`;
}

/** A row of a sheet, with times in a zone. */
export function rowXml(cells: readonly SheetCell[], timeZone: string): string {
  return `<row>${cells.map((cell) => cellXml(cell, timeZone)).join('')}</row>`;
}

function cellXml(cell: SheetCell, timeZone: string): string {
  if (cell === undefined) return '<c/>';
  if (typeof cell === 'string') return textXml(cell, isFormula(cell) ? style.marked : style.plain);
  if (typeof cell === 'boolean') return `<c t="b"><v>${cell ? 1 : 0}</v></c>`;
  if ('number' in cell)
    return isExact(cell.number) ? `<c><v>${cell.number}</v></c>` : textXml(cell.number, style.plain);
  if ('time' in cell)
    return `<c s="${style.time}"><v>${(Date.parse(`1970-01-01T${cell.time}Z`) / dayMs) % 1}</v></c>`;
  return timeXml(cell.on, timeZone);
}

/** Whether a spreadsheet, which has doubles and shows fifteen digits, keeps the number unchanged. */
function isExact(number: string): boolean {
  const digits = number
    .replace(/[eE].*$/, '')
    .replace(/[-.]/g, '')
    .replace(/^0+/, '');
  return digits.length <= 15 && Number.isFinite(Number(number));
}

/** The limit of a workbook's cell. */
const longestText = 32_767;

function textXml(text: string, of: number): string {
  const cut = text.length > longestText ? `${text.slice(0, longestText - 1)}…` : text;
  return `<c t="inlineStr"${of === style.plain ? '' : ` s="${of}"`}><is><t xml:space="preserve">${escaped(cut)}</t></is></c>`;
}

// Characters that XML cannot hold, or that a reader of it would change, are written by their numbers; so is the beginning of a text that
// looks like that.
const unwritable =
  /[\u0000-\u0008\u000b\u000c\u000d\u000e-\u001f\ufffe\uffff]|\p{Surrogate}|_(?=x[0-9A-Fa-f]{4}_)/gu;
const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function escaped(text: string): string {
  return text
    .replace(unwritable, (sign) => `_x${sign.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}_`)
    .replace(/[&<>"]/g, (sign) => entities[sign] ?? sign);
}

const dayMs = 86_400_000;
const epoch = Date.UTC(1899, 11, 30);
// Before it, spreadsheets count a day that never existed, and they have no day before 1900.
const firstDay = Date.UTC(1900, 2, 1);

function timeXml(on: string, timeZone: string): string {
  const isDay = !on.includes('T');
  const wall = isDay ? undefined : wallTime(timeZone, Date.parse(on));
  const shown = Date.parse(wall ? `${wall.day}T${wall.time}Z` : `${on}T00:00:00Z`);
  if (shown < firstDay) return textXml(on, style.plain);
  return `<c s="${isDay ? style.day : style.instant}"><v>${(shown - epoch) / dayMs}</v></c>`;
}
