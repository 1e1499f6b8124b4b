import type { Id } from '@millrace/api';
import { sql, type Db } from '../../engine/db.ts';
import type { Context } from '../../engine/operation.ts';
import { millrace, recordTenantEvents } from '../../journal/journal.ts';
import { endSessionsOf } from '../auth/session-store.ts';
import { lockPeople } from '../users/administrators.ts';
import { hashPassword, makePassword } from '../users/passwords.ts';
import { setTemporaryPassword } from './people.ts';

/** Somebody who can no longer log in. */
interface Lost {
  readonly id: Id;
  readonly tenantId: Id;
  readonly username: string;
  readonly disabled: boolean;
}

/**
 * Gives a user a temporary password, for an operator with access to the server's machine; without a name, to the only administrator. It is
 * recorded, and ends the sessions of the user.
 * @throws Error that names the administrators where it is not clear which user is meant.
 */
export async function resetLostPassword(
  context: Pick<Context, 'db' | 'now' | 'wake'>,
  username: string | undefined,
): Promise<{ username: string; temporaryPassword: string }> {
  const { db, now } = context;
  const temporaryPassword = makePassword();
  const hash = await hashPassword(temporaryPassword);
  // From here on other changes of users wait.
  await lockPeople(db);
  const user = await findLost(db, username);
  await setTemporaryPassword(db, user.id, hash, { actorId: millrace, now });
  const endedSessions = await endSessionsOf(context, user.id);
  const event = {
    operation: 'resetUserPassword',
    actorId: millrace,
    reason: 'By `millrace admin reset-password`, on the machine of the server.',
    changes: { userId: user.id, endedSessions },
  };
  await recordTenantEvents(context, user.tenantId, [event]);
  return { username: user.username, temporaryPassword };
}

async function findLost(db: Db, username: string | undefined): Promise<Lost> {
  const administrators = await selectAdministrators(db);
  const [first, ...others] = administrators;
  const named = username === undefined ? first : await selectByName(db, username);
  const names = administrators.slice(0, 20).map((one) => one.username);
  const known = `Administrators are: ${names.join(', ')}.`;
  if (!named && username === undefined)
    throw new Error('There is no administrator who is not disabled. Say whose password is lost.');
  if (!named) throw new Error(`There is no user ${username}. ${known}`);
  if (username === undefined && others.length > 0) throw new Error(`Say whose password is lost. ${known}`);
  if (named.disabled)
    throw new Error(
      `The user ${named.username} is disabled, and could not log in with a password either. ${known}`,
    );
  return named;
}

function selectAdministrators(db: Db): Promise<Lost[]> {
  return db.rows<Lost>(sql`
    select u.id, u.tenant_id as "tenantId", u.username, u.disabled from users u
    where not u.disabled and exists (select from user_roles ur join roles r on r.id = ur.role_id
      where ur.user_id = u.id and r.name = 'AAE_Admin')
    order by u.id`);
}

function selectByName(db: Db, username: string): Promise<Lost | undefined> {
  return db.row<Lost>(sql`
    select u.id, u.tenant_id as "tenantId", u.username, u.disabled from users u
    where lower(u.username) = lower(${username}::text) and u.deleted_on is null`);
}
