import { stringifyJson, type Id, type Schemas } from '@millrace/api';
import { empty, raw, sql, type Db, type Sql } from '../../engine/db.ts';
import { Refusal, toRefusal } from '../../engine/errors.ts';
import { createLimiter } from '../../engine/limiter.ts';
import { listQuery } from '../../engine/lists/lists.ts';
import {
  Download,
  type QueueContext,
  type QueueDefinition,
  type QueueDownloadOperation,
  type StepsContext,
} from '../../engine/operation.ts';
import { shareOf } from '../../engine/share.ts';
import { inSlices, mapped } from '../../engine/slices.ts';
import { recordOfQueueAccess } from '../../journal/journal.ts';
import { withoutValues } from '../../engine/lists/filter.ts';
import { concealed, disclosed, shown } from '../../records/sealed.ts';
import { itemFields } from '../read/fields.ts';
import { namesColumn } from '../read/list.ts';
import { onlyAsked, readPage, type Members } from '../read/page.ts';
import { batchIn, dataOf, rowsOf, statusesIn } from '../read/source.ts';
import { orderOfList, termsOf } from '../read/walk.ts';
import { cellsOf, columnsOf } from './columns.rules.ts';
import { csvLine } from './csv.rules.ts';
import { headXml, rowXml } from './sheet.rules.ts';
import { Spool } from '../../engine/spool.ts';
import { workbookOf } from './workbook.ts';

type Request = Schemas['ExportRequest'];
type Item = Schemas['WorkItem'];

/** The limits of an export. */
interface ExportBounds {
  /** The time of one statement, of which the first may sort everything. */
  readonly statementMs: number;
  /** The time of the whole: a snapshot keeps dead rows of the database alive for all. */
  readonly snapshotMs: number;
  /** On the disk of the server, until they are sent. */
  readonly bytes: number;
}

const usualBounds: ExportBounds = { statementMs: 60_000, snapshotMs: 30 * 60_000, bytes: 8 * 1024 ** 3 };

/** @param bounds the limits of an export. */
export const exportWithin =
  (bounds: ExportBounds): QueueDownloadOperation<'exportWorkItems'> =>
  async ({ transact, transactLong, signal, takePlace }, { body }) => {
    let free: (() => void) | undefined;
    try {
      const fileName = await transact(async (context) => {
        free ??= await placeOf(takePlace);
        return begin(context, body);
      });
      const spool = await Spool.open();
      const progress = new Progress(spool, bounds, signal);
      const filling = inLine(() =>
        transactLong((context) => fill(context, body, progress), { readMs: bounds.statementMs }),
      );
      const end = (error?: Error) => transact((context) => recordEnd(context, body, progress.rows, error));
      const done = finish(spool, filling, end);
      const bytes = spool.read();
      bytes.once('close', () => void done.finally(free));
      await Promise.race([progress.begun, filling]).catch((error: unknown) => {
        bytes.destroy();
        throw error;
      });
      // A caller who left before the first byte reads none.
      if (signal.aborted) bytes.destroy();
      return new Download({ mediaType: mediaTypes[body.format ?? 'CSV'], fileName, bytes, done });
    } catch (error) {
      free?.();
      throw error;
    }
  };

export const exportWorkItems = exportWithin(usualBounds);

const endings = { CSV: 'csv', EXCEL: 'xlsx', NDJSON: 'ndjson' } as const;
const mediaTypes = {
  CSV: 'text/csv; charset=utf-8; header=present',
  EXCEL: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  NDJSON: 'application/x-ndjson',
} as const;

/**
 * Records the beginning of an export, with its caller and request; returns the name of the file. @throws Refusal when the request cannot be
 * understood
 */
