import type { Job } from '../job.ts';
import { deleteRevokedTokens, deleteSigningKeys, deleteStaleLoginFailures } from './sql.ts';
import { tokenSeconds } from './tokens.ts';

const delay = 60_000;
const tokenMilliseconds = tokenSeconds * 1000;
// A log-in under way when a newer key came still signs with the older one: hence twice the life of a token.
const keyMilliseconds = 2 * tokenMilliseconds;
// In this time more attempts come round, one a minute, than the five that are free once the failures are forgotten.
const failureMilliseconds = 15 * 60_000;

/** Deletes what no longer decides anything: revoked tokens that expired, old signing keys and old login failures. */
export const forgetRevokedTokens: Job = {
  name: 'forgetRevokedTokens',
  run: async ({ db, now }) => {
    // A server whose clock is late still takes the token for a while; it must find it here as long.
    await deleteRevokedTokens(db, new Date(now.getTime() - tokenMilliseconds));
    await deleteSigningKeys(db, new Date(now.getTime() - keyMilliseconds));
    await deleteStaleLoginFailures(db, new Date(now.getTime() - failureMilliseconds));
    return delay;
  },
};
