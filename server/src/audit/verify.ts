import type { Id, Input, Output } from '@millrace/api';
import { raw, sql, type Reader, type Sql } from '../engine/db.ts';
import type { PlainOperation } from '../engine/operation.ts';
import { eventHash } from '../journal/canonical.ts';
import { readErasures, type Trail as ErasureTrail } from './erasures.ts';
import {
  checkSeal,
  compareEvents,
  endOf,
  idIn,
  keysOf,
  leavesOf,
  txIn,
  type Compared,
  type Leaf,
  type Problem,
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
