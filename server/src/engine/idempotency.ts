import { createHash } from 'node:crypto';
import { parseJson, stringifyJson, type Id, type OperationId } from '@millrace/api';
import { hex, named, sql, type Db } from './db.ts';
import { Refusal } from './errors.ts';
import { writeJson } from './json/write.ts';
import { Idle } from './operation.ts';
import { inSlices, type Interruptible } from './slices.ts';
import type { Sealer, Vault } from './vault.ts';

/** The caller's key for a call, under which it is done once; and a hash of the request. */
export interface IdempotencyKey {
  readonly key: string;
  readonly hash: string;
  readonly part?: Part;
}

/** Which of several calls with one key it is, that come one after the other: each performs some lines of a body. */
interface Part {
  /** From 0. */
  readonly number: number;
  /** The number of its last line; undefined for the call that says that no more lines come. */
  readonly last: number | undefined;
  /** The outcome of its lines, by the answer of the operation. */
  readonly outcomes: (answer: unknown) => string;
}

/** The part of a call as it is kept. */
export interface KeptPart {
  readonly last?: number | undefined;
  readonly outcomes: string;
}

/** The answer to an earlier call with the same key. */
export class Repeated {
  readonly answer: unknown;

  constructor(answer: unknown) {
    this.answer = answer;
  }
}

/** A key, and its user. */
export interface Keyed extends IdempotencyKey {
  readonly userId: Id;
  /** The encryption for the tenant, where that has keys. */
  readonly sealer?: Sealer | undefined;
}

/** Each answer of these is recorded with a reason: a repeat is performed again, and recorded as well. */
const neverKept: ReadonlySet<OperationId> = new Set<OperationId>(['revealWorkItem']);

/** In place of the hash of a call without a useful key. */
const noHash = '';

/** In place of the hash of a call that was erased with its answer. */
const erasedHash = '';

const isKept = (call: Keyed | undefined): call is Keyed => call !== undefined && call.hash !== noHash;

/** The key with a hash made by a key of the tenant, where there is one. */
export function withHashOf(one: IdempotencyKey, sealer: Pick<Sealer, 'keyed'> | undefined): IdempotencyKey {
  return sealer && one.hash !== noHash ? { ...one, hash: sealer.keyed(one.hash) } : one;
}

/** Identifies a call: the same key with any other request is a mistake of the caller. */
export async function requestHash(operationId: OperationId, target: object, body: unknown): Promise<string> {
  if (neverKept.has(operationId)) return noHash;
  return inSlices(hashOf(operationId, target, body));
}

function* hashOf(operationId: OperationId, target: object, body: unknown): Interruptible<string> {
  const hash = createHash('sha256').update(stringifyJson([operationId, target]));
  const isObject = typeof body === 'object' && body !== null && !Array.isArray(body);
  for (const piece of isObject ? yield* writeJson(body) : [stringifyJson(body ?? null)]) {
    hash.update(piece);
    yield;
  }
  return hash.digest('hex');
}

/**
 * The earlier outcomes of calls with these keys: the first answer, the refusal where there is none, or undefined for a call to be done now.
 * Until the transaction ends, no other call gets their keys.
 * @param seen the keys asked for in this transaction before: the locks do not keep a transaction from taking its own again
 */
export async function lookUpKeys(
  db: Db,
  calls: readonly (Keyed | undefined)[],
  vault: Vault,
  seen = new Set<string>(),
): Promise<(Repeated | Refusal | undefined)[]> {
  const keyed = calls.flatMap((call, index) => (isKept(call) ? [{ ...call, index }] : []));
  if (keyed.length === 0) return [];
  const [locks, rows] = await Promise.all([lockKeys(db, keyed), selectKeys(db, keyed)]);
  const free = new Set(locks.flatMap(({ index, isFree }) => (isFree ? [index] : [])));
  const known = new Map(rows.map((row) => [row.index, row]));
  const decided = calls.map(async (call, index) => {
    if (!isKept(call)) return undefined;
    const name = `${call.userId} ${call.key}`;
    const isFirst = !seen.has(name);
    seen.add(name);
    return decideKey(call, await unsealed(db, call, known.get(index), vault), isFirst && free.has(index));
  });
  return Promise.all(decided);
}

interface Known {
  readonly index: number;
  readonly hash: string;
  readonly isDone: boolean;
  readonly answer: unknown;
}

export function keyReused(key: string): Refusal {
  return new Refusal(
    'KEY_REUSED',
    `The Idempotency-Key ${JSON.stringify(key)} was sent with another request before. Give each request its own.`,
  );
}

