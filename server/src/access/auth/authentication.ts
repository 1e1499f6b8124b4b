import type { Id, Output, Schemas } from '@millrace/api';
import { sql, type Db } from '../../engine/db.ts';
import { Refusal } from '../../engine/errors.ts';
import type { Identity, PublicContext, PublicOperation, Who } from '../../engine/operation.ts';
import { recordTenantEvents } from '../../journal/journal.ts';
import type { Permission } from '../users/permissions.ts';
import { readUser } from '../users/users.ts';
import { decidePassword, decideRenewal, tokenRevoked, type Caller } from './rules.ts';
import { insertRevokedSession, saveSession } from './session-store.ts';
import { selectCallers, selectSigningKey } from './sql.ts';
import { createTokenVerifier, signToken, tokenSeconds } from './tokens.ts';

type Session = Schemas['Session'];

export const validateToken: PublicOperation<'validateToken'> = async (context, { query }) => {
  const { db, token } = context;
  const check = async (given: string | undefined) => callerOf(db, await prove(context, given));
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
  const identity = await prove(context, body?.token || context.token);
  const caller = await callerOf(context.db, identity);
  const refusal =
    decidePassword(undefined, caller) ??
    decideRenewal(identity.loggedInOn, context.sessionHours, context.now);
  if (refusal) throw refusal;
  return giveToken(context, identity);
};

export const logOut: PublicOperation<'logOut'> = async (context, { body }) => {
  const { db, now, token, client } = context;
  const identity = await createTokenVerifier(db, () => now)(body?.token || token);
  countLogOut(context, identity);
  const { sessionId, userId } = identity;
  if (!(await insertRevokedSession(db, sessionId, now))) throw tokenRevoked();
  const user = await selectGrants(db, userId);
  if (!user) return;
  const event = { operation: 'logOut', actorId: userId, changes: { ...client } };
  await recordTenantEvents(context, user.tenantId, [event]);
};

/** The identity of a token; the request counts towards its limit from here on. @throws Refusal also for one request too many */
export async function prove(context: PublicContext, token: string | undefined): Promise<Identity> {
  const identity = await createTokenVerifier(context.db, () => context.now)(token);
  context.count(identity);
  return identity;
}

/** Counts a log-out, which is done though it be one too many: else whoever floods with the token of a session would keep its user from ending it. */
export function countLogOut(context: PublicContext, who: Who): void {
  try {
    context.count(who);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
  }
}

/** The user that a token is for, and its session. */
type Bearer = Omit<Parameters<typeof signToken>[1], 'tenantUuid'>;

/** A new token, and the user it stands for. @throws Refusal UNAUTHENTICATED when an API key lacks its permission. */
export async function giveToken(context: PublicContext, bearer: Bearer): Promise<Session> {
  const { db, now } = context;
  const { userId, apiKeyId } = bearer;
  const user = await readUser(db, userId);
  const grants = await selectGrants(db, userId, apiKeyId);
  const key = await selectSigningKey(db);
  if (!user || !grants) throw tokenRevoked();
  if (!key) throw new Error('There is no signing key, which every start of the server sees to');
  // Only a holder of the key itself gets here, so that nobody else learns that the key is right.
  if (apiKeyId !== undefined && !grants.mayUseKeys) throw keyNotPermitted();
  if (!(await saveSession(context, bearer))) throw tokenRevoked();
  const token = await signToken(key, { ...bearer, tenantUuid: grants.tenantUuid }, now);
  return { token, tokenExpiresIn: tokenSeconds, user: { ...user, ...sessionMembers(grants.permissions) } };
}

/** The members of a session's user that a listed user does not have; most are there for older clients only. */
export function sessionMembers(permissions: readonly string[]) {
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

/** The caller behind a proved token. @throws Refusal UNAUTHENTICATED when its session was revoked or its user disabled. */
export async function callerOf(db: Db, identity: Identity): Promise<Caller> {
  const [caller] = await selectCallers(db, [identity], undefined);
  if (!caller) throw tokenRevoked();
  return caller;
}

/** The tenant and the permissions of a session's user; an API key may limit the permissions. */
function selectGrants(db: Db, userId: Id, apiKeyId?: Id) {
  return db.row<{ tenantId: Id; tenantUuid: string; permissions: Permission[]; mayUseKeys: boolean }>(sql`
    select t.id as "tenantId", t.uuid as "tenantUuid",
      array(select distinct p from user_roles ur join roles r on r.id = ur.role_id, unnest(r.permissions) p
             where ur.user_id = u.id and (k.permissions is null or p = any(k.permissions)) order by p) as permissions,
      exists (select from user_roles ur join roles r on r.id = ur.role_id
               where ur.user_id = u.id and 'generateApiKey' = any(r.permissions)) as "mayUseKeys"
    from users u left join api_keys k on k.id = ${apiKeyId} join tenants t on t.id = u.tenant_id where u.id = ${userId}`);
}
