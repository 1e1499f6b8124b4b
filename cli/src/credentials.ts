import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { UsageError } from './errors.ts';

/** A log-in as it is kept between commands: never a password or an API key, and a token that soon expires. */
export interface Credentials {
  /** The server that gave the token; it is sent to no other. */
  readonly url: string;
  readonly token: string;
  /** When the token was given, in milliseconds since 1970. */
  readonly givenOn: number;
}

export function credentialsFile(folder: string): string {
  return path.join(folder, 'credentials.json');
}

/**
 * The kept log-in; undefined when there is none.
 * @throws UsageError when the file cannot be read or was damaged
 */
export function readCredentials(folder: string): Credentials | undefined {
  const file = credentialsFile(folder);
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (isCredentials(value)) return value;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    if (!(error instanceof SyntaxError)) throw new UsageError(`${file} cannot be read: ${String(error)}`);
  }
  throw new UsageError(`${file} is damaged. Run \`millrace logout\` to remove it, then \`millrace login\`.`);
}

/** Keeps a log-in where only its owner can read it. */
export function writeCredentials(folder: string, credentials: Credentials): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = credentialsFile(folder);
  // Another command may be reading: it finds the old file or the new one, never half of one.
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  writeFileSync(draft, `${JSON.stringify(credentials, undefined, 2)}\n`, { mode: 0o600 });
  // The umask can take bits away from the mode above, but not from this one.
  chmodSync(draft, 0o600);
  renameSync(draft, file);
}

export function removeCredentials(folder: string): void {
  rmSync(credentialsFile(folder), { force: true });
}

function isCredentials(value: unknown): value is Credentials {
  if (typeof value !== 'object' || value === null) return false;
  const { url, token, givenOn } = value as Partial<Record<keyof Credentials, unknown>>;
  return typeof url === 'string' && typeof token === 'string' && typeof givenOn === 'number';
}
