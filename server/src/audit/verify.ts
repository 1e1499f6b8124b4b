import { verify, type KeyObject } from 'node:crypto';
import type { Id, Input, Output } from '@millrace/api';
import { raw, sql, type Reader, type Sql } from '../engine/db.ts';
import type { PlainOperation } from '../engine/operation.ts';
import { inSlices, mapped } from '../engine/slices.ts';
import { eventHash } from '../journal/canonical.ts';
import { erasureDigest, erasureText, type Erasure } from '../journal/erasure.rules.ts';
import {
  hashOf,
  hashOfSeal,
  idIn,
  keysOf,
  leavesOf,
  noSeal,
  sealText,
  txIn,
  wayTo,
  type Keys,
  type Leaf,
  type ProvedErasure,
  type Seal,
} from './seal.rules.ts';
import { selectKeys, selectLeaves, selectSeals, type Leaves, type StoredSeal } from './seals.ts';

// Each call is one transaction, and holds the hashes of its events in memory.
const sealsOfPart = 10;
const movedOfPart = 5000;
// Enough to see what happened; a table that was filled with other rows must not be read as a whole.
const mostProblems = 100;

export const verifyAudit: PlainOperation<'verifyAudit'> = ({ db, actor }, { query }) =>
  verifyPart({ db, tenantId: actor.tenantId }, query);

/** Verifies a part of the audit trail of a tenant; a tool on the server's machine can do so without asking the server. */
export async function verifyPart(
  { db, tenantId }: Pick<Trail, 'db' | 'tenantId'>,
  { after, head, keys }: Input<'verifyAudit'>['query'],
): Promise<Output<'verifyAudit'>> {
  const chain = await selectChain(db, tenantId);
  const [phase, position] = placeIn(after ?? (chain.movedThrough > 0 ? 'moved-0' : 'seals-0'));
  const trail = { db, tenantId, chain, keys: keysOf(await selectKeys(db), keys?.split(',')) };
  const part =
    phase === 'moved' ? await verifyMoved(trail, position) : await verifySeals(trail, position, head);
  const problems = part.problems.slice(0, mostProblems);
  return { ...part, problems, sealsInAll: chain.number };
}

interface Trail extends ErasureTrail {
  readonly chain: Chain;
}

type Part = Omit<Output<'verifyAudit'>, 'problems' | 'sealsInAll'> & { readonly problems: Problem[] };

function placeIn(cursor: string): ['moved' | 'seals', number] {
  const [phase, position] = cursor.split('-');
  return [phase === 'moved' ? 'moved' : 'seals', Number(position)];
}

/** Verifies the seals after one, each with its events where those have kept their places. */
async function verifySeals(trail: Trail, after: number, head: string | undefined): Promise<Part> {
  const { db, tenantId, chain, keys } = trail;
  const [before] = after > 0 ? await selectSeals(db, tenantId, { after: after - 1, limit: 1 }) : [];
  const seals = await selectSeals(db, tenantId, { after, limit: sealsOfPart });
  const signers = [...new Set(seals.map(({ seal }) => seal.keyId))];
  const part = { seals: after, events: 0, erased: 0, keys: signers, problems: [] as Problem[] };
  let previous = before?.seal;
  for (const stored of seals) {
    const { seal, signature } = stored;
    const leaves = await selectLeaves(db, tenantId, seal.number);
    part.problems.push(...checkSeal({ seal, signature, leaves }, previous, keys, head));
    if (seal.number > chain.movedThrough)
      add(part, leaves.length, await compare(trail, stored, leaves, previous?.last));
    part.seals = seal.number;
    previous = seal;
  }
  if (seals.length === sealsOfPart) return { ...part, cursor: `seals-${part.seals}` };
  part.problems.push(...endOf(previous, chain, head));
  return part;
}

function add(part: { events: number; erased: number; problems: Problem[] }, events: number, found: Compared) {
  part.events += events;
  part.erased += found.erased;
  part.problems.push(...found.problems);
}

