import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inPortions } from '../portions.ts';
import type { Cell, ReadOptions } from './cells.rules.ts';
import { openTable } from './open.ts';
import { workbookOf, zipOf } from './workbook.fixture.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'millrace-table-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Reads bytes as a table, or returns the reason why they are none. */
async function read(bytes: string | Buffer, options: ReadOptions = {}) {
  const file = path.join(folder, 'file');
  writeFileSync(file, bytes);
  const rows: (readonly Cell[])[] = [];
  const numbers: number[] = [];
  try {
    const { layout, lines } = await openTable(file, options);
    for await (const part of lines)
      for (const { row, cells } of part) {
        rows.push(cells);
        numbers.push(row);
      }
    return { layout, rows, numbers, message: '' };
  } catch (error) {
    return { layout: undefined, rows, numbers, message: (error as Error).message };
  }
}

const fixture = (name: string) => readFileSync(path.join(import.meta.dirname, '../fixtures', name));

const german = [
  ['Invoice Number', 'Customer', 'Amount', 'Due', 'Booked', 'Urgent'],
  ['00012345', 'Müller & Söhne', '1234,5', '01.03.2026', '14.02.2026 09:30:00', 'WAHR'],
  ['12345678901234567890', 'Jäger "Bau"; GmbH', '-0,07', '31.12.2026', '01.07.2026 23:59:00', 'FALSCH'],
  ['7', 'Straße\nzweite Zeile', '2469', '28.02.1999', '', ''],
];

describe('text', () => {
  test.each(['utf-8', 'windows-1252', 'utf-16le'])(
    'an export of LibreOffice in German and %s is read without being told how',
    async (encoding) => {
      const { layout, rows } = await read(fixture(`german-${encoding}.csv`));
      expect(layout).toEqual({ format: 'CSV', delimiter: ';', encoding });
      expect(rows).toEqual(german);
    },
  );

  test('an export in French, and one in Polish with tabs, whose encoding must be told', async () => {
    expect((await read(fixture('french-windows-1252.csv'))).rows[2]).toEqual([
      'F-2',
      'Œuvre à façon',
      '0,25',
      '31/12/2026',
    ]);
    const polish = fixture('polish-windows-1250.tsv');
    const { layout, rows } = await read(polish, { encoding: 'windows-1250' });
    expect([layout?.delimiter, rows[1]]).toEqual(['\t', ['P-1', 'Żółć Łódź Śląsk', '12,5']]);
  });

  test.each([
    ['russian-windows-1251.csv', 'windows-1251', ';', ['Р-1', 'Ёлкин и «Сыновья»', '1234,5', '01.03.2026']],
    ['japanese-shift-jis.csv', 'shift_jis', ',', ['A-1', '株式会社テスト', '1234.5', '2026-03-01']],
  ])(
    'an export of LibreOffice, %s, is read in the encoding that is told',
    async (name, encoding, delimiter, row) => {
      const { layout, rows } = await read(fixture(name), { encoding });
      expect(layout).toEqual({ format: 'CSV', delimiter, encoding });
      expect(rows[1]).toEqual(row);
    },
  );

  test.each([
    ['commas', 'a,b;c\n1,2\n', ','],
    ['semicolons, with commas in numbers', 'a;b\n1,5;2,5\n3,5;4,5\n', ';'],
    ['tabs', 'a b\tc,d\n1\t2\n', '\t'],
    ['bars', 'a|b\n1|2\n', '|'],
    ['one column', 'a\n1\n', ','],
    ['commas, with others in quotes', '"a;;;;",b\n"1;2;3",2\n', ','],
    ['what the first line says', 'sep=|\na;b|c\n', '|'],
  ])('the delimiter is found: %s', async (_, text, delimiter) => {
    expect((await read(text)).layout?.delimiter).toBe(delimiter);
  });

  test('a mark of the encoding counts, UTF-16 is known without one, and gzip is opened', async () => {
    const text = 'a,b\nü,2\n';
    const utf16 = Buffer.from(text, 'utf16le');
    const rows = [
      ['a', 'b'],
      ['ü', '2'],
    ];
    for (const bytes of [
      `\ufeff${text}`,
      utf16,
      Buffer.from(`\ufeff${text}`, 'utf16le').swap16(),
      gzipSync(text),
    ])
      expect((await read(bytes)).rows).toEqual(rows);
  });

  test('a character that is cut between two parts of a file is one character', async () => {
    const text = `a\n${'€'.repeat(30_000)}\n${'x'.repeat(5)}${'😀'.repeat(30_000)}\n`;
    const { layout, rows } = await read(text);
    expect([layout?.encoding, rows.length, rows[2]?.[0]]).toEqual([
      'utf-8',
      3,
      `xxxxx${'😀'.repeat(30_000)}`,
    ]);
  });
});

