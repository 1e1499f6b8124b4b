import type { Schemas } from '@millrace/api';
import { choosePassword } from '../connection/client.ts';
import { query, read } from '../connection/query.ts';
import { requestFor, type Request } from '../connection/request.ts';
import { carryOut } from '../dialogs/queries.ts';
import { readAnew } from '../live/effects.ts';
import { keysQuery, may, sessionsQuery, whoAmI } from '../people/queries.ts';

export function meQuery() {
  return query('getMe', {});
}

export function healthQuery() {
  return query('getReadiness', {});
}

export async function loadSettings(): Promise<void> {
  const { id } = whoAmI();
  await Promise.all([
    read(meQuery()),
    read(healthQuery()),
    read(sessionsQuery(id)),
    may('generateApiKey') && read(keysQuery(id)),
  ]);
}

/** A change of the password, as shown: without the passwords. */
export function passwordRequest(): Request {
  return requestFor('changePassword', { body: { password: '…', newPassword: '…' } });
}

export async function changePassword(password: string, newPassword: string): Promise<void> {
  await choosePassword(password, newPassword);
  await readAnew(['listSessions', 'getMe']);
}

export function signingKeyRequest(endSessions: boolean): Request {
  return requestFor('rotateSigningKey', { body: { endSessions } });
}

export async function rotateSigningKey(endSessions: boolean): Promise<Schemas['SigningKey']> {
  const [answer] = await carryOut([signingKeyRequest(endSessions)]);
  return answer as Schemas['SigningKey'];
}