/** The events of a seal lie between the end of the seal before it and its own. */
async function compare(
  trail: Trail,
  { seal }: StoredSeal,
  leaves: readonly Leaf[],
  previousLast = '0-0',
): Promise<Compared> {
  const { db, tenantId, chain } = trail;
  // Starts after the events that have lost their places.
  const start = seal.number === chain.movedThrough + 1 && seal.number > 1 ? '1-0' : previousLast;
  const found = await selectEvents(db, tenantId, {
    place: sql`(e.tx, e.id) > (${txIn(start)}::xid8, ${idIn(start)}::bigint)
      and (e.tx, e.id) <= (${txIn(seal.last)}::xid8, ${idIn(seal.last)}::bigint)`,
    order: raw('e.tx, e.id'),
    limit: leaves.length + mostProblems,
  });
  return withErasures(trail, leaves, found, seal.number);
}

async function withErasures(
  trail: Trail,
  leaves: readonly Leaf[],
  found: readonly Leaf[],
  sealNumber?: number,
): Promise<Compared> {
  const present = new Map(found.map(({ id, hash }) => [String(id), hash]));
  const other = leaves.filter(({ id, hash }) => present.get(String(id)) !== hash).map(({ id }) => id);
  const { erasures, problems } = await readErasures(trail, other);
  const compared = compareEvents(leaves, found, erasures, sealNumber);
  return { ...compared, problems: [...compared.problems, ...problems] };
}

/**
 * Verifies events of seals that lost their places in the feed when the database was restored: since then they come in the order of their
 * ids, whichever seals they are in.
 */
async function verifyMoved(trail: Trail, after: number): Promise<Part> {
  const { db, tenantId, chain } = trail;
  const found = await selectEvents(db, tenantId, {
    place: sql`e.tx = '0' and e.id > ${after}`,
    order: raw('e.id'),
    limit: movedOfPart,
  });
  const last = found.length === movedOfPart ? found.at(-1)?.id : undefined;
  const leaves = await selectMovedLeaves(db, tenantId, chain.movedThrough, { after, last });
  const compared = await withErasures(trail, leaves, found);
  const cursor = last === undefined ? 'seals-0' : `moved-${last}`;
  return { seals: 0, events: leaves.length, keys: [], ...compared, cursor };
}

/** The end of a tenant's seals, as noted by the server that seals. */
interface Chain {
  readonly number: number;
  readonly head?: string;
  readonly movedThrough: number;
}

async function selectChain(db: Reader, tenantId: Id): Promise<Chain> {
  const chain = await db.row<Chain>(sql`
    select number, encode(head, 'hex') as head, moved_through as "movedThrough"
    from audit_chains where tenant_id = ${tenantId}`);
  return chain ?? { number: 0, movedThrough: 0 };
}

interface EventsWanted {
  readonly place: Sql;
  readonly order: Sql;
  readonly limit: number;
}

async function selectEvents(
  db: Reader,
  tenantId: Id,
  { place, order, limit }: EventsWanted,
): Promise<Leaf[]> {
  return db.rows<Leaf>(sql`
    select e.id, encode(${eventHash}, 'hex') as hash from events e
    where e.tenant_id = ${tenantId} and ${place} order by ${order} limit ${limit}`);
}

/** The sealed form of events with ids between two, in the order of the ids. */
async function selectMovedLeaves(
  db: Reader,
  tenantId: Id,
  through: number,
  { after, last }: { after: number; last: Id | undefined },
): Promise<Leaf[]> {
  const rows = await db.rows<Leaves>(sql`
    select event_ids as ids, event_hashes as hashes from audit_seals where tenant_id = ${tenantId} and number <= ${through}
      and highest_id > ${after} and (${last}::bigint is null or lowest_id <= ${last}::bigint)`);
  return rows
    .flatMap(({ ids, hashes }) => leavesOf(ids, hashes))
    .filter(({ id }) => id > after && (last === undefined || id <= last))
    .toSorted((one, other) => (one.id < other.id ? -1 : 1));
}

/** The tenant whose record is read, and the keys that may sign. */
interface ErasureTrail {
  readonly db: Reader;
  readonly tenantId: Id;
  readonly keys: Keys;
}

type Row = Erasure & { readonly erasedBy: Id; readonly keyId?: string; readonly signature?: Buffer };

