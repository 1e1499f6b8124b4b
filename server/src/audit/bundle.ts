import { Readable } from 'node:stream';
import { stringifyJson, type Id, type Schemas } from '@millrace/api';
import { raw, sql, type Reader } from '../engine/db.ts';
import { Refusal, toRefusal } from '../engine/errors.ts';
import { Download, type Context, type DownloadOperation, type StepsContext } from '../engine/operation.ts';
import { bytesBefore, portionBytes, rowsAtOnce } from '../engine/portions.ts';
import { canonicalEvent, eventHash } from '../journal/canonical.ts';
import { recordOfAccess } from '../journal/journal.ts';
import { findUnsealed } from '../queues/unsealed.ts';
import {
  hashOfSeal,
  idIn,
  keysOf,
  sealText,
  txIn,
  wayTo,
  type Leaf,
  type ProvedErasure,
  type Seal,
} from './seal.rules.ts';
import { selectKeys, selectLeaves, selectSeals, type StoredSeal } from './seals.ts';
import { readErasures } from './verify.ts';

/**
 * Sends one portion after the other, each in a transaction of its own, as fast as the reader takes them: a slow reader holds no
 * transaction.
 */
export const exportAudit: DownloadOperation<'exportAudit'> = async ({ transact, log }, { body }) => {
  const extent = await transact((context) => begin(context, body ?? {}));
  const sent = { seals: 0 };
  const bytes = Readable.from(linesOf(transact, extent, sent), { objectMode: false });
  const done = new Promise<void>((resolve) =>
    bytes.once('close', () => {
      const cause = bytes.readableEnded ? undefined : toRefusal(bytes.errored ?? leftEarly()).message;
      const ending = transact((context) => recordEnd(context, extent, { ...sent, cause }));
      ending
        .catch((error: Error) => log.warn({ err: error }, 'the end of an export is not on record'))
        .finally(resolve);
    }),
  );
  const { fromSeal, toSeal } = extent;
  return new Download({
    mediaType: 'application/x-ndjson',
    fileName: `audit ${extent.exportedOn.slice(0, 10)} seals ${fromSeal} to ${toSeal}.ndjson`,
    bytes,
    done,
  });
};

const leftEarly = () => new Refusal('UNAVAILABLE', 'The reader has gone.');

/** The range of seals of an export. */
interface Extent {
  readonly fromSeal: number;
  readonly toSeal: number;
  readonly exportedOn: string;
}

/** Records the beginning of an export. @throws Refusal NOT_FOUND when there are no such seals */
async function begin(
  context: Context,
  { fromSeal = 1, toSeal }: Schemas['AuditExportRequest'],
): Promise<Extent> {
  const { db, actor, now } = context;
  const [newest] = await selectSeals(db, actor.tenantId, { order: 'desc', limit: 1 });
  const last = newest?.seal.number ?? 0;
  const end = toSeal ?? last;
  if (fromSeal > end || end > last) throw noSuchSeals(fromSeal, end, last);
  await refuseUnsealed(context);
  const changes = { state: 'BEGUN', fromSeal, toSeal: end };
  await recordOfAccess(context, { operation: 'exportAudit', changes });
  return { fromSeal, toSeal: end, exportedOn: now.toISOString() };
}

/** Events go out as stored: a caller without the right to sensitive values waits until all of them are encrypted. @throws Refusal */
async function refuseUnsealed({ db, actor }: Pick<Context, 'db' | 'actor'>): Promise<void> {
  if (actor.permissions.has('revealSensitive')) return;
  const queueId = await findUnsealed(db, actor.tenantId);
  if (queueId === undefined) return;
  throw new Refusal(
    'STATUS_CONFLICT',
    `Events of queue ${queueId} may still have values in plain that are sensitive by now: they are being encrypted. Export the audit trail ` +
      'when that is done, or have somebody do it who has the permission revealSensitive.',
    { retryAfter: 5 },
  );
}

function noSuchSeals(from: number, to: number, last: number): Refusal {
  const there = last === 0 ? 'Nothing is sealed yet: wait a minute.' : `There are seals 1 to ${last}.`;
  return new Refusal('NOT_FOUND', `There are no seals ${from} to ${to}. ${there}`);
}

async function recordEnd(
  context: Context,
  { fromSeal, toSeal }: Extent,
  { seals, cause }: { seals: number; cause: string | undefined },
): Promise<void> {
  const changes = { state: cause === undefined ? 'DONE' : 'CUT', fromSeal, toSeal, seals, cause };
  await recordOfAccess(context, { operation: 'exportAudit', changes });
}

type Transact = StepsContext['transact'];

