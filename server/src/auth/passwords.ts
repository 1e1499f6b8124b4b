import { hash, verify } from '@node-rs/argon2';
import { Refusal } from '../errors.ts';
import { createTurns } from '../turns.ts';

// Argon2id, the default algorithm, with the parameters that OWASP names first: 19 MiB and some 20 ms for each hash.
const parameters = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

// Hashing shares four threads of this process with the proving of tokens, which must not wait for a flood of logins.
const turns = createTurns({ atOnce: 2, waiting: 100, refusal: busy });

/** The hash to store for a password. @throws Refusal UNAVAILABLE when too many are being hashed already. */
export function hashPassword(password: string): Promise<string> {
  return turns(() => hash(password, parameters));
}

/**
 * Whether the password is the one that was hashed. Without a hash the answer is no, after as long a time.
 * @throws Refusal UNAVAILABLE when too many are being hashed already.
 */
export function verifyPassword(hashed: string | undefined, password: string): Promise<boolean> {
  return turns(() => verify(hashed ?? hashOfNothing, password));
}

/** What a hash looks like, with a salt and a digest of zeros, which no password is known to have. */
export const hashOfNothing =
  `$argon2id$v=19$m=${parameters.memoryCost},t=${parameters.timeCost},p=${parameters.parallelism}` +
  `$${'A'.repeat(22)}$${'A'.repeat(43)}`;

function busy(): Refusal {
  return new Refusal('UNAVAILABLE', 'Too many people are logging in at this moment. Try again shortly.', {
    retryAfter: 1,
  });
}
