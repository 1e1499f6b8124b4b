import { Readable } from 'node:stream';
import { ZipFile } from 'yazl';
import { frameOf, sheetEnd, sheetStart } from '../server/src/work-items/export/sheet.rules.ts';

/** A row of a workbook. */
export type SharedRow = readonly (string | number | boolean | Date)[];

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

/** The number of each text, in the order in which they were met. */
class Texts {
  readonly #numbers = new Map<string, number>();

  numberOf(text: string): number {
    const number = this.#numbers.get(text) ?? this.#numbers.size;
    this.#numbers.set(text, number);
    return number;
  }

  *xml(): Generator<string> {
    yield '<sst>';
    for (const text of this.#numbers.keys()) yield `<si><t>${escaped(text)}</t></si>`;
    yield '</sst>';
  }
}

const dayMs = 86_400_000;
const epoch = Date.UTC(1899, 11, 30);
/** The style of days in the frame. */
const dayStyle = 1;

function cellXml(cell: SharedRow[number], texts: Texts): string {
  if (typeof cell === 'string') return `<c t="s"><v>${texts.numberOf(cell)}</v></c>`;
  if (typeof cell === 'boolean') return `<c t="b"><v>${Number(cell)}</v></c>`;
  if (typeof cell === 'number') return `<c><v>${cell}</v></c>`;
  return `<c s="${dayStyle}"><v>${(cell.getTime() - epoch) / dayMs}</v></c>`;
}

const rowXml = (row: SharedRow, texts: Texts) =>
  `<row>${row.map((cell) => cellXml(cell, texts)).join('')}</row>`;

function* sheetXml(
  names: readonly string[],
  portions: Iterable<readonly SharedRow[]>,
  texts: Texts,
): Generator<string> {
  yield `${sheetStart}${rowXml(names, texts)}`;
  for (const portion of portions) yield portion.map((row) => rowXml(row, texts)).join('');
  yield sheetEnd;
}

/** A workbook that keeps its texts in a part of their own, each once, as Excel writes it. */
export function sharedWorkbookOf(
  names: readonly string[],
  portions: Iterable<readonly SharedRow[]>,
): NodeJS.ReadableStream {
  const zip = new ZipFile();
  const texts = new Texts();
  // Read in this order: the texts are known when the sheet is written.
  zip.addReadStream(Readable.from(sheetXml(names, portions, texts)), 'xl/worksheets/sheet1.xml');
  zip.addReadStream(Readable.from(texts.xml()), 'xl/sharedStrings.xml');
  for (const [part, text] of Object.entries(frameOf(1, 'Items')))
    zip.addBuffer(Buffer.from(withTexts(part, text)), part);
  zip.end();
  return zip.outputStream;
}

/** The relation by which the workbook finds its texts. */
function withTexts(part: string, text: string): string {
  if (part !== 'xl/_rels/workbook.xml.rels') return text;
  const type = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings';
  const relation = `<Relationship Id="rIdTexts" Type="${type}" Target="sharedStrings.xml"/>`;
  return text.replace('</Relationships>', `${relation}</Relationships>`);
}