/** Lines come in portions as the sender pauses: the caller is told how these were cut the first time, and sends them so. */
function isCutOtherwise({ last }: Part, { answer }: Known): boolean {
  return (answer as KeptPart | undefined)?.last !== last;
}

/** The outcome of a call with a key, or undefined when it is to be done. */
function decideKey(call: Keyed, known: Known | undefined, isFree: boolean): Repeated | Refusal | undefined {
  const theKey = `The Idempotency-Key ${JSON.stringify(call.key)}`;
  if (call.part && known?.isDone && isCutOtherwise(call.part, known)) return new Repeated(known.answer);
  // Of lines whose outcomes were erased it is not known where they were cut.
  const isKnownWhole = known?.isDone || !call.part;
  if (known && isKnownWhole && known.hash !== erasedHash && known.hash !== call.hash)
    return keyReused(call.key);
  if (known?.isDone) return new Repeated(known.answer);
  if (known)
    return new Refusal(
      'KEY_IN_USE',
      `${theKey} belongs to a call that is at work, or was interrupted, or whose answer was erased. Look at what it did; should it never end, go on with another key.`,
      { retryAfter: 5 },
    );
  if (isFree) return undefined;
  return new Refusal(
    'KEY_IN_USE',
    `${theKey} belongs to a call that is at work. Send this one again in a moment.`,
    {
      retryAfter: 1,
    },
  );
}

/** The property of an answer, or of an item in it, with the means to encrypt it: it contains more than the database may store in plain. */
const encryption = Symbol('encryption');

/** The answer of an operation, or an item in it, which is kept for repeated calls in encrypted form only. */
export function confidential<A extends object>(answer: A, sealer: Sealer): A {
  return { ...answer, [encryption]: sealer };
}

function encryptionOf(outcome: object): Sealer | undefined {
  const { [encryption]: own, list } = outcome as { [encryption]?: Sealer; list?: unknown };
  if (own || !Array.isArray(list)) return own;
  const items = list as readonly { [encryption]?: Sealer }[];
  return items.find((item) => item[encryption])?.[encryption];
}

/** An answer that is stored encrypted. */
interface SealedAnswer {
  readonly $sealed: string;
  readonly tenantId: Id;
}

const placeOf = ({ userId, key, part }: Keyed) =>
  `answer ${userId} ${key}${part ? ` part ${part.number}` : ''}`;

/** The record of a call, with its answer decrypted. */
async function unsealed(db: Db, call: Keyed, known: Known | undefined, vault: Vault) {
  const { $sealed, tenantId } = (known?.answer ?? {}) as Partial<SealedAnswer>;
  if (!known || $sealed === undefined || tenantId === undefined) return known;
  const sealer = await vault.sealerOf(db, tenantId);
  return { ...known, answer: sealer && parseJson(sealer.open(placeOf(call), $sealed)) };
}

/** An answer is kept in case its caller did not get it; of a large one only the ids, in characters. */
const largestAnswer = 256 * 1024;

async function kept(call: Keyed, outcome: unknown): Promise<string | null> {
  if (typeof outcome !== 'object' || outcome === null) return null;
  const { part } = call;
  // The faults of a line may show any of its values.
  const sealer = part ? call.sealer : encryptionOf(outcome);
  const text = await (part ? keptLines(part, outcome) : keptText(outcome));
  if (!sealer) return text;
  const sealed: SealedAnswer = {
    $sealed: sealer.seal(placeOf(call), text),
    tenantId: sealer.keys.tenantId,
  };
  return stringifyJson(sealed);
}

async function keptText(outcome: object): Promise<string> {
  const pieces = await inSlices(writeJson(outcome));
  const text = pieces.join('');
  if (text.length <= largestAnswer) return text;
  const { list } = outcome as { list?: readonly { readonly id?: Id }[] };
  return Array.isArray(list) ? stringifyJson({ list: list.map(({ id }) => ({ id })) }) : text;
}

function keptLines({ last, outcomes }: Part, answer: object): string {
  return stringifyJson({ last, outcomes: outcomes(answer) } satisfies KeptPart);
}