const cells = async (rows: string, more: Omit<Parameters<typeof workbookOf>[0], 'rows'> = {}) =>
  read(workbookOf({ rows, ...more }));

describe('workbooks', () => {
  test('an export of exportWorkItems that LibreOffice has saved anew holds every text, number and time as it was', async () => {
    expect((await read(fixture('export-saved-by-libreoffice.xlsx'))).rows).toEqual([
      ['text', 'number', 'on', 'flag'],
      ['=1+1', -5, { day: '2026-03-01' }, true],
      ['+49 30 1234', 0.1, { day: '2026-03-01', time: '10:30:00' }, false],
      ["'=quoted", '12345678901234567890'],
      [' zoë 😀 _x0041_ <&>\nnext'],
      ['00123'],
    ]);
  });

  test('a workbook of LibreOffice in French has dates and numbers, whatever signs it shows them with', async () => {
    expect((await read(fixture('french.xlsx'))).rows).toEqual([
      ['Numéro', 'Client', 'Montant', 'Échéance', 'Réglé le', 'Urgent'],
      [
        '00042',
        'Crêperie « Étoile »',
        1234.56,
        { day: '2026-03-01' },
        { day: '2026-02-14', time: '09:30:00' },
        true,
      ],
      ['F-2', 'Œuvre à façon', -0.25, { day: '2026-12-31' }, '', false],
    ]);
  });

  test('a workbook of LibreOffice is read with its types, and a sheet by name or number', async () => {
    const { layout, rows } = await read(fixture('german.xlsx'));
    expect(layout).toEqual({ format: 'EXCEL', sheet: 'Offene Posten', sheets: ['Offene Posten', 'Notes'] });
    expect(rows.slice(1)).toEqual([
      [
        '00012345',
        'Müller & Söhne',
        1234.5,
        { day: '2026-03-01' },
        { day: '2026-02-14', time: '09:30:00' },
        true,
      ],
      [
        '12345678901234567890',
        'Jäger "Bau"; GmbH',
        -0.07,
        { day: '2026-12-31' },
        { day: '2026-07-01', time: '23:59:00' },
        false,
      ],
      ['7', 'Straße\nzweite Zeile', 2469, { day: '1999-02-28' }],
    ]);
    for (const sheet of ['notes', '2'])
      expect((await read(fixture('german.xlsx'), { sheet })).rows).toEqual([['nothing here']]);
    expect((await read(fixture('german.xlsx'), { sheet: 'Totals' })).message).toBe(
      'The workbook has no sheet "Totals". It has "Offene Posten", "Notes". Nothing was created.',
    );
  });

  test('cells without references, with prefixes, with texts of several formats, escapes and errors', async () => {
    const { rows, numbers } = await cells(
      '<x:row><x:c t="s"><x:v>0</x:v></x:c><x:c t="inlineStr"><x:is><x:t>a</x:t><x:r><x:t>b</x:t></x:r></x:is></x:c></x:row>' +
        '<row r="5"><c r="B5" t="str"><f>A1</f><v>x_x000A_y &amp; z</v></c><c t="e"><v>#N/A</v></c><c r="F5"><f>1+1</f></c><c r="G5" t="b"><v>1</v></c></row>' +
        '<row r="7"><c r="A7" s="3"/></row><row r="8"><c r="A8"><v>0.30000000000000004</v></c><c><v>1234567890123456</v></c></row>',
      { strings: '<si><r><t>sha</t></r><r><t>red</t></r><rPh><t>phonetic</t></rPh></si>' },
    );
    expect(rows).toEqual([
      ['shared', 'ab'],
      ['', 'x\ny & z', { broken: '#N/A' }, '', '', { broken: 'a formula whose value was not saved' }, true],
      [0.3, 1234567890123456],
    ]);
    expect(numbers).toEqual([1, 5, 8]);
  });

  test('dates by style in both systems, times, and numbers with leading zeros', async () => {
    const styles =
      '<numFmts><numFmt numFmtId="170" formatCode="[$-407]dd\\.mm\\.yyyy;@"/><numFmt numFmtId="171" formatCode="00000"/>' +
      '<numFmt numFmtId="172" formatCode="[Red]0.00&quot; days&quot;"/><numFmt numFmtId="173" formatCode="[h]:mm"/></numFmts>' +
      '<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs>' +
      [0, 14, 170, 22, 20, 171, 172, 173].map((id) => `<xf numFmtId="${id}"/>`).join('') +
      '</cellXfs>';
    const row = (...values: [style: number, value: string][]) =>
      `<row>${values.map(([style, value]) => `<c s="${style}"><v>${value}</v></c>`).join('')}</row>`;
    const all = row(
      [0, '46082'],
      [1, '46082'],
      [2, '59'],
      [2, '61'],
      [3, '46082.5'],
      [4, '0.25'],
      [5, '123'],
      [6, '3'],
      [7, '1.5'],
    );
    expect((await cells(all, { styles })).rows[0]).toEqual([
      46082,
      { day: '2026-03-01' },
      { day: '1900-02-28' },
      { day: '1900-03-01' },
      { day: '2026-03-01', time: '12:00:00' },
      { time: '06:00:00' },
      { number: 123, shown: '00123' },
      3,
      { day: '1900-01-01', time: '12:00:00' },
    ]);
    const long = row(
      [0, '9007199254740993'],
      [0, '-12345678901234567.5'],
      [0, '12345678901234500000'],
      [0, '9007199254740992'],
    );
    expect((await cells(long, { styles })).rows[0]).toEqual([
      '9007199254740993',
      '-12345678901234567.5',
      12345678901234500000,
      9007199254740992,
    ]);
    expect((await cells(row([1, '44620']), { styles, is1904: true })).rows[0]).toEqual([
      { day: '2026-03-01' },
    ]);
  });
});

