import { createHash, randomBytes } from 'node:crypto';

/** A new API key: 40 characters, 160 random bits. */
export function makeApiKey(): string {
  return randomBytes(20).toString('hex');
}

/** What is stored of an API key. It is random enough that a fast hash hides it. */
export function hashApiKey(apiKey: string): Buffer {
  return createHash('sha256').update(apiKey).digest();
}