async function begin(context: QueueContext, body: Request): Promise<string> {
  const { queue, now } = context;
  refusePlain(context, body);
  columnsOf(queue, body);
  selectionOf(queue, body);
  await record(context, { state: 'BEGUN', ...asked(queue, body) });
  const safe = queue.name.replace(/[\\/:*?"<>|\p{Cc}]/gu, '_');
  return `${safe} ${now.toISOString().slice(0, 10)}.${endings[body.format ?? 'CSV']}`;
}

function recordEnd(
  context: QueueContext,
  body: Request,
  rows: number,
  error: Error | undefined,
): Promise<void> {
  const outcome = error ? { state: 'CUT', rows, cause: toRefusal(error).message } : { state: 'DONE', rows };
  return record(context, { ...outcome, ...asked(context.queue, body) });
}

function record(context: QueueContext, changes: object): Promise<void> {
  return recordOfQueueAccess(context, context.queue.id, { operation: 'exportWorkItems', changes });
}

const longestFilter = 10_000;

/** The request in the events of an export; only the beginning of a very long filter. */
function asked(queue: QueueDefinition, request: Request): object {
  const { format = 'CSV', sort, fields, attributes, plain } = request;
  const filter = withoutValues(request.filter, recordFields(queue));
  const text = stringifyJson(filter ?? null);
  return {
    format,
    ...(plain && { plain }),
    ...(filter !== undefined &&
      filter !== null && {
        filter: text.length > longestFilter ? `${text.slice(0, longestFilter)}…` : filter,
      }),
    ...(sort && sort.length > 0 && { sort }),
    ...(fields && { fields }),
    ...(attributes && { attributes }),
  };
}

/** The fields whose filter values come from records: these are left out of the event, as an attribute may become sensitive later. */
function recordFields({ displayColumns }: QueueDefinition): ReadonlySet<string> {
  return new Set(['any', ...displayColumns.map((_, index) => `col${index + 1}`)]);
}

/** @throws Refusal FORBIDDEN for a caller who may not see sensitive values */
function refusePlain({ actor }: QueueContext, { plain }: Request): void {
  if (!plain || actor.permissions.has('revealSensitive')) return;
  throw new Refusal(
    'FORBIDDEN',
    'An export with sensitive values in plain needs the permission revealSensitive. Leave plain out to get them masked.',
  );
}

/** The progress of an export. */
class Progress {
  readonly spool: Spool;
  /** Resolves when the database has begun to answer: until then the work may begin again, or be refused in words. */
  readonly begun: Promise<void>;
  rows = 0;
  isBegun = false;
  #begin: () => void = () => undefined;
  readonly #bounds: ExportBounds;
  readonly #signal: AbortSignal;
  readonly #since = performance.now();

  constructor(spool: Spool, bounds: ExportBounds, signal: AbortSignal) {
    this.spool = spool;
    this.#bounds = bounds;
    this.#signal = signal;
    this.begun = new Promise((resolve) => (this.#begin = resolve));
  }

  begin(): void {
    this.isBegun = true;
    this.#begin();
  }

  /** @throws Refusal when the export has to end here */
  check(): void {
    const { bytes, snapshotMs } = this.#bounds;
    if (this.#signal.aborted) throw brokenOff('The reader has gone.');
    if (this.spool.size > bytes)
      throw brokenOff(`The export has more than ${bytes} bytes. Take less at a time, by a filter.`);
    if (performance.now() - this.#since > snapshotMs)
      throw brokenOff(
        `The export took longer than ${snapshotMs / 60_000} minutes. Take less at a time, by a filter.`,
      );
  }
}

/** Writes all items of the request to the spool, from one snapshot. */
async function fill(context: QueueContext, body: Request, progress: Progress): Promise<void> {
  const { spool } = progress;
  // A second run would append its output to bytes that have been read already.
  if (progress.isBegun) throw brokenOff('The database has interrupted the export.');
  refusePlain(context, body);
  spool.clear();
  progress.rows = 0;
  try {
    for await (const piece of piecesOf(context, body, progress)) {
      await spool.write(Buffer.from(piece));
      progress.check();
    }
  } catch (error) {
    const refusal = toRefusal(error);
    if (refusal !== error) context.log.warn({ err: error }, 'an export was cut');
    // An error of the database would make the work run again.
    throw progress.isBegun ? brokenOff(refusal.message) : error;
  }
}

const brokenOff = (message: string) => new Refusal('UNAVAILABLE', message);

function piecesOf(context: QueueContext, body: Request, progress: Progress): AsyncIterable<string | Buffer> {
  const { format = 'CSV', timeZone = 'UTC', plain = false } = body;
  const { queue } = context;
  if (format === 'NDJSON') {
    const members = body.fields && new Set<string>(body.fields);
    return joined(
      lines(context, body, progress, {
        members: members && new Set([...members, ...toOpen]),
        line: (item) => `${stringifyJson(onlyAsked(shown(queue, item, plain), members))}\n`,
      }),
    );
  }
  const columns = columnsOf(queue, body);
  const names = columns.map(({ name }) => name);
  const members = new Set([...(body.fields ?? usualMembers), ...toOpen]);
  const cells = (item: Item) =>
    cellsOf(queue, columns, plain ? disclosed(queue, item) : concealed(queue, item));
  if (format === 'CSV') {
    // In the format of files for the queue: a file that is sent back is read in it.
    const writing = { decimalSign: queue.intakeFormat?.decimalSign, ...body };
    const line = (item: Item) => csvLine(cells(item), writing);
    return joined(lines(context, body, progress, { members, line }), csvLine(names, writing));
  }
  const line = (item: Item) => rowXml(cells(item), timeZone);
  return workbookOf({
    name: 'Items',
    head: headXml(names),
    portions: lines(context, body, progress, { members, line }),
  });
}

// Needed to know which values of a record are sealed.
const toOpen = ['id', 'modelVersion'];

const usualMembers = ['id', 'status', 'json', 'failureKind', 'error', 'createdOn', 'updatedOn'];

interface Lines {
  readonly members: ReadonlySet<string> | undefined;
  readonly line: (item: Item) => string;
}

/** The items as lines, some at a time. */
async function* lines(
  context: QueueContext,
  body: Request,
  progress: Progress,
  { members, line }: Lines,
): AsyncGenerator<string[]> {
  for await (const items of itemsInSnapshot(context, body, members)) {
    progress.begin();
    yield await inSlices(mapped(items, line));
    progress.rows += items.length;
  }
}

async function* joined(portions: AsyncIterable<readonly string[]>, head = ''): AsyncGenerator<string> {
  yield head;
  for await (const portion of portions) yield portion.join('');
}

/** Ends the filled spool, and records the outcome before its last bytes are sent. */
async function finish(
  spool: Spool,
  filling: Promise<void>,
  recorded: (error?: Error) => Promise<void>,
): Promise<void> {
  const failure = await failureOf(filling);
  const unrecorded = await failureOf(recorded(failure));
  spool.end(failure ?? unrecorded);
}

function failureOf(work: Promise<unknown>): Promise<Error | undefined> {
  return work.then(
    () => undefined,
    (error: Error) => error,
  );
}

// The limit of concurrent snapshots: each holds a connection, and keeps dead rows alive.
const inLine = createLimiter({ atOnce: shareOf(2), waiting: 20, refusal: tooMany });

// Files that are being read, or wait on disk to be read.
const kind = { name: 'exports', ofAll: 10, ofUser: 2 };

/** A place for an export, until it is released. @throws Refusal when there is none */
async function placeOf(takePlace: StepsContext['takePlace']): Promise<() => void> {
  const place = await takePlace(kind);
  if (place.full === 'user')
    throw new Refusal(
      'TOO_MANY_REQUESTS',
      `You have ${place.held} exports under way, as many as a user may at a time. Begin this one when they are done.`,
      { retryAfter: 10 },
    );
  if (place.full) throw tooMany();
  return place.release;
}

function tooMany(): Refusal {
  return new Refusal(
    'UNAVAILABLE',
    'This server has many exports under way already. Begin this one again later.',
    {
      retryAfter: 10,
    },
  );
}

type Selection = Pick<Schemas['ExportRequest'], 'filter' | 'sort'>;

/**
 * The items of a list request, as SQL that selects their ids in order.
 * @param condition the part of the filter that an index serves
 * @throws Refusal when the request cannot be understood
 */
function selectionOf(
  queue: QueueDefinition,
  { filter = null, sort = null }: Selection,
  condition: Sql = sql`true`,
) {
  const request = { filter, sort };
  const fields = itemFields(queue);
  const { where } = listQuery(request, fields, sql`i.id`);
  const order = orderOfList(request, fields);
  const source = { statuses: statusesIn(filter), condition };
  return sql`
    select i.id from (${rowsOf(queue.id, source)}) i ${namesColumn(request, fields) ? dataOf(queue.id) : empty}
    where ${where} order by ${termsOf(order)}`;
}

const idsAtOnce = 2000;

/**
 * The items of a request in the snapshot of a read-only transaction, in order, as many at a time as may be in memory. An empty portion
 * comes first: it shows that the database has begun.
 */
async function* itemsInSnapshot(
  { db, queue }: QueueContext,
  request: Selection,
  members: Members,
): AsyncGenerator<Schemas['WorkItem'][]> {
  await openCursor(db, queue, request);
  let ids = await fetchIds(db);
  yield [];
  for (; ids.length > 0; ids = await fetchIds(db)) {
    for (let left = ids; left.length > 0;) {
      const items = await readPage(db, queue, { ids: left, members });
      yield items;
      left = left.slice(items.length);
    }
  }
}

/** A cursor has no limit: the plan may sort, and is made for all rows. */
async function openCursor(db: Db, queue: QueueDefinition, request: Selection): Promise<void> {
  await db.rows(
    sql`select set_config('enable_sort', 'on', true), set_config('cursor_tuple_fraction', '1', true)`,
  );
  const batch = await batchIn(db, queue.id, request.filter);
  await db.rows(sql`declare exported no scroll cursor for ${selectionOf(queue, request, batch)}`);
}

async function fetchIds(db: Db): Promise<Id[]> {
  const rows = await db.rows<{ id: Id }>(sql`fetch ${raw(String(idsAtOnce))} from exported`);
  return rows.map(({ id }) => id);
}