test('a date that is written out is one of a clock, or an instant where it says UTC', async () => {
  const written = (text: string) => `<c t="d"><v>${text}</v></c>`;
  const texts = ['2026-07-01', '2026-07-01T09:30', '2026-07-01T09:30:00Z', '2026-07-01T09:30Z', '09:30:00'];
  const { rows } = await read(workbookOf({ rows: `<row>${texts.map(written).join('')}</row>` }));
  expect(rows).toEqual([
    [
      { day: '2026-07-01' },
      { day: '2026-07-01', time: '09:30:00' },
      '2026-07-01T09:30:00Z',
      '2026-07-01T09:30:00Z',
      { time: '09:30:00' },
    ],
  ]);
});

test.each(['euc-kr', 'shift_jis', 'utf-16le'] as const)(
  'bytes that are no character of %s, which was said, are refused with their row',
  async (encoding) => {
    const bad = { 'euc-kr': [0xff, 0x20], shift_jis: [0xff, 0x20], 'utf-16le': [0x00, 0xdc] }[encoding];
    const text = Buffer.from('a,b\n1,2\n"3\n3",4\n5,', encoding === 'utf-16le' ? 'utf16le' : 'latin1');
    const { message } = await read(Buffer.concat([text, Buffer.from(bad)]), { encoding });
    expect(message).toContain(`Row 4: has bytes that are no character in ${encoding}`);
  },
);

test('rows of a text that are long are handed out in parts of a bounded size', async () => {
  const file = path.join(folder, 'long');
  writeFileSync(file, `a\n${`${'x'.repeat(100_000)}\n`.repeat(150)}`);
  const lengths: number[] = [];
  for await (const portion of inPortions((await openTable(file, {})).lines)) lengths.push(portion.length);
  expect(lengths.reduce((sum, length) => sum + length)).toBe(151);
  expect(Math.max(...lengths)).toBeLessThan(60);
});

test('half characters of a workbook are replaced, as those of a text are', async () => {
  const strings = '<si><t>a_xD800_b</t></si>';
  const typed = (text: string) => `<c t="str"><v>${text}</v></c>`;
  const rows = `<row><c t="s"><v>0</v></c>${typed('a_xD800_b')}${typed('a&#xD800;b')}${typed('_xD83D__xDE00_')}</row>`;
  expect((await read(workbookOf({ rows, strings }))).rows).toEqual([
    ['a\ufffdb', 'a\ufffdb', 'a\ufffdb', '😀'],
  ]);
});

const utf32 = (text: string) =>
  Buffer.concat(
    [...text].map((sign) => {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32LE(sign.codePointAt(0) ?? 0);
      return bytes;
    }),
  );

test.each(['[Customer],[Amount]\n', '{Customer},Amount\n', 'ID;Price\n', '<none>,Amount\n', '"<html>",a\n'])(
  'a header that only looks a little like something else is one: %s',
  async (header) => {
    expect((await read(`${header}1,2\n`)).rows).toHaveLength(2);
  },
);

