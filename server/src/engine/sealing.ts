import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes } from 'node:crypto';
import type { Id } from '@millrace/api';

const algorithm = 'aes-256-gcm';
const nonceBytes = 12;
const tagBytes = 16;
export const keyBytes = 32;

/**
 * Encrypts bytes with a nonce of their own. They can be decrypted at the same place only.
 * @param place is bound to them, such as the item that they belong to
 */
export function encrypt(key: Uint8Array, place: string, plain: Uint8Array): Buffer {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv(algorithm, key, nonce).setAAD(Buffer.from(place));
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/** @throws Error when they were encrypted with another key, at another place, or were changed since */
export function decrypt(key: Uint8Array, place: string, bytes: Uint8Array): Buffer {
  const body = bytes.subarray(nonceBytes, -tagBytes);
  const decipher = createDecipheriv(algorithm, key, bytes.subarray(0, nonceBytes), {
    authTagLength: tagBytes,
  });
  decipher.setAAD(Buffer.from(place)).setAuthTag(bytes.subarray(-tagBytes));
  return Buffer.concat([decipher.update(body), decipher.final()]);
}

/** The name of a key, which reveals nothing of it. */
export function nameOfKey(key: Uint8Array): string {
  return createHash('sha256').update('millrace master key').update(key).digest('hex').slice(0, 16);
}

/** The keys of a tenant in use: plain data, which can be passed to a thread. */
export interface TenantKeys {
  readonly tenantId: Id;
  /** By version: the newest encrypts, all decrypt. */
  readonly data: ReadonlyMap<number, Uint8Array>;
  /** Makes the hashes by which equal values are found. */
  readonly index: Uint8Array;
}

/** Encrypts and decrypts texts with the keys of a tenant. */
export class Sealer {
  readonly keys: TenantKeys;
  /** The version of the key that encrypts. */
  readonly version: number;

  constructor(keys: TenantKeys) {
    this.keys = keys;
    this.version = Math.max(...keys.data.keys());
  }

  /** The text, encrypted; it begins with the version of its key. */
  seal(place: string, text: string): string {
    const bytes = encrypt(this.#key(this.version), this.#inTenant(place), Buffer.from(text));
    return `1.${this.version}.${bytes.toString('base64url')}`;
  }

  /** @throws Error when the text was not sealed for this place */
  open(place: string, sealed: string): string {
    const [, version = '', bytes = ''] = sealed.split('.');
    return decrypt(
      this.#key(Number(version)),
      this.#inTenant(place),
      Buffer.from(bytes, 'base64url'),
    ).toString();
  }

  /** Whether a text was sealed with the newest key. */
  isCurrent(sealed: string): boolean {
    return sealed.startsWith(`1.${this.version}.`);
  }

  /** A hash that values of an attribute share exactly when they are spelled the same; it cannot be made without the key. */
  digest(attributeId: Id, spelling: string): string {
    const ofAttribute = createHmac('sha256', this.keys.index).update(`attribute ${attributeId}`).digest();
    return createHmac('sha256', ofAttribute).update(spelling).digest('base64url');
  }

  /**
   * A keyed hash, in hexadecimal digits, of the hash of a whole, such as a request: without the key, guesses cannot be tried against it.
   */
  keyed(hash: string): string {
    return createHmac('sha256', this.keys.index).update(`whole ${hash}`).digest('hex');
  }

  #key(version: number): Uint8Array {
    const key = this.keys.data.get(version);
    if (!key) throw new Error(`the tenant ${this.keys.tenantId} has no key of version ${version}`);
    return key;
  }

  #inTenant(place: string): string {
    return `${this.keys.tenantId} ${place}`;
  }
}
