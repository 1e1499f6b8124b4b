import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { ZipFile } from 'yazl';
import { frameOf, sheetEnd, sheetStart } from './sheet.rules.ts';

/** Rows of a sheet as XML, some at a time. */
interface SheetRows {
  /** The name of the sheet. */
  readonly name: string;
  readonly head: string;
  readonly portions: AsyncIterable<readonly string[]>;
}

/** The limits of one sheet: the most rows of the format, and fewer characters than would need another form of archive. */
const usualBounds = { rows: 1_048_576, characters: 1024 ** 3 };

/** A workbook, part by part, as its rows come; rows beyond one sheet go on in another. */
export async function* workbookOf(rows: SheetRows, most = usualBounds): AsyncGenerator<Buffer> {
  const zip = new ZipFile();
  const output = zip.outputStream as PassThrough;
  // A failure here is thrown by the iteration below.
  const filling = fill(zip, rows, most).catch((error: Error) => void output.destroy(error));
  for await (const piece of output as AsyncIterable<Buffer>) yield piece;
  await filling;
}

async function fill(
  zip: ZipFile,
  { name, head, portions }: SheetRows,
  most: typeof usualBounds,
): Promise<void> {
  let sheet = openSheet(zip, 1, head);
  for await (const portion of portions) {
    for (const row of portion) {
      if (sheet.rows() >= most.rows || sheet.characters() >= most.characters)
        sheet = await nextSheet(zip, sheet, head);
      sheet.add(row);
    }
    await sheet.flush();
  }
  await sheet.end();
  for (const [part, text] of Object.entries(frameOf(sheet.number, name)))
    zip.addBuffer(Buffer.from(text), part);
  zip.end();
}

type Sheet = ReturnType<typeof openSheet>;

async function nextSheet(zip: ZipFile, full: Sheet, head: string): Promise<Sheet> {
  await full.end();
  return openSheet(zip, full.number + 1, head);
}

function openSheet(zip: ZipFile, number: number, head: string) {
  const stream = new PassThrough();
  zip.addReadStream(stream, `xl/worksheets/sheet${number}.xml`);
  let [rows, characters, waiting] = [1, 0, [sheetStart, head]];
  const flush = async () => {
    const text = waiting.join('');
    waiting = [];
    characters += text.length;
    if (!stream.write(text)) await once(stream, 'drain');
  };
  return {
    number,
    rows: () => rows,
    characters: () => characters,
    add: (row: string) => {
      rows += 1;
      waiting.push(row);
    },
    flush,
    end: async () => {
      waiting.push(sheetEnd);
      await flush();
      stream.end();
    },
  };
}