/** Keeps the answers of calls that were done. */
export async function keepAnswers(
  db: Db,
  calls: readonly (Keyed | undefined)[],
  outcomes: readonly unknown[],
  now: Date,
): Promise<void> {
  for (const [index, call] of calls.entries()) {
    const outcome = outcomes[index];
    if (!isKept(call) || outcome instanceof Refusal || outcome instanceof Idle || outcome instanceof Repeated)
      continue;
    // Of a body of lines that was sent with it more than a day ago, parts may be left.
    if (call.part?.number === 0) await forgetParts(db, call);
    await insertKey(db, call, { isDone: true, answer: await kept(call, outcome) }, now);
  }
}

/** Records the beginning of a call with a key that takes several transactions. */
export function beginKey(db: Db, call: Keyed, now: Date): Promise<void> {
  return insertKey(db, call, { isDone: false, answer: null }, now);
}

/** Records the answer of such a call. */
export async function endKey(db: Db, call: Keyed, outcome: unknown): Promise<void> {
  const { userId, key } = call;
  const answer = await kept(call, outcome);
  await db.write(sql`
    update idempotency_keys set is_done = true, answer = ${answer}::json
    where user_id = ${userId} and key = ${key} and part = 0`);
}

/** Forgets a refused call: it may be sent again. */
export function forgetKey(db: Db, { userId, key }: Keyed): Promise<void> {
  return db.write(sql`delete from idempotency_keys where user_id = ${userId} and key = ${key} and part = 0`);
}

function forgetParts(db: Db, { userId, key }: Keyed): Promise<void> {
  return db.write(sql`delete from idempotency_keys where user_id = ${userId} and key = ${key} and part > 0`);
}

/**
 * Erases the kept answers of a tenant's calls, either the encrypted or the plain ones; with the plain ones also the request hashes, which
 * were made without a key of the tenant. The caller's keys stay, without an answer: a repeat is refused, as it would do everything again.
 */
export function eraseAnswers(
  db: Db,
  tenantId: Id,
  { areSealed }: { readonly areSealed: boolean },
): Promise<void> {
  return db.write(sql`
    update idempotency_keys k set is_done = false, answer = null,
      request_hash = case when ${areSealed} then k.request_hash else ''::bytea end
    from users u
    where u.id = k.user_id and u.tenant_id = ${tenantId}
      and (k.answer ->> '$sealed' is not null) = ${areSealed}`);
}

type Numbered = Keyed & { readonly index: number };

/** Takes the keys until the end of the transaction, where they are free: a call that waited for one would hold up others. */
function lockKeys(db: Db, keyed: readonly Numbered[]): Promise<{ index: number; isFree: boolean }[]> {
  const names = keyed.map(({ userId, key }) => `idempotency ${userId} ${key}`);
  const statement = sql`
    select k.index, pg_try_advisory_xact_lock(hashtextextended(k.name, 0)) as "isFree"
    from unnest(${keyed.map(({ index }) => index)}::int[], ${names}::text[]) as k (index, name)`;
  return db.rows(named('lockKeys', statement));
}

/** The known keys; in a statement after the one that locks them, so that it sees rows stored meanwhile. */
function selectKeys(db: Db, keyed: readonly Numbered[]): Promise<Known[]> {
  const statement = sql`
    select k.index, encode(i.request_hash, 'hex') as hash, i.is_done as "isDone", i.answer
    from unnest(${keyed.map(({ index }) => index)}::int[], ${keyed.map(({ userId }) => userId)}::bigint[],
      ${keyed.map(({ key }) => key)}::text[], ${keyed.map(partOf)}::int[]) as k (index, user_id, key, part)
    cross join lateral (
      select * from idempotency_keys where user_id = k.user_id and key = k.key and part = k.part
        and created_on > now() - interval '1 day' offset 0) i`;
  return db.rows(named('selectKeys', statement));
}

/** A call that is no part is the first and only one. */
const partOf = ({ part }: Keyed) => part?.number ?? 0;

function insertKey(
  db: Db,
  call: Keyed,
  { isDone, answer }: { readonly isDone: boolean; readonly answer: string | null },
  now: Date,
): Promise<void> {
  const { userId, key, hash } = call;
  // A row older than a day only waits for the chore that deletes it.
  const statement = sql`
    insert into idempotency_keys (user_id, key, part, request_hash, is_done, answer, created_on)
    values (${userId}, ${key}, ${partOf(call)}, ${hex(Buffer.from(hash, 'hex'))}::bytea, ${isDone}, ${answer}::json, ${now})
    on conflict (user_id, key, part) do update set request_hash = excluded.request_hash, is_done = excluded.is_done,
      answer = excluded.answer, created_on = excluded.created_on`;
  return db.write(named('insertKey', statement));
}
