import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Id } from '@millrace/api';
import { sql, type Db, type Reader } from './db.ts';
import { Refusal } from './errors.ts';

/** The source of master keys: a text, or a file. The first key is the present one, the others open keys that it has not wrapped yet. */
export interface KeySource {
  readonly masterKey: string | undefined;
  readonly masterKeyFile: string | undefined;
}

type Purpose = 'DATA' | 'INDEX';

interface WrappedKey {
  readonly purpose: Purpose;
  readonly version: number;
  readonly wrapped: Buffer;
  readonly masterKey: string;
}

/**
 * The keys of tenants: stored in the database, each encrypted with a master key that is not there. Values are encrypted with a key of their
 * tenant, so that a new master key only rewraps a few keys and touches no value.
 */
export class Vault {
  readonly #source: KeySource;
  /** By name, the present one first. */
  #masters: ReadonlyMap<string, Buffer>;
  /** Unwrapped keys, by their wrapped form. */
  readonly #unwrapped = new Map<string, Buffer>();

  /** @throws Error with the fault of the master keys */
  constructor(source: KeySource) {
    this.#source = source;
    this.#masters = readMasters(source);
  }

  /** Whether there is a master key. */
  get isReady(): boolean {
    return this.#masters.size > 0;
  }

  /** The name of the master key that wraps. @throws Refusal when there is none */
  get masterName(): string {
    return this.#present()[0];
  }

