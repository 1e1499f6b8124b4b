import type { Id, Schemas } from '@millrace/api';
import { sql, type Db } from '../../engine/db.ts';
import type { Refusal } from '../../engine/errors.ts';
import type { Context, PlainOperation, StepsOperation } from '../../engine/operation.ts';
import { recordOfAccess } from '../../journal/journal.ts';
import { sessionMembers } from '../auth/authentication.ts';
import {
  countFailure,
  forgetFailures,
  lockLoginFailures,
  networkOf,
  selectLoginFailures,
  type Attempt,
} from '../auth/failures.ts';
import { decideLogIn } from '../auth/rules.ts';
import { endSessionsOf } from '../auth/session-store.ts';
import { hashPassword, problemOf, verifyPassword } from '../users/passwords.ts';
import { invalid } from '../users/rules.ts';
import { readUser } from '../users/users.ts';

export const getMe: PlainOperation<'getMe'> = async ({ db, actor }) => {
  const user = (await readUser(db, actor.id)) as Schemas['User'];
  return { ...user, ...sessionMembers([...actor.permissions].toSorted()) };
};

/** Hashes between two transactions, as a log-in does: wrong passwords are counted and slowed down together with failed log-ins. */
export const changePassword: StepsOperation<'changePassword'> = async ({ transact }, { body }) => {
  const { password, newPassword } = body;
  const { hash, username } = await transact(presentPassword);
  const problem = await problemOfNew(password, newPassword, username);
  if (problem !== undefined) throw invalid([{ field: 'newPassword', message: problem }]);
  const proved = (await verifyPassword(hash, password)) ? hash : undefined;
  const newHash = proved === undefined ? undefined : await hashPassword(newPassword);
  const refusal = await transact((context) => settleChange(context, proved, newHash));
  if (refusal) throw refusal;
};

async function presentPassword({ db, actor, client, now }: Context) {
  const { username } = actor;
  const refusal = decideLogIn(await selectLoginFailures(db, attemptOf({ actor, client })), now);
  if (refusal) throw refusal;
  return { username, hash: await selectPasswordHash(db, actor.id) };
}

async function problemOfNew(
  password: string,
  newPassword: string,
  username: string,
): Promise<string | undefined> {
  if (newPassword === password) return 'must not be the present one; choose another';
  return problemOf(newPassword, username);
}

/** A refusal is answered instead of thrown, because its count and its event have to stay. */
async function settleChange(
  context: Context,
  proved: string | undefined,
  newHash: string | undefined,
): Promise<Refusal | undefined> {
  const { db, actor, now, sessionId } = context;
  const attempt = attemptOf(context);
  await lockLoginFailures(db, actor.username);
  const early = decideLogIn(await selectLoginFailures(db, attempt), now);
  if (early) return early;
  const isChanged =
    proved !== undefined && newHash !== undefined && (await replacePassword(context, proved, newHash));
  if (!isChanged) return refuseWrong(context, attempt);
  await forgetFailures(db, attempt, now);
  const endedSessions = await endSessionsOf(context, actor.id, sessionId);
  await recordOfAccess(context, {
    operation: 'changePassword',
    changes: { userId: actor.id, endedSessions },
  });
  return undefined;
}

async function refuseWrong(context: Context, attempt: Attempt): Promise<Refusal> {
  await countFailure(context.db, attempt, context.now);
  const reason = 'The present password was wrong.';
  await recordOfAccess(context, {
    operation: 'changePassword',
    reason,
    changes: { userId: context.actor.id },
  });
  return invalid([{ field: 'password', message: 'is not your present one' }]);
}

function attemptOf({ actor, client }: Pick<Context, 'actor' | 'client'>): Attempt {
  return { username: actor.username, network: networkOf(client.address) };
}

async function selectPasswordHash(db: Db, userId: Id): Promise<string | undefined> {
  const row = await db.row<{ hash?: string }>(
    sql`select password_hash as hash from users where id = ${userId}`,
  );
  return row?.hash;
}

/** Sets the password, unless another one was set since the present one was proved. */
async function replacePassword(
  { db, actor, now }: Context,
  proved: string,
  newHash: string,
): Promise<boolean> {
  const row = await db.row(sql`
    update users set password_hash = ${newHash}, must_change_password = false, version = version + 1,
      updated_by = ${actor.id}, updated_on = ${now}
    where id = ${actor.id} and password_hash = ${proved} returning id`);
  return row !== undefined;
}
