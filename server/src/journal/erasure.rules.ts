import { createHash } from 'node:crypto';
import type { Id } from '@millrace/api';

/** The erasure of an event by a rule. Hashes are SHA-256, in hexadecimal digits. */
export interface Erasure {
  readonly id: Id;
  /** Of the event before. */
  readonly before: string;
  /** Of the rest of the event; undefined when it was deleted. */
  readonly hash?: string | undefined;
}

/** The digest of erased events in the event of their erasure, so that none can be added to them: SHA-256 of a line for each, by id. */
export function erasureDigest(erasures: readonly Erasure[]): string {
  const sorted = erasures.toSorted((one, other) => (one.id < other.id ? -1 : 1));
  const lines = sorted.map(({ id, before, hash = '-' }) => `${id} ${before} ${hash}\n`);
  return createHash('sha256').update(lines.join('')).digest('hex');
}

/** The digest in such an event from the time when the former hash of an event was not kept yet. */
export function formerDigest(erasures: readonly Pick<Erasure, 'id' | 'hash'>[]): string {
  const sorted = erasures.toSorted((one, other) => (one.id < other.id ? -1 : 1));
  const lines = sorted.map(({ id, hash = '-' }) => `${id} ${hash}\n`);
  return createHash('sha256').update(lines.join('')).digest('hex');
}

/** The context of an erasure: the tenant by its UUID, the event that records it, and the key that signs. */
interface Erased {
  readonly tenant: string;
  readonly by: Id;
  readonly keyId: string;
}

/** An erasure as the line that is signed; docs/audit.md promises it to the byte. */
export function erasureText({ tenant, by, keyId }: Erased, { id, before, hash }: Erasure): string {
  const [head, tail] = [{ tenant }, { before, after: hash ?? null }].map((part) =>
    JSON.stringify(part).slice(1, -1),
  );
  return `{${head},"event":${id},${tail},"by":${by},"keyId":${JSON.stringify(keyId)}}`;
}