/** The record of the erasure of events: the signed changes of each, and the problems of the record. */
export async function readErasures(
  trail: ErasureTrail,
  ids: readonly Id[],
): Promise<{ erasures: Erasures; problems: Problem[] }> {
  if (ids.length === 0) return { erasures: new Map(), problems: [] };
  const { db, tenantId, keys } = trail;
  const [row] = await db.rows<{ uuid: string }>(sql`select uuid from tenants where id = ${tenantId}`);
  const rows = await db.rows<Row>(sql`
    select event_id as id, erased_by as "erasedBy", encode(before, 'hex') as before, encode(hash, 'hex') as hash, key_id as "keyId",
      signature from audit_erasures
    where tenant_id = ${tenantId} and event_id = any(${ids}::bigint[]) order by of_former_kind desc, erased_by`);
  const problems: Problem[] = [];
  for (const erasedBy of new Set(rows.map((one) => one.erasedBy)))
    if (!(await isOnRecord(trail, erasedBy))) problems.push(unrecorded(erasedBy));
  const erasures = new Map<string, ProvedErasure[]>();
  const proofs = await inSlices(mapped(rows, (one) => proofOf(one, row?.uuid ?? '', keys)));
  for (const [index, one] of rows.entries()) {
    const proved = proofs[index];
    if (proved) erasures.set(String(one.id), [...(erasures.get(String(one.id)) ?? []), proved]);
    else problems.push(unsigned(one));
  }
  return { erasures, problems };
}

function proofOf(row: Row, tenant: string, keys: ErasureTrail['keys']): ProvedErasure | undefined {
  const { id, before, hash, erasedBy: by, keyId, signature } = row;
  if (keyId === undefined || signature === undefined) return undefined;
  const text = erasureText({ tenant, by, keyId }, { id, before, hash });
  if (!isSignedBy(keys.get(keyId), text, signature)) return undefined;
  return { by, before, hash, text, signature: signature.toString('base64') };
}

/** Whether the event that records an erasure agrees with it. */
async function isOnRecord({ db, tenantId }: ErasureTrail, erasedBy: Id): Promise<boolean> {
  const event = await db.row<{ digest?: string }>(sql`
    select changes ->> 'digest' as digest from events
    where queue_id = 0 and item_id = 0 and id = ${erasedBy} and tenant_id = ${tenantId}`);
  const together = await db.rows<Erasure>(sql`
    select event_id as id, encode(before, 'hex') as before, encode(hash, 'hex') as hash from audit_erasures
    where tenant_id = ${tenantId} and erased_by = ${erasedBy} order by event_id`);
  return event?.digest === erasureDigest(together);
}

const unrecorded = (erasedBy: Id): Problem => ({
  kind: 'ERASURE',
  eventId: erasedBy,
  message: `Events were erased as event ${erasedBy} is said to record, which is gone or names others.`,
});

const unsigned = ({ id, erasedBy }: Row): Problem => ({
  kind: 'ERASURE',
  eventId: id,
  message: `Event ${id} is said to be erased by event ${erasedBy}, and no known key has signed that.`,
});

/** Whether a text was signed by a key. */
function isSignedBy(key: KeyObject | undefined, text: string, signature: Uint8Array): boolean {
  return key !== undefined && verify(null, Buffer.from(text), key, signature);
}

/** A problem found by a verification. */
interface Problem {
  readonly kind:
    'SIGNATURE' | 'CHAIN' | 'ROOT' | 'MISSING' | 'ALTERED' | 'INSERTED' | 'REORDERED' | 'ERASURE' | 'HEAD';
  readonly sealNumber?: number;
  readonly eventId?: Id;
  /** A sentence. */
  readonly message: string;
}

/** The recorded erasures of events, one after the other, by event id. */
type Erasures = ReadonlyMap<string, readonly ProvedErasure[]>;

/** The result of a comparison. */
interface Compared {
  readonly problems: Problem[];
  /** Number of events that were erased by rule. */
  readonly erased: number;
}

/** Compares the sealed events with the present ones, in the same order. */
function compareEvents(
  sealed: readonly Leaf[],
  found: readonly Leaf[],
  erasures: Erasures,
  sealNumber?: number,
): Compared {
  const there = new Map(found.map(({ id, hash }) => [String(id), hash]));
  const wanted = new Set(sealed.map(({ id }) => String(id)));
  const at = { ...(sealNumber !== undefined && { sealNumber }) };
  const problems: Problem[] = [];
  let erased = 0;
  for (const { id, hash } of sealed) {
    const present = there.get(String(id));
    if (present === hash) continue;
    if (wayTo(present, hash, erasures.get(String(id)))) erased += 1;
    else problems.push({ ...at, eventId: id, ...lossOf(id, present) });
  }
  problems.push(...strangers(wanted, found).map((id) => ({ ...at, eventId: id, ...strangerOf(id) })));
  const moved = firstMoved(sealed, found);
  if (moved !== undefined) problems.push({ ...at, eventId: moved, ...moveOf(moved) });
  return { problems, erased };
}

