import { createHash, createPublicKey, verify, type KeyObject } from 'node:crypto';
import type { Id } from '@millrace/api';
import type { Erasure } from '../journal/erasure.rules.ts';

/** A seal over the events of a tenant from one place in the feed to another. */
export interface Seal {
  /** UUID of the tenant. */
  readonly tenant: string;
  /** From 1, without gaps. */
  readonly number: number;
  /** The place in the feed of its first event, at the time of sealing. */
  readonly first: string;
  readonly last: string;
  readonly events: number;
  /** SHA-256, in hexadecimal digits, of the concatenated hashes of the events. */
  readonly root: string;
  /** The hash of the seal before; zeros for the first. */
  readonly previous: string;
  readonly sealedOn: string;
  /** The key that signed it. */
  readonly keyId: string;
}

/** The previous hash of the first seal. */
export const noSeal = '0'.repeat(64);

/** A seal as the line that is hashed and signed; docs/audit.md promises it to the byte. */
export function sealText(seal: Seal): string {
  const { tenant, number, first, last, events, root, previous, sealedOn, keyId } = seal;
  return JSON.stringify({ tenant, number, first, last, events, root, previous, sealedOn, keyId });
}

/** The transaction of a place in the feed. */
export const txIn = (place: string): string => place.split('-')[0] ?? '0';
/** The event of a place in the feed. */
export const idIn = (place: string): string => place.split('-')[1] ?? '0';

export function hashOf(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

/** The hash of a seal, which the next one names. */
export const hashOfSeal = (seal: Seal): string => hashOf(sealText(seal));

/** The id of a key: the first half of the SHA-256 of its public half. */
export function keyIdOf(publicKey: string): string {
  return hashOf(createPublicKey(publicKey).export({ type: 'spki', format: 'der' })).slice(0, 32);
}

/** Public keys by the ids derived from them. */
export type Keys = ReadonlyMap<string, KeyObject>;

/** The keys that count. @param trusted ids of the keys that may sign, where somebody has noted them; all when left out */
export function keysOf(
  stored: readonly { readonly id: string; readonly publicKey: string }[],
  trusted?: readonly string[],
): Keys {
  const known = stored.filter(
    ({ id, publicKey }) => keyIdOf(publicKey) === id && (trusted?.includes(id) ?? true),
  );
  return new Map(known.map(({ id, publicKey }) => [id, createPublicKey(publicKey)]));
}

/** Whether a text was signed by a key. */
export function isSignedBy(key: KeyObject | undefined, text: string, signature: Uint8Array): boolean {
  return key !== undefined && verify(null, Buffer.from(text), key, signature);
}

/** An event of a seal: its id and its hash. */
export interface Leaf {
  readonly id: Id;
  /** In hexadecimal digits. */
  readonly hash: string;
}

/** The events of a seal, from the stored form: ids, and hashes of 32 bytes each. */
export function leavesOf(ids: readonly Id[], hashes: Buffer): Leaf[] {
  return ids.map((id, index) => ({ id, hash: hashes.toString('hex', 32 * index, 32 * index + 32) }));
}

/** A problem found by a verification. */
export interface Problem {
  readonly kind:
    'SIGNATURE' | 'CHAIN' | 'ROOT' | 'MISSING' | 'ALTERED' | 'INSERTED' | 'REORDERED' | 'ERASURE' | 'HEAD';
  readonly sealNumber?: number;
  readonly eventId?: Id;
  /** A sentence. */
  readonly message: string;
}

/** A change or removal of an event, signed by a server. */
export interface ProvedErasure extends Omit<Erasure, 'id'> {
  /** The event that records it. */
  readonly by: Id;
  readonly text: string;
  /** In Base64. */
  readonly signature: string;
}

/** The recorded erasures of events, one after the other, by event id. */
export type Erasures = ReadonlyMap<string, readonly ProvedErasure[]>;

/** The erasures that lead from the event as sealed to the present one, or to none; undefined when they do not. */
export function wayTo(
  present: string | undefined,
  sealed: string,
  erasures: readonly ProvedErasure[] = [],
): readonly ProvedErasure[] | undefined {
  let state: string | undefined = sealed;
  const way: ProvedErasure[] = [];
  for (const erasure of erasures) {
    // Changes from before it was sealed are no part of it.
    if (state === undefined || erasure.before !== state) continue;
    way.push(erasure);
    state = erasure.hash;
  }
  return way.length > 0 && state === present ? way : undefined;
}

/** The result of a comparison. */
export interface Compared {
  readonly problems: Problem[];
  /** Number of events that were erased by rule. */
  readonly erased: number;
}

/** Compares the sealed events with the present ones, in the same order. */
export function compareEvents(
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
export interface Sealed {
  readonly seal: Seal;
  readonly signature: Uint8Array;
  readonly leaves: readonly Leaf[];
}

/**
 * The problems of a seal itself, whatever its events are.
 * @param keys the keys that may sign
 * @param head number and hash of a seal that was noted elsewhere, with a colon between
 */
export function checkSeal(
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
export function endOf(
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