  /** Encrypts with the keys of a tenant; undefined where it has none. */
  async sealerOf(db: Reader, tenantId: Id): Promise<Sealer | undefined> {
    const wrapped = await selectKeys(db, tenantId);
    const keys = wrapped.map((one) => ({ ...one, key: this.#unwrap(tenantId, one) }));
    const index = keys.find(({ purpose }) => purpose === 'INDEX')?.key;
    const data = keys.filter(({ purpose }) => purpose === 'DATA');
    if (!index) return undefined;
    return new Sealer({ tenantId, index, data: new Map(data.map(({ version, key }) => [version, key])) });
  }

  /** The same, for a tenant that gets keys now if it has none. @throws Refusal when there is no master key */
  async ensureSealer(db: Db, tenantId: Id, now: Date): Promise<Sealer> {
    const known = await this.sealerOf(db, tenantId);
    if (known) return known;
    await this.#insert(db, tenantId, { purpose: 'INDEX', version: 1 }, now);
    await this.#insert(db, tenantId, { purpose: 'DATA', version: 1 }, now);
    const made = await this.sealerOf(db, tenantId);
    if (!made) throw new Error(`the keys of tenant ${tenantId} were stored and are not there`);
    return made;
  }

  /** Adds a key that encrypts everything written from now on. @returns its version */
  async addDataKey(db: Db, tenantId: Id, now: Date): Promise<number> {
    const { version } = await this.ensureSealer(db, tenantId, now);
    await this.#insert(db, tenantId, { purpose: 'DATA', version: version + 1 }, now);
    return version + 1;
  }

  /** Wraps the keys of all tenants with the present master key. @returns the number that another key had wrapped */
  async rewrapAll(db: Db): Promise<number> {
    this.#masters = readMasters(this.#source);
    const [name, master] = this.#present();
    const former = await selectForeignKeys(db, name);
    for (const { tenantId, ...one } of former) {
      const wrapped = encrypt(master, placeOf(tenantId, one), this.#unwrap(tenantId, one));
      await updateKey(db, tenantId, { ...one, wrapped, masterKey: name });
    }
    return former.length;
  }

  /** @throws Error when the database has keys that no master key opens */
  async check(db: Reader): Promise<void> {
    const keys = await selectForeignKeys(db, '');
    for (const { tenantId, ...one } of keys) {
      try {
        this.#unwrap(tenantId, one);
      } catch (error) {
        throw new Error(whyLocked(one.masterKey, [...this.#masters.keys()]), { cause: error });
      }
    }
  }

  /** Reads the present master key again: it may be newer than the one that this server knows, which may be removed soon. */
  async #insert(db: Db, tenantId: Id, one: Pick<WrappedKey, 'purpose' | 'version'>, now: Date) {
    this.#masters = readMasters(this.#source);
    const [name, master] = this.#present();
    const wrapped = encrypt(master, placeOf(tenantId, one), randomBytes(keyBytes));
    await db.rows(sql`
      insert into tenant_keys (tenant_id, purpose, version, wrapped, master_key, created_on)
      values (${tenantId}, ${one.purpose}, ${one.version}, ${wrapped}, ${name}, ${now}) on conflict do nothing`);
  }

  #unwrap(tenantId: Id, one: WrappedKey): Buffer {
    const id = one.wrapped.toString('base64');
    const known = this.#unwrapped.get(id);
    if (known) return known;
    // Another server may have wrapped it with a key that was added to the file since.
    if (!this.#masters.has(one.masterKey)) this.#masters = readMasters(this.#source);
    const master = this.#masters.get(one.masterKey);
    if (!master) throw new Error(whyLocked(one.masterKey, [...this.#masters.keys()]));
    const key = decrypt(master, placeOf(tenantId, one), one.wrapped);
    this.#unwrapped.set(id, key);
    return key;
  }

  #present(): readonly [string, Buffer] {
    const [present] = this.#masters;
    if (present) return present;
    throw new Refusal(
      'STATUS_CONFLICT',
      'This installation has no master key, so nothing can be encrypted. Set MILLRACE_MASTER_KEY_FILE on its servers to a file with one, ' +
        'made by `openssl rand -base64 32`, start them again, and repeat this.',
    );
  }
}

function whyLocked(wanted: string, given: readonly string[]): string {
  const found =
    given.length === 0 ? 'no master key is given' : `the master keys that are given are ${given.join(', ')}`;
  return (
    `The database has values that were encrypted under the master key ${wanted}, and ${found}. Set MILLRACE_MASTER_KEY_FILE ` +
    '(or MILLRACE_MASTER_KEY) to the one with which they were written; nothing was changed, and nothing is lost as long as that key is kept.'
  );
}

/** Wrapped keys open for their tenant, purpose and version only. */
const placeOf = (tenantId: Id, { purpose, version }: Pick<WrappedKey, 'purpose' | 'version'>) =>
  `tenant ${tenantId} ${purpose} ${version}`;

function readMasters({ masterKey, masterKeyFile }: KeySource): ReadonlyMap<string, Buffer> {
  const name = masterKeyFile === undefined ? 'MILLRACE_MASTER_KEY' : 'MILLRACE_MASTER_KEY_FILE';
  const text = masterKeyFile === undefined ? (masterKey ?? '') : readKeyFile(masterKeyFile);
  const keys = text
    .split(/[\s,]+/)
    .filter(Boolean)
    .map((one) => readKey(one, name));
  if (keys.length === 0 && masterKeyFile !== undefined)
    throw new Error(`${name} names ${masterKeyFile}, which holds no key. ${howToMake}`);
  return new Map(keys.map((key) => [nameOfKey(key), key]));
}

const howToMake = 'Make one with `openssl rand -base64 32`; where there are several, each has a line.';

function readKeyFile(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code = 'it cannot be read' } = error as NodeJS.ErrnoException;
    throw new Error(`MILLRACE_MASTER_KEY_FILE names ${file}, which cannot be read (${code}).`, {
      cause: error,
    });
  }
}

/** The keys are secrets: an error message never contains one. */
function readKey(text: string, name: string): Buffer {
  const key = /^[0-9a-f]{64}$/i.test(text) ? Buffer.from(text, 'hex') : Buffer.from(text, 'base64');
  if (key.length === keyBytes) return key;
  throw new Error(`${name} must hold keys of ${keyBytes} bytes in base64. ${howToMake}`);
}

const columns = sql`purpose, version, wrapped, master_key as "masterKey"`;

function selectKeys(db: Reader, tenantId: Id): Promise<WrappedKey[]> {
  return db.rows(sql`select ${columns} from tenant_keys where tenant_id = ${tenantId}`);
}

/** The keys wrapped by another master key. */
function selectForeignKeys(db: Reader, masterKey: string): Promise<(WrappedKey & { tenantId: Id })[]> {
  return db.rows(sql`
    select tenant_id as "tenantId", ${columns} from tenant_keys where master_key <> ${masterKey}
    order by tenant_id, purpose, version`);
}

async function updateKey(db: Db, tenantId: Id, { purpose, version, wrapped, masterKey }: WrappedKey) {
  await db.rows(sql`
    update tenant_keys set wrapped = ${wrapped}, master_key = ${masterKey}
    where tenant_id = ${tenantId} and purpose = ${purpose} and version = ${version}`);
}

const algorithm = 'aes-256-gcm';
const nonceBytes = 12;
const tagBytes = 16;
const keyBytes = 32;

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
function nameOfKey(key: Uint8Array): string {
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
