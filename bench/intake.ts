import { createWriteStream, openAsBlob } from 'node:fs';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Parser } from 'saxen';
import { openPromise } from 'yauzl';
import { headXml, rowXml } from '../server/src/work-items/export/sheet.rules.ts';
import { workbookOf } from '../server/src/work-items/export/workbook.ts';
import { sharedWorkbookOf, type SharedRow } from './shared-workbook.ts';
import type { Stage } from './stage.ts';

/**
 * `npm run bench intake`: files as work items, from the first byte to the commit, beside COPY of the same rows into the same tables, and
 * beside the bare parse of the same workbook by the libraries that read it. Prints ratios and peak memory, without a verdict.
 */
export async function intake(stage: Stage, rows: number): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'millrace-bench-intake-'));
  try {
    // PostgreSQL writes there, as another account where this one is root's.
    await chmod(folder, 0o777);
    const files = await write(folder, rows);
    const queueId = await createQueue(stage);
    const before = await peakMegabytes(stage);
    const csv = await upload(stage, queueId, files.csv);
    const afterCsv = await peakMegabytes(stage);
    const copied = await copyAgain(stage, folder, queueId);
    const excel = await upload(stage, queueId, files.excel);
    const afterExcel = await peakMegabytes(stage);
    const read = await upload(stage, queueId, files.excel, true);
    const shared = await upload(stage, queueId, files.shared);
    const afterShared = await peakMegabytes(stage);
    const parsed = await parseSeconds(files.excel);
    const memory = { before, afterCsv, afterExcel, afterShared };
    report(rows, { csv, copied, excel, read, shared, parsed, memory });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function write(folder: string, rows: number) {
  const [csv = '', excel = '', shared = ''] = ['rows.csv', 'rows.xlsx', 'shared.xlsx'].map((name) =>
    path.join(folder, name),
  );
  process.stderr.write(`writing ${rows} rows as CSV and as two workbooks\n`);
  await pipeline(csvOf(rows), createWriteStream(csv));
  const sheet = { name: 'Items', head: headXml(names), portions: sheetOf(rows) };
  await pipeline(workbookOf(sheet), createWriteStream(excel));
  await pipeline(sharedWorkbookOf(names, recordsOf(rows)), createWriteStream(shared));
  return { csv, excel, shared };
}

const names = ['number', 'customer', 'amount', 'due', 'urgent'];
const types = ['TEXT', 'TEXT', 'NUMBER', 'DATE', 'BOOLEAN'] as const;
const rowsAtOnce = 1000;

const due = (row: number) =>
  `2026-${String((row % 12) + 1).padStart(2, '0')}-${String((row % 28) + 1).padStart(2, '0')}`;
const number = (row: number) => `R-${String(row).padStart(8, '0')}`;
const customer = (row: number) => `Customer ${(row * 7919) % 100_003}`;
const amount = (row: number) => String(((row * 104_729) % 10_000_000) / 100);

function* portions(rows: number): Generator<number[]> {
  for (let from = 0; from < rows; from += rowsAtOnce)
    yield Array.from({ length: Math.min(rowsAtOnce, rows - from) }, (_, index) => from + index);
}

function* csvOf(rows: number): Generator<string> {
  yield `${names.join(',')}\n`;
  for (const portion of portions(rows))
    yield portion
      .map((row) => `${number(row)},${customer(row)},${amount(row)},${due(row)},${String(row % 3 === 0)}\n`)
      .join('');
}

async function* sheetOf(rows: number): AsyncGenerator<string[]> {
  for (const portion of portions(rows))
    yield await Promise.resolve(
      portion.map((row) =>
        rowXml([number(row), customer(row), { number: amount(row) }, { on: due(row) }, row % 3 === 0], 'UTC'),
      ),
    );
}

function* recordsOf(rows: number): Generator<SharedRow[]> {
  for (const portion of portions(rows))
    yield portion.map((row) => [
      number(row),
      customer(row),
      Number(amount(row)),
      new Date(due(row)),
      row % 3 === 0,
    ]);
}

async function createQueue({ client }: Stage): Promise<number> {
  const attributes = names.map((name, index) => ({ name, type: types[index] ?? 'TEXT' }));
  const model = await client.createWorkItemModel({ body: { name: 'Intake', attributes } });
  const queue = await client.createQueue({ body: { name: 'Intake', workItemModelId: model.id as number } });
  return Number(queue.id);
}

/** Seconds from the first byte of a file to the answer, which comes after the commit. */
async function upload({ client }: Stage, id: number, file: string, dryRun = false): Promise<number> {
  process.stderr.write(`uploading ${path.basename(file)}\n`);
  const blob = new File([await openAsBlob(file)], path.basename(file));
  const began = performance.now();
  const { rejected } = await client.createWorkItemsFromFile({
    path: { id },
    query: { again: true, dryRun },
    body: { file: blob },
  });
  if (rejected !== 0) throw new Error(`${rejected} rows of ${file} were rejected`);
  return (performance.now() - began) / 1000;
}

const tables = ['work_items', 'work_item_data', 'events'] as const;

/** Seconds that COPY takes for the rows of a queue, into tables with the same columns, checks and indexes. */
async function copyAgain(
  { database }: Stage,
  folder: string,
  queueId: number,
): Promise<Record<string, number>> {
  const seconds: Record<string, number> = {};
  for (const table of tables) {
    const file = path.join(folder, `${table}.copy`);
    await database.query(
      `copy (select * from ${table} where queue_id = ${queueId}) to '${file}' (format binary)`,
    );
    await database.query(`create table bench_${table} (like ${table} including all)`);
  }
  process.stderr.write('copying the same rows\n');
  await database.query('begin');
  for (const table of tables) {
    const began = performance.now();
    await database.query(`copy bench_${table} from '${path.join(folder, `${table}.copy`)}' (format binary)`);
    seconds[table] = (performance.now() - began) / 1000;
  }
  const began = performance.now();
  await database.query('commit');
  seconds['commit'] = (performance.now() - began) / 1000;
  await database.query(`drop table ${tables.map((table) => `bench_${table}`).join(', ')}`);
  return seconds;
}

/** Seconds that the libraries take to read a whole sheet, without making anything of it. */
async function parseSeconds(file: string): Promise<number> {
  process.stderr.write('parsing the workbook alone\n');
  const began = performance.now();
  const zip = await openPromise(file, { lazyEntries: true, autoClose: false });
  for await (const entry of zip.eachEntry()) {
    if (!entry.fileName.startsWith('xl/worksheets/')) continue;
    const parser = new Parser();
    const decoder = new TextDecoder('utf-8');
    let cells = 0;
    parser.on('openTag', (name: string, attributes: () => object) => {
      if (name === 'c') cells += Object.keys(attributes()).length;
    });
    parser.on('text', (text: string, decode: (text: string) => string) => void decode(text));
    for await (const chunk of (await zip.openReadStreamPromise(entry)) as AsyncIterable<Buffer>)
      parser.write(decoder.decode(chunk, { stream: true }));
    parser.end();
  }
  zip.close();
  return (performance.now() - began) / 1000;
}

/** The most memory that the process of the server had so far. */
async function peakMegabytes({ pids }: Stage): Promise<number | undefined> {
  const text = await readFile(`/proc/${pids.server}/status`, 'utf8').catch(() => '');
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(text) ?? [];
  return kilobytes === undefined ? undefined : Math.round(Number(kilobytes) / 1024);
}

interface Measured {
  readonly csv: number;
  readonly copied: Record<string, number>;
  readonly excel: number;
  /** Read and checked, but not stored. */
  readonly read: number;
  /** With texts that its cells share, as Excel writes them. */
  readonly shared: number;
  readonly parsed: number;
  readonly memory: Record<string, number | undefined>;
}

function report(rows: number, { csv, copied, excel, read, shared, parsed, memory }: Measured): void {
  const copy = Object.values(copied).reduce((sum, one) => sum + one, 0);
  const withoutEvents = copy - (copied['events'] ?? 0);
  const speed = (seconds: number) => `${Math.round(rows / seconds)} rows/s`;
  const megabytes = (value: number | undefined) => (value === undefined ? 'unknown here' : `${value} MB`);
  console.log(
    `\n${rows} rows with five columns. Node ${process.version}, ${process.platform}, ${availableParallelism()} cores.\n`,
  );
  console.table({
    'CSV, from the first byte to the commit': speed(csv),
    'COPY of the same rows: items, data, events': speed(copy),
    'the same without events': speed(withoutEvents),
    'CSV to COPY': (copy / csv).toFixed(2),
    'CSV to COPY without events': (withoutEvents / csv).toFixed(2),
    'Excel, from the first byte to the commit': speed(excel),
    'Excel with dryRun, which stores nothing': speed(read),
    'Excel with shared texts, stored': speed(shared),
    'bare parse of the workbook': speed(parsed),
    'Excel to bare parse': (parsed / excel).toFixed(2),
    'Excel with dryRun to bare parse': (parsed / read).toFixed(2),
    'peak memory of the server before': megabytes(memory['before']),
    'peak memory after CSV': megabytes(memory['afterCsv']),
    'peak memory after Excel': megabytes(memory['afterExcel']),
    'peak memory after Excel with shared texts': megabytes(memory['afterShared']),
  });
}
