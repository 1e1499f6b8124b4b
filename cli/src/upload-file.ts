import { openAsBlob } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { UsageError } from './errors.ts';
import { whyUnreadable } from './files.ts';

const accepted =
  'Upload takes CSV, also compressed by gzip, and workbooks of Excel (.xlsx), whose first row names the attributes; each further ' +
  'row is an item.';
const saveAs =
  'Open it in Excel or LibreOffice, choose File > Save As with the type "Excel Workbook (.xlsx)" or "CSV UTF-8", and upload the ' +
  'file that this makes.';
const exportAsCsv =
  'Have the program that it comes from export its table as .xlsx or as CSV, and upload that.';

interface Format {
  /** Of archives. */
  readonly endings?: readonly string[];
  /** The first characters of all files of the format, and of no others. */
  readonly start?: string;
  readonly name: string;
  readonly remedy: string;
}

// The first characters tell the format under any name; archives are of many kinds, so there the ending tells it. All else is left to the
// server: a file named .xls may be text, or a page of HTML.
const formats: readonly Format[] = [
  { endings: ['.ods'], name: 'an OpenDocument spreadsheet', remedy: saveAs },
  { endings: ['.xlsb'], name: 'a binary workbook', remedy: saveAs },
  {
    start: '\u00d0\u00cf\u0011\u00e0',
    name: 'an old workbook, or one with a password',
    remedy: saveAs,
  },
  { start: '%PDF', name: 'a PDF', remedy: exportAsCsv },
];

/** @throws UsageError that says why the file cannot be read, or how to make one of it that can be uploaded */
export async function openUpload(file: string): Promise<File> {
  const start = await startOf(file);
  const ending = path.extname(file).toLowerCase();
  const format = formats.find(
    (one) =>
      (one.start && start.startsWith(one.start)) ||
      ((start === '' || start.startsWith('PK')) && one.endings?.includes(ending)),
  );
  if (format !== undefined) throw new UsageError(`${file} is ${format.name}. ${accepted} ${format.remedy}`);
  return new File([await openAsBlob(file)], path.basename(file));
}

/** The first four bytes as characters. */
async function startOf(file: string): Promise<string> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(file);
    if (!(await handle.stat()).isFile()) throw new Error('it is no file');
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(4));
    return buffer.toString('latin1', 0, bytesRead);
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${whyUnreadable(error)}.`);
  } finally {
    await handle?.close();
  }
}
