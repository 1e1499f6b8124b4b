import { randomInt } from 'node:crypto';
import { hash, verify } from '@node-rs/argon2';
import { Refusal } from '../../engine/errors.ts';
import { createLimiter } from '../../engine/limiter.ts';

// Argon2id, the default algorithm, with the parameters that OWASP recommends first: 19 MiB and some 20 ms for each hash.
const parameters = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

// Hashing shares four threads of this process with the verification of tokens, which must not wait for a flood of log-ins.
const limitHashing = createLimiter({ atOnce: 2, waiting: 100, refusal: busy });

/** The form in which a password is hashed: keyboards and systems encode the same letters in more than one way. */
const stable = (password: string) => password.normalize('NFKC');

/** The hash to store for a password. @throws Refusal UNAVAILABLE when too many are being hashed already. */
export function hashPassword(password: string): Promise<string> {
  return limitHashing(() => hash(stable(password), parameters));
}

/**
 * Whether a password matches the hash. Without a hash the answer is no, after as long a time.
 * @throws Refusal UNAVAILABLE when too many are being hashed already.
 */
export function verifyPassword(hashed: string | undefined, password: string): Promise<boolean> {
  // Earlier versions hashed the password as it was sent.
  const forms = new Set([stable(password), password]);
  return limitHashing(async () => {
    for (const form of forms) if (await verify(hashed ?? hashOfNothing, form)) return true;
    return false;
  });
}

const least = 8;
const mostBytes = 1024;

/** The fault of a new password of a user, in words that follow its name; undefined when it has none. */
export async function problemOf(password: string, username: string): Promise<string | undefined> {
  const form = stable(password);
  const characters = new Set(form);
  if (form.trim() === '') return 'must not be blank; take several words';
  if (form !== form.trim()) return 'must not begin or end with a blank; leave it out';
  if (/\p{Cc}/u.test(form))
    return 'must not hold control characters, such as tabs; type letters, digits and signs only';
  if ([...form].length < least) return `must have at least ${least} characters; take several words`;
  if (Buffer.byteLength(form) > mostBytes)
    return `must not be longer than ${mostBytes} bytes; take a shorter one`;
  if (characters.size < 4) return 'must have more than three different characters; take several words';
  if (holdsName(form.toLowerCase(), stable(username).toLowerCase()))
    return 'must not hold the user name, forwards or backwards; take words that have nothing to do with it';
  if ((await commonPasswords()).has(form.toLowerCase()))
    return 'is one of the commonest, which are tried first; take several words that do not belong together';
  return undefined;
}

/** Whether a password contains the user name, or its part before the domain; shorter ones occur in many words. */
function holdsName(password: string, username: string): boolean {
  const names = [username, ...username.split(/[\\@]/)].filter(({ length }) => length >= 3);
  return names.some((name) => password.includes(name) || password.includes([...name].toReversed().join('')));
}

let common: Promise<ReadonlySet<string>> | undefined;

/** Loaded at the first use: most starts of the server set no password. */
function commonPasswords(): Promise<ReadonlySet<string>> {
  common ??= import('@zxcvbn-ts/language-common').then(
    ({ dictionary }) => new Set(dictionary['passwords-common'].filter(({ length }) => length >= least)),
  );
  return common;
}

// Without characters that people mistake for one another when they copy them from a screen.
const alphabet = 'abcdefghjkmnpqrstuvwxyz23456789';

/** A password that can be read out and typed: four groups of five characters, 99 random bits. */
export function makePassword(): string {
  const group = () => Array.from({ length: 5 }, () => alphabet[randomInt(alphabet.length)]).join('');
  return Array.from({ length: 4 }, group).join('-');
}

/** A well-formed hash with a salt and a digest of zeros, which no password is known to have. */
export const hashOfNothing =
  `$argon2id$v=19$m=${parameters.memoryCost},t=${parameters.timeCost},p=${parameters.parallelism}` +
  `$${'A'.repeat(22)}$${'A'.repeat(43)}`;

function busy(): Refusal {
  return new Refusal('UNAVAILABLE', 'Too many people are logging in at this moment. Try again shortly.', {
    retryAfter: 1,
  });
}
