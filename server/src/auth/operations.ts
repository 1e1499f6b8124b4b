import type { Output, Schemas } from '@millrace/api';
import { Refusal } from '../errors.ts';
import type {
  PlainOperation,
  PublicContext,
  PublicOperation,
  SteppedContext,
  SteppedOperation,
} from '../operation.ts';
import { hashApiKey } from './api-keys.ts';
import { verifyPassword } from './passwords.ts';
import { decideAttempt, tokenRevoked, wrongCredentials } from './rules.ts';
import { callerOf, createTokenVerifier, openSession } from './sessions.ts';
import { addSigningKey } from './signing-keys.ts';
import {
  deleteLoginFailures,
  insertLoginFailure,
  insertRevokedToken,
  lockLoginFailures,
  selectAccount,
  selectApiKey,
  selectLoginFailures,
} from './sql.ts';

type Session = Schemas['Session'];

export const logIn: SteppedOperation<'logIn'> = async (context, { body }) => {
  const { username, password, apiKey } = body;
  if (apiKey?.trim()) return context.transact((step) => logInByKey(step, username, apiKey));
  if (typeof password === 'string') return logInByPassword(context, username, password);
  throw new Refusal(
    'INVALID_REQUEST',
    'Send the password or the API key of the user, in password or apiKey.',
  );
};

/** Nobody guesses 160 random bits: keys are not slowed down, nor kept out while passwords of their user are guessed. */
async function logInByKey(step: PublicContext, username: string, apiKey: string): Promise<Session> {
  const key = await selectApiKey(step.db, username, hashApiKey(apiKey), step.now);
  if (!key) throw wrongCredentials();
  return openSession(step, { userId: key.userId, apiKeyId: key.id });
}

/** Hashes between two transactions: held through it, their connections would be missing elsewhere. */
async function logInByPassword(
  { transact }: SteppedContext,
  username: string,
  password: string,
): Promise<Session> {
  const account = await transact(async ({ db, now }) => {
    const refusal = decideAttempt(await selectLoginFailures(db, username), now);
    if (refusal) throw refusal;
    return selectAccount(db, username);
  });
  const isRight = await verifyPassword(account?.passwordHash, password);
  const outcome = await transact((step) => settleAttempt(step, username, isRight));
  if (outcome instanceof Refusal) throw outcome;
  return outcome;
}

/**
 * Decides again, one attempt after the other: many guesses that were sent at once all found few failures before.
 * A refusal is returned instead of thrown, because its count has to stay.
 */
async function settleAttempt(
  step: PublicContext,
  username: string,
  isRight: boolean,
): Promise<Session | Refusal> {
  const { db, now } = step;
  await lockLoginFailures(db, username);
  const failures = await selectLoginFailures(db, username);
  const refusal = decideAttempt(failures, now);
  if (refusal) return refusal;
  const account = await selectAccount(db, username);
  if (!isRight || !account) {
    await insertLoginFailure(db, username, now);
    return wrongCredentials();
  }
  if (failures) await deleteLoginFailures(db, username);
  return openSession(step, account);
}

export const validateToken: PublicOperation<'validateToken'> = async ({ db, token }, { query }) => {
  const check = async (given: string | undefined) => callerOf(db, await createTokenVerifier(db)(given));
  if (!query.token) return check(token).then(() => ({ valid: true }));
  return check(query.token).then(
    () => ({ valid: true }),
    (error: unknown) => invalid(error),
  );
};

function invalid(error: unknown): Output<'validateToken'> {
  if (error instanceof Refusal && error.code === 'UNAUTHENTICATED') return { valid: false };
  throw error;
}

export const refreshToken: PublicOperation<'refreshToken'> = async (context, { body }) => {
  const identity = await createTokenVerifier(context.db)(body?.token || context.token);
  const { userId } = await callerOf(context.db, identity);
  return openSession(context, { userId, apiKeyId: identity.apiKeyId });
};

export const logOut: PublicOperation<'logOut'> = async ({ db, token }, { body }) => {
  const identity = await createTokenVerifier(db)(body?.token || token);
  if (!(await insertRevokedToken(db, identity))) throw tokenRevoked();
};

export const rotateSigningKey: PlainOperation<'rotateSigningKey'> = async ({ db, now }) => {
  const id = await addSigningKey(db, now);
  return { id, createdOn: now.toISOString() };
};