async function* linesOf(
  transact: Transact,
  { fromSeal, toSeal, exportedOn }: Extent,
  sent: { seals: number },
): AsyncGenerator<string> {
  const keys = await transact(({ db }) => selectKeys(db), reading);
  yield line({ bundle: 1, exportedOn, fromSeal, toSeal, keys });
  for (let number = fromSeal; number <= toSeal; number += 1) {
    const { stored, leaves } = await transact(
      ({ db, actor }) => readSeal(db, actor.tenantId, number),
      reading,
    );
    yield line({ seal: sealText(stored.seal), signature: stored.signature.toString('base64') });
    for (let index = 0; index < leaves.length;) {
      const text = await transact(async (context) => {
        await refuseUnsealed(context);
        return eventsOf(context.db, context.actor.tenantId, stored, leaves.slice(index));
      }, reading);
      index += text.length;
      yield text.join('');
    }
    sent.seals += 1;
    if (number === toSeal) yield line({ end: hashOfSeal(stored.seal) });
  }
}

// To hash and write a portion takes moments.
const reading = { readMs: 15_000 };
const line = (members: object) => `${stringifyJson(members)}\n`;

async function readSeal(
  db: Reader,
  tenantId: Id,
  number: number,
): Promise<{ stored: StoredSeal; leaves: Leaf[] }> {
  const [stored] = await selectSeals(db, tenantId, { after: number - 1, limit: 1 });
  if (stored?.seal.number !== number)
    throw new Refusal(
      'NOT_FOUND',
      `Seal ${number} is missing. GET /v4/wlm/audit/verification says what is wrong.`,
    );
  return { stored, leaves: await selectLeaves(db, tenantId, number) };
}

/** The lines of the first events among these of a seal; unchanged events have the form in which they were hashed. */
async function eventsOf(
  db: Reader,
  tenantId: Id,
  { seal }: StoredSeal,
  leaves: readonly Leaf[],
): Promise<string[]> {
  const rows = await selectEvents(db, tenantId, seal, leaves);
  const there = new Map(rows.map((row) => [String(row.id), row]));
  const portion = leaves.slice(0, endOf(rows) ?? leaves.length);
  const other = portion.filter(({ id, hash }) => there.get(String(id))?.hash !== hash).map(({ id }) => id);
  const keys = keysOf(await selectKeys(db));
  const { erasures } = await readErasures({ db, tenantId, keys }, other);
  return portion.map(({ id, hash }) => {
    const row = there.get(String(id));
    const way = row?.hash === hash ? undefined : wayTo(row?.hash, hash, erasures.get(String(id)));
    if (way) return line({ erased: hash, id, by: way.at(-1)?.by, proofs: way.map(proof), event: row?.text });
    return row ? `${row.text}\n` : line({ missing: hash, id });
  });
}

const proof = ({ text, signature }: ProvedErasure) => ({ text, signature });

/** The start of the next portion, among the events of this one; undefined when there is none. */
function endOf(rows: readonly Row[]): number | undefined {
  const last = rows.at(-1);
  const isCut = last !== undefined && (rows.length < last.found || rows.length === rowsAtOnce);
  return isCut ? last.position : undefined;
}

interface Row extends Leaf {
  readonly text: string;
  /** Among the requested events, from 1. */
  readonly position: number;
  /** Number of events that were examined. */
  readonly found: number;
}

/** Events of a seal, which are in their places, or have all lost them in a restore of the database. */
function selectEvents(
  db: Reader,
  tenantId: Id,
  { first, last }: Seal,
  leaves: readonly Leaf[],
): Promise<Row[]> {
  const ids = leaves.map(({ id }) => id);
  const places = sql`(tx, id) between (${txIn(first)}::xid8, ${idIn(first)}::bigint)
    and (${txIn(last)}::xid8, ${idIn(last)}::bigint)`;
  const ofSeal = sql`from events where tenant_id = ${tenantId} and id = any(${ids}::bigint[])`;
  return db.rows<Row>(sql`
    select e.id, ${canonicalEvent} as text, encode(${eventHash}, 'hex') as hash, e.position::int, e.found::int
    from (
      select s.*, count(*) over () as found,
        ${bytesBefore(raw('octet_length(s.changes::text)'), raw('s.position'))} as bytes_before
      from (
        select *, array_position(${ids}::bigint[], id) as position from (
          select * ${ofSeal} and ${places} union all
          select * ${ofSeal} and tx = '0' and ${txIn(first)} <> '0') there
        order by position limit ${rowsAtOnce}) s) e
    where e.bytes_before < ${portionBytes} order by e.position`);
}
