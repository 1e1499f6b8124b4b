import { open } from 'node:fs/promises';
import path from 'node:path/posix';
import { openPromise, type Entry, type ZipFile } from 'yauzl';
import { Refusal } from '../../engine/errors.ts';
import { told, type Line, type ReadOptions, type Table } from './cells.rules.ts';
import { isBomb } from './csv.ts';
import { styleOf, type NumberStyle } from './excel.rules.ts';
import { refusedKinds } from './kinds.rules.ts';
import { problemOf } from './problems.rules.ts';
import { readSharedStrings } from './shared-strings.ts';
import { SheetReader, type Workbook } from './sheet.ts';
import { readXml, type XmlHandler } from './xml.ts';

const mostEntries = 10_000;
const mostSheets = 1000;
const longestName = 100;

/** The files of a workbook, which is an archive. */
interface Archive {
  readonly zip: ZipFile;
  readonly entries: ReadonlyMap<string, Entry>;
}

/** Opens a workbook on disk. @throws Refusal when it is none, or cannot be read within bounds */
export async function openExcel(file: string, options: ReadOptions): Promise<Table> {
  const zip = await openPromise(file, { lazyEntries: true, autoClose: false }).catch(asDamaged);
  try {
    const archive = { zip, entries: await entriesOf(zip) };
    const { sheets, is1904, shared, styles } = await readWorkbook(archive);
    const sheet = sheetOf(sheets, options.sheet);
    const workbook: Workbook = {
      is1904,
      styles: styles === undefined ? [] : await readStyles(archive, styles),
      strings: shared === undefined ? undefined : await readSharedStrings(await streamOf(archive, shared)),
    };
    const layout = { format: 'EXCEL' as const, sheet: sheet.name, sheets: sheets.map(({ name }) => name) };
    const part = archive.entries.get(sheet.part);
    const size = Math.max(1, part?.uncompressedSize ?? 1);
    let read = 0;
    const lines = readSheet(archive, sheet.part, workbook, (bytes) => (read += bytes));
    return { layout, lines, share: () => read / size };
  } catch (error) {
    zip.close();
    throw plain(error);
  }
}

/** Refuses a container of the older format: either an encrypted workbook, or one of Excel 97 to 2003. */
export async function refuseContainer(file: string): Promise<never> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(4 * 1024 * 1024), 0, undefined, 0);
    const isEncrypted = buffer.subarray(0, bytesRead).includes(Buffer.from('EncryptedPackage', 'utf16le'));
    throw problemOf(isEncrypted ? refusedKinds.encrypted : refusedKinds.xls);
  } finally {
    await handle.close();
  }
}

/** Turns errors of the archive into the refusal of a damaged file; errors of the server stay. */
function plain(error: unknown): unknown {
  const { code } = error as { code?: string };
  if (error instanceof Refusal || (code !== undefined && !code.startsWith('Z_'))) return error;
  return error instanceof Error && error.constructor === Error ? problemOf(refusedKinds.damaged) : error;
}

function asDamaged(error: unknown): never {
  throw plain(error);
}