describe('files that are no tables, or are made to do harm', () => {
  test.each<[string, () => string | Buffer, string]>([
    ['a PDF', () => '%PDF-1.7\n%âãÏÓ', 'The file is a PDF, which is no table'],
    ['bytes', () => Buffer.from([1, 0, 2, 0, 0, 3, 0, 0]), 'neither text nor a workbook'],
    ['an old workbook', () => fixture('german.xls'), 'Excel 97 to 2003'],
    ['an OpenDocument', () => fixture('german.ods'), 'OpenDocument spreadsheet (.ods)'],
    [
      'an encrypted workbook',
      () =>
        Buffer.concat([Buffer.from('d0cf11e0a1b11ae1', 'hex'), Buffer.from('EncryptedPackage', 'utf16le')]),
      'protected by a password',
    ],
    ['a binary workbook', () => zipOf({ 'xl/workbook.bin': 'x' }), 'binary workbook (.xlsb)'],
    [
      'a page of HTML named .xls',
      () => '\ufeff\r\n<html xmlns:x="urn:schemas-microsoft-com:office:excel"><table><tr><td>customer',
      'The file is a page of HTML',
    ],
    ['a page of HTML with a doctype', () => '<!DOCTYPE html>\n<p>Log in', 'The file is a page of HTML'],
    [
      'an XML spreadsheet',
      () => '<?xml version="1.0"?>\n<?mso-application progid="Excel.Sheet"?>\n<Workbook/>',
      'XML Spreadsheet 2003',
    ],
    ['other XML', () => '<?xml version="1.0"?><orders/>', 'The file is XML'],
    ['JSON', () => '[\n  {"customer":"Jane"}]', 'The file is JSON'],
    ['lines of JSON', () => '{"customer":"Jane"}\n{"customer":"Joe"}\n', 'The file is JSON'],
    ['UTF-32 with a mark', () => utf32('\ufeffcustomer,amount\n'), 'text in UTF-32'],
    ['UTF-32', () => utf32('customer,amount\nJane,5\n'), 'text in UTF-32'],
    ['UTF-32 of the other order', () => utf32('customer,amount\nJane,5\n').swap32(), 'text in UTF-32'],
    ['a database', () => 'SQLite format 3\0', 'a database of SQLite'],
    ['a text document', () => zipOf({ 'word/document.xml': '<a/>' }), 'a text document (.docx)'],
    ['a spreadsheet of Numbers', () => zipOf({ 'Index/Document.iwa': 'x' }), 'a spreadsheet of Numbers'],
    ['a compressed workbook', () => gzipSync(fixture('german.xlsx')), 'that is compressed is a workbook'],
    ['another archive', () => zipOf({ 'a.txt': 'a' }), 'an archive, but no workbook'],
    ['half a workbook', () => fixture('german.xlsx').subarray(0, 3000), 'The workbook is damaged'],
    ['half a gzip', () => gzipSync('a,b\n'.repeat(9999)).subarray(0, 60), 'compressed file is damaged'],
    [
      'a bomb in a workbook',
      () => workbookOf({ rows: `<row><c><v>${' '.repeat(60_000_000)}</v></c></row>` }),
      'inflates to more',
    ],
    ['a bomb of gzip', () => gzipSync(Buffer.alloc(60_000_000, 'a')), 'inflates to more'],
    [
      'entities',
      () =>
        workbookOf({
          prolog: '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">]>',
          rows: '<row><c t="inlineStr"><is><t>&a;</t></is></c></row>',
        }),
      'holds a document type declaration',
    ],
    [
      'a huge cell of a workbook',
      () => workbookOf({ rows: `<row><c t="str"><v>${'x'.repeat(40_000)}</v></c></row>` }),
      'The cell A1 has more than 32767 characters',
    ],
    [
      'a huge text that cells share',
      () => workbookOf({ rows: '<row/>', strings: `<si><t>${'x'.repeat(40_000)}</t></si>` }),
      'The workbook has a text of more than 32767 characters',
    ],
    [
      'a text of many parts that cells share',
      () => workbookOf({ rows: '<row/>', strings: `<si>${'<r><t>0123456789</t></r>'.repeat(30_000)}</si>` }),
      'The workbook has a text of more than 32767 characters',
    ],
    [
      'a text without an end',
      () => workbookOf({ rows: `<row><c t="str"><v>${'0123456789'.repeat(400_000)}</v></c></row>` }),
      'The workbook is damaged',
    ],
    [
      'very many columns of a workbook',
      () => workbookOf({ rows: '<row><c r="ALM1"><v>1</v></c></row>' }),
      'Row 1: has more than 1000 columns',
    ],
    ['a row between two', () => workbookOf({ rows: '<row r="1.5"/>' }), 'has a row 1.5 behind row 0'],
    [
      'very many sheets',
      () =>
        zipOf({
          'xl/workbook.xml': `<workbook>${'<sheet/>'.repeat(1001)}</workbook>`,
          'xl/_rels/workbook.xml.rels': '<a/>',
        }),
      'more than 1,000 sheets',
    ],
    ['rows that go back', () => workbookOf({ rows: '<row r="5"/><row r="5"/>' }), 'has a row 5 behind row 5'],
    ['a huge cell of CSV', () => `a\n"${'x'.repeat(2_000_000)}"\n`, 'Row 2: is longer than 1 MiB'],
  ])('%s is refused with a sentence', async (_, bytes, message) => {
    const { message: said } = await read(bytes());
    expect(said).toContain(message);
    expect(said).toContain('Nothing was created.');
  });
});
