import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
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

/** A change or removal of an event, signed by a server. */
export interface ProvedErasure extends Omit<Erasure, 'id'> {
  /** The event that records it. */
  readonly by: Id;
  readonly text: string;
  /** In Base64. */
  readonly signature: string;
}

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
