import { crc32, deflateRawSync } from 'node:zlib';

/** An archive of these files, as written by programs. */
export function zipOf(files: Readonly<Record<string, string | Buffer>>): Buffer {
  const parts: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const [name, content] of Object.entries(files)) {
    const bytes = Buffer.from(content);
    const packed = deflateRawSync(bytes);
    const sizes = [crc32(bytes), packed.length, bytes.length];
    const local = header(0x04034b50, [20, 0, 8, 0, 0], sizes, [name.length, 0]);
    const extra = header(0x02014b50, [20, 20, 0, 8, 0, 0], sizes, [name.length, 0, 0, 0, 0]);
    const place = Buffer.alloc(8);
    place.writeUInt32LE(offset, 4);
    central.push(extra, place, Buffer.from(name));
    parts.push(local, Buffer.from(name), packed);
    offset += local.length + name.length + packed.length;
  }
  const directory = Buffer.concat(central);
  const count = Object.keys(files).length;
  const end = header(0x06054b50, [0, 0, count, count], [directory.length, offset], [0]);
  return Buffer.concat([...parts, directory, end]);
}

function header(
  signature: number,
  shorts: readonly number[],
  longs: readonly number[],
  last: readonly number[],
): Buffer {
  const bytes = Buffer.alloc(4 + 2 * shorts.length + 4 * longs.length + 2 * last.length);
  let at = bytes.writeUInt32LE(signature, 0);
  for (const value of shorts) at = bytes.writeUInt16LE(value, at);
  for (const value of longs) at = bytes.writeUInt32LE(value >>> 0, at);
  for (const value of last) at = bytes.writeUInt16LE(value, at);
  return bytes;
}

interface Parts {
  /** The rows of the sheet, as XML. */
  readonly rows: string;
  readonly strings?: string;
  readonly styles?: string;
  readonly is1904?: boolean;
  /** XML before the sheet. */
  readonly prolog?: string;
}

const office = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
const types = 'http://schemas.openxmlformats.org/package/2006/relationships';

/** A workbook with XML chosen by the test. */
export function workbookOf({ rows, strings, styles, is1904 = false, prolog = '' }: Parts): Buffer {
  const relation = (id: string, type: string, target: string) =>
    `<Relationship Id="${id}" Type="${office}/${type}" Target="${target}"/>`;
  const relations = (...all: string[]) => `<Relationships xmlns="${types}">${all.join('')}</Relationships>`;
  return zipOf({
    '_rels/.rels': relations(relation('r1', 'officeDocument', 'xl/workbook.xml')),
    'xl/workbook.xml': `<workbook xmlns:r="${office}"><workbookPr date1904="${is1904 ? 1 : 0}"/><sheets><sheet name="One &amp; only" sheetId="1" r:id="r7"/></sheets></workbook>`,
    'xl/_rels/workbook.xml.rels': relations(
      relation('r7', 'worksheet', '/xl/worksheets/any.xml'),
      relation('r8', 'sharedStrings', 'sharedStrings.xml'),
      relation('r9', 'styles', 'styles.xml'),
    ),
    'xl/sharedStrings.xml': `<sst>${strings ?? ''}</sst>`,
    'xl/styles.xml': `<styleSheet>${styles ?? ''}</styleSheet>`,
    'xl/worksheets/any.xml': `${prolog}<worksheet><sheetData>${rows}</sheetData></worksheet>`,
  });
}
