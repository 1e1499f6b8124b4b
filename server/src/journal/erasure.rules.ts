import { createHash } from 'node:crypto';
import type { Id } from '@millrace/api';

/** What became of an event that was erased by rule. Hashes are SHA-256, in hexadecimal digits. */
export interface Erasure {
  readonly id: Id;
  /** Of the event until then. */
  readonly before: string;
  /** Of what is left of it; none when it was taken away. */
  readonly hash?: string | undefined;
}

/** What the event of an erasure says of the erased events, so that no other can be put among them: SHA-256 of a line for each, by id. */
export function erasureDigest(erasures: readonly Erasure[]): string {
  const sorted = erasures.toSorted((one, other) => (one.id < other.id ? -1 : 1));
  const lines = sorted.map(({ id, before, hash = '-' }) => `${id} ${before} ${hash}\n`);
  return createHash('sha256').update(lines.join('')).digest('hex');
}

/** What such an event said when the hash of an event until then was not kept yet. */
export function formerDigest(erasures: readonly Pick<Erasure, 'id' | 'hash'>[]): string {
  const sorted = erasures.toSorted((one, other) => (one.id < other.id ? -1 : 1));
  const lines = sorted.map(({ id, hash = '-' }) => `${id} ${hash}\n`);
  return createHash('sha256').update(lines.join('')).digest('hex');
}

/** Where an erasure was: the tenant by its UUID, the event that records it, and the key that signs. */
export interface Erased {
  readonly tenant: string;
  readonly by: Id;
  readonly keyId: string;
}

/** An erasure as the line that is signed, which docs/audit.md promises to the byte. */
export function erasureText({ tenant, by, keyId }: Erased, { id, before, hash }: Erasure): string {
  const [head, tail] = [{ tenant }, { before, after: hash ?? null }].map((part) =>
    JSON.stringify(part).slice(1, -1),
  );
  return `{${head},"event":${id},${tail},"by":${by},"keyId":${JSON.stringify(keyId)}}`;
}
