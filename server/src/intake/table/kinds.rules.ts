/** The kind of a file, by its first bytes. */
type Kind = 'text' | 'gzip' | 'zip' | 'ole' | 'other';

const starts: readonly (readonly [kind: Kind, bytes: readonly number[], name?: string])[] = [
  ['gzip', [0x1f, 0x8b]],
  ['zip', [0x50, 0x4b, 3, 4]],
  ['zip', [0x50, 0x4b, 5, 6]],
  ['ole', [0xd0, 0xcf, 0x11, 0xe0]],
  ['other', [0x25, 0x50, 0x44, 0x46], 'a PDF'],
  ['other', [0x89, 0x50, 0x4e, 0x47], 'a picture'],
  ['other', [0xff, 0xd8, 0xff], 'a picture'],
  ['other', [0x47, 0x49, 0x46, 0x38], 'a picture'],
  ['other', [0x7b, 0x5c, 0x72, 0x74, 0x66], 'a text document'],
  ['other', [0x42, 0x5a, 0x68], 'compressed by bzip2'],
  ['other', [0x28, 0xb5, 0x2f, 0xfd], 'compressed by Zstandard'],
  ['other', [0xfd, 0x37, 0x7a, 0x58, 0x5a], 'compressed by xz'],
  ['other', [0x37, 0x7a, 0xbc, 0xaf], 'a 7-Zip archive'],
  ['other', [0x52, 0x61, 0x72, 0x21], 'a RAR archive'],
  ['other', [0x53, 0x51, 0x4c, 0x69, 0x74, 0x65, 0x20, 0x66], 'a database of SQLite'],
  ['other', [0x50, 0x41, 0x52, 0x31], 'a Parquet file'],
  ['other', [0x4d, 0x5a, 0x90], 'a program of Windows'],
  ['other', [0x49, 0x49, 0x2a, 0], 'a picture'],
  ['other', [0x4d, 0x4d, 0, 0x2a], 'a picture'],
];

/** The kind of a file, and its name in a sentence if it cannot be read. */
export function kindOf(start: Uint8Array): { readonly kind: Kind; readonly name: string | undefined } {
  const found = starts.find(([, bytes]) => bytes.every((byte, index) => start[index] === byte));
  const [kind, , name] = found ?? ['text' as const];
  return { kind, name };
}

export const asTable =
  'Open it in the program that it comes from, save or export its table as .xlsx or as "CSV UTF-8", and send that';

export const refusedKinds = {
  other: (name: string) => `The file is ${name}, which is no table. ${asTable}`,
  binary: `The file is neither text nor a workbook. ${asTable}`,
  encrypted:
    'The workbook is protected by a password. Take that off (File > Info > Protect Workbook in Excel), save it, and send it again',
  xls: 'The file is a workbook of Excel 97 to 2003 (.xls). Save it as "Excel Workbook (.xlsx)" or as "CSV UTF-8", and send that',
  xlsb: 'The file is a binary workbook (.xlsb). Save it as "Excel Workbook (.xlsx)" or as "CSV UTF-8", and send that',
  ods: 'The file is an OpenDocument spreadsheet (.ods). Save it as "Excel 2007-365 (.xlsx)" or as "Text CSV", and send that',
  zip: `The file is an archive, but no workbook of Excel. ${asTable}`,
  document: `The file is a text document (.docx), which is no table. ${asTable}`,
  slides: `The file is a presentation (.pptx), which is no table. ${asTable}`,
  numbers:
    'The file is a spreadsheet of Numbers. Export it there (File > Export To > Excel or CSV), and send that',
  utf32: 'The file is text in UTF-32, which few programs read. Save it as "CSV UTF-8", and send that',
  packed: (name: string) =>
    `The file that is compressed is ${name}. Send that as it is, without compressing it`,
  damaged:
    'The workbook is damaged and cannot be read. Open it in Excel or LibreOffice, save it anew, and send it again',
  bomb: 'The file inflates to more than a table of its size can hold. Save it anew as .xlsx or as CSV, and send that',
  markup:
    'The workbook holds a document type declaration, which no workbook has. Save it anew in Excel or LibreOffice, and send that',
  manyTexts:
    'The workbook has more text than can be read from one (512 MiB, or 8 million texts). Save the sheet as "CSV UTF-8", and send that',
  manySheets:
    'The workbook has more than 1,000 sheets. Save the one that is meant as a workbook of its own, and send that',
};