async function entriesOf(zip: ZipFile): Promise<ReadonlyMap<string, Entry>> {
  const entries = new Map<string, Entry>();
  if (zip.entryCount > mostEntries) throw problemOf(refusedKinds.zip);
  for await (const entry of zip.eachEntry()) entries.set(entry.fileName.replace(/^\//, ''), entry);
  return entries;
}

/** The bytes of a part. @throws Refusal when they are encrypted, or inflate to more than a table of their size would have */
async function streamOf({ zip, entries }: Archive, part: string) {
  const entry = entries.get(part);
  if (!entry) throw problemOf(refusedKinds.damaged);
  if (entry.isEncrypted()) throw problemOf(refusedKinds.encrypted);
  if (isBomb(entry.compressedSize, entry.uncompressedSize)) throw problemOf(refusedKinds.bomb);
  return zip.openReadStreamPromise(entry);
}

async function readPart(archive: Archive, part: string, handler: XmlHandler): Promise<void> {
  for await (const _ of readXml(await streamOf(archive, part), handler));
}

interface Sheet {
  readonly name: string;
  readonly part: string;
}

/** The sheets of a workbook in order, and the parts shared by them. */
async function readWorkbook(archive: Archive) {
  const main = await mainPart(archive);
  const parts = await relationsOf(archive, main);
  const found: { name: string; relation: string }[] = [];
  let is1904 = false;
  const handler = (name: string, attributes: () => Readonly<Record<string, string>>) => {
    if (name === 'sheet')
      found.push({
        name: told(decoded(attributes()['name']), longestName),
        relation: relationOf(attributes()),
      });
    else if (name === 'workbookPr') is1904 = /^(1|true)$/.test(attributes()['date1904'] ?? '');
  };
  await readPart(archive, main, { open: handler });
  if (found.length > mostSheets) throw problemOf(refusedKinds.manySheets);
  const partById = new Map(parts.map((part) => [part.id, part]));
  const sheets = found.flatMap(({ name, relation }): Sheet[] => {
    const part = partById.get(relation);
    return part?.type === 'worksheet' ? [{ name, part: part.target }] : [];
  });
  const ofType = (wanted: string) => parts.find(({ type }) => type === wanted)?.target;
  return { sheets, is1904, shared: ofType('sharedStrings'), styles: ofType('styles') };
}

/** The path of the workbook part. @throws Refusal that names the kind of archive, if it is another */
async function mainPart(archive: Archive): Promise<string> {
  const { entries } = archive;
  const names = [...entries.keys()];
  if (entries.has('content.xml') && entries.has('mimetype')) throw problemOf(refusedKinds.ods);
  if (names.some((name) => name.endsWith('workbook.bin'))) throw problemOf(refusedKinds.xlsb);
  if (names.some((name) => /(^|\/)Index(\.zip$|\/.*\.iwa$)/.test(name)))
    throw problemOf(refusedKinds.numbers);
  if (entries.has('word/document.xml')) throw problemOf(refusedKinds.document);
  if (entries.has('ppt/presentation.xml')) throw problemOf(refusedKinds.slides);
  const relations = entries.has('_rels/.rels') ? await relationsOf(archive, '') : [];
  const main = relations.find(({ type }) => type === 'officeDocument')?.target ?? 'xl/workbook.xml';
  if (!entries.has(main) || !/workbook/i.test(main)) throw problemOf(refusedKinds.zip);
  return main;
}

interface Relation {
  readonly id: string;
  /** The last part of its URL. */
  readonly type: string;
  readonly target: string;
}

async function relationsOf(archive: Archive, part: string): Promise<Relation[]> {
  const folder = path.dirname(part);
  const relations: Relation[] = [];
  const handler = (name: string, attributes: () => Readonly<Record<string, string>>) => {
    if (name !== 'Relationship') return;
    const { Id = '', Type = '', Target = '' } = attributes();
    const target = decoded(Target);
    const place = target.startsWith('/') ? target.slice(1) : path.join(folder, target);
    relations.push({ id: Id, type: Type.slice(Type.lastIndexOf('/') + 1), target: place });
  };
  await readPart(archive, path.join(folder, '_rels', `${path.basename(part)}.rels`), { open: handler });
  return relations;
}

/** The relation named by a sheet, whatever prefix its namespace has. */
function relationOf(attributes: Readonly<Record<string, string>>): string {
  const [, id = ''] = Object.entries(attributes).find(([name]) => name.endsWith(':id')) ?? [];
  return id;
}

const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function decoded(text = ''): string {
  return text.replace(
    /&(?:#(\d+)|#x([\da-f]+)|(\w+));/gi,
    (whole, decimal?: string, hex?: string, name?: string) => {
      if (name !== undefined) return entities[name] ?? whole;
      const code = decimal === undefined ? Number.parseInt(hex ?? '', 16) : Number(decimal);
      return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole;
    },
  );
}

/** The sheet of this name or number, from 1; the first by default. */
function sheetOf(sheets: readonly Sheet[], wanted = '1'): Sheet {
  const sheet =
    sheets.find(({ name }) => name === wanted) ??
    sheets.find(({ name }) => name.trim().toLowerCase() === wanted.trim().toLowerCase()) ??
    (/^\d+$/.test(wanted) ? sheets[Number(wanted) - 1] : undefined);
  if (sheet) return sheet;
  const names = told(sheets.map(({ name }) => `"${name}"`).join(', '), 1000);
  throw problemOf(`The workbook has no sheet "${wanted}". It has ${names || 'none'}`);
}

/** The styles to which cells refer by number. */
async function readStyles(archive: Archive, part: string): Promise<NumberStyle[]> {
  const codes = new Map<number, string>();
  const ids: number[] = [];
  let isOfCells = false;
  const handler = (name: string, attributes: () => Readonly<Record<string, string>>) => {
    if (name === 'numFmt') codes.set(Number(attributes()['numFmtId']), decoded(attributes()['formatCode']));
    else if (name === 'cellXfs') isOfCells = true;
    else if (name === 'xf' && isOfCells) ids.push(Number(attributes()['numFmtId'] ?? 0));
  };
  const close = (name: string) => void (name === 'cellXfs' && (isOfCells = false));
  await readPart(archive, part, { open: handler, close });
  return ids.map((id) => styleOf(id, codes.get(id)));
}

async function* counted(bytes: AsyncIterable<Buffer>, count: (bytes: number) => unknown) {
  for await (const chunk of bytes) {
    count(chunk.length);
    yield chunk;
  }
}

async function* readSheet(
  archive: Archive,
  part: string,
  workbook: Workbook,
  count: (bytes: number) => unknown,
): AsyncGenerator<readonly Line[]> {
  const reader = new SheetReader(workbook);
  try {
    const bytes = counted(await streamOf(archive, part), count);
    for await (const _ of readXml(bytes, reader)) yield reader.take();
    yield reader.take();
  } catch (error) {
    throw plain(error);
  } finally {
    workbook.strings?.close();
    archive.zip.close();
  }
}