/** Events that were not sealed, or that occur a second time. */
function strangers(wanted: ReadonlySet<string>, found: readonly Leaf[]): Id[] {
  const seen = new Set<string>();
  return found.flatMap(({ id }) => {
    const isKnown = wanted.has(String(id)) && !seen.has(String(id));
    seen.add(String(id));
    return isKnown ? [] : [id];
  });
}

/** The first event, among those on both sides, that is out of its sealed order. */
function firstMoved(sealed: readonly Leaf[], found: readonly Leaf[]): Id | undefined {
  const both = new Set(found.map(({ id }) => String(id)));
  const wanted = sealed.filter(({ id }) => both.has(String(id)));
  const known = new Set(wanted.map(({ id }) => String(id)));
  const present = found.filter(({ id }) => known.has(String(id)));
  return wanted.find(({ id }, index) => String(present[index]?.id) !== String(id))?.id;
}

const lossOf = (id: Id, present: string | undefined) =>
  present === undefined
    ? ({ kind: 'MISSING', message: `Event ${id} was sealed and is not in its place any more.` } as const)
    : ({ kind: 'ALTERED', message: `Event ${id} is not as it was when it was sealed.` } as const);

const strangerOf = (id: Id) =>
  ({ kind: 'INSERTED', message: `Event ${id} is among sealed ones and was not sealed there.` }) as const;

const moveOf = (id: Id) =>
  ({ kind: 'REORDERED', message: `Event ${id} does not come in the order in which it was sealed.` }) as const;

/** A seal with everything that it must agree with. */
interface Sealed {
  readonly seal: Seal;
  readonly signature: Uint8Array;
  readonly leaves: readonly Leaf[];
}

/**
 * The problems of a seal itself, whatever its events are.
 * @param keys the keys that may sign
 * @param head number and hash of a seal that was noted elsewhere, with a colon between
 */
function checkSeal(
  { seal, signature, leaves }: Sealed,
  previous: Seal | undefined,
  keys: Keys,
  head?: string,
): Problem[] {
  const { number } = seal;
  const of = (kind: Problem['kind'], message: string) => ({ kind, sealNumber: number, message });
  const problems: Problem[] = [];
  if (!isSignedBy(keys.get(seal.keyId), sealText(seal), signature))
    problems.push(of('SIGNATURE', `Seal ${number} does not have the signature of the key ${seal.keyId}.`));
  if (number !== (previous?.number ?? 0) + 1)
    problems.push(
      of('CHAIN', `The seals before seal ${number} are missing, from ${(previous?.number ?? 0) + 1} on.`),
    );
  else if (seal.previous !== (previous ? hashOfSeal(previous) : noSeal))
    problems.push(of('CHAIN', `Seal ${number} was not made behind the seal that is before it.`));
  const root = hashOf(Buffer.concat(leaves.map(({ hash }) => Buffer.from(hash, 'hex'))));
  if (seal.root !== root || seal.events !== leaves.length)
    problems.push(
      of('ROOT', `The hashes of the events of seal ${number} are not those that it was made of.`),
    );
  if (head !== undefined && isNoted(seal, head) === false)
    problems.push(of('HEAD', `Seal ${number} is not the one that was noted: the seals were made anew.`));
  return problems;
}

/** Whether a seal is the one that was noted; undefined when another one was. */
function isNoted(seal: Seal, head: string): boolean | undefined {
  const [number, hash] = head.split(':');
  return Number(number) === seal.number ? hash === hashOfSeal(seal) : undefined;
}

/** The problems of the end of a chain. */
function endOf(
  last: Seal | undefined,
  chain: { readonly number: number; readonly head?: string },
  head?: string,
): Problem[] {
  const number = last?.number ?? 0;
  const problems: Problem[] = [];
  if (number !== chain.number || (last && hashOfSeal(last) !== chain.head))
    problems.push({
      kind: 'HEAD',
      message: `The seals end with ${number}, and the server that seals came to ${chain.number}.`,
    });
  const noted = Number(head?.split(':')[0] ?? 0);
  if (noted > number)
    problems.push({ kind: 'HEAD', message: `Seal ${noted} was noted, and the seals end with ${number}.` });
  return problems;
}
