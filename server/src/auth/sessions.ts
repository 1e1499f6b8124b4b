import type { Id, Schemas } from '@millrace/api';
import type { Db, Reader } from '../db.ts';
import { Refusal } from '../errors.ts';
import type { PublicContext } from '../operation.ts';
import { readUser } from '../users/accounts.ts';
import { tokenRevoked, wrongCredentials, type Caller } from './rules.ts';
import { signToken } from './signing.ts';
import { selectCallers, selectGrants, selectPublicKey, selectSigningKey } from './sql.ts';
import { createVerifier, tokenSeconds, type Identity, type VerifyToken } from './tokens.ts';

/** Whom a session is for. */
export interface Bearer {
  readonly userId: Id;
  /** The API key that brought the session about; the session ends with it. */
  readonly apiKeyId?: Id | undefined;
}

/** A new token, and whom it stands for. @throws Refusal UNAUTHENTICATED when an API key lacks its permission. */
export async function openSession({ db, now }: PublicContext, bearer: Bearer): Promise<Schemas['Session']> {
  const { userId, apiKeyId } = bearer;
  const user = await readUser(db, userId);
  const grants = await selectGrants(db, userId);
  const key = await selectSigningKey(db);
  if (!user || !grants) throw wrongCredentials();
  if (!key) throw new Error('There is no signing key, which every start of the server sees to');
  // Only who holds the key itself gets here, so that nobody else learns from it that the key is right.
  if (apiKeyId !== undefined && !grants.permissions.includes('generateApiKey')) throw keyNotPermitted();
  const token = await signToken(key, { userId, tenantUuid: grants.tenantUuid, apiKeyId }, now);
  return { token, tokenExpiresIn: tokenSeconds, user: { ...user, ...sessionMembers(grants.permissions) } };
}

/** The members of a session's user that a listed user does not have; most are there for older clients only. */
function sessionMembers(permissions: readonly string[]) {
  return {
    permissions: permissions.map((name) => ({ name })),
    sysAssignedRoles: [],
    groupNames: [],
    publicKey: null,
    appType: null,
    routingName: null,
    appUrl: null,
  };
}

function keyNotPermitted(): Refusal {
  return new Refusal(
    'UNAUTHENTICATED',
    'This API key is no good any more: its user lacks the permission generateApiKey. Ask an administrator for it.',
  );
}

/** Proves tokens by their signature and their time, with the keys that are in the database. */
export function createTokenVerifier(db: Reader): VerifyToken {
  return createVerifier((keyId) => selectPublicKey(db, keyId));
}

/** The caller behind a proved token. @throws Refusal UNAUTHENTICATED when it was revoked or its user disabled. */
export async function callerOf(db: Db, identity: Identity): Promise<Caller> {
  const [caller] = await selectCallers(db, [identity], undefined);
  if (!caller) throw tokenRevoked();
  return caller;
}
