import type { Identity } from './auth/tokens.ts';
import { Refusal } from './errors.ts';
import { createTurns, createTurnsByName, type Turns } from './turns.ts';

/** Reads that take turns on the connections to the database. */
export interface Reads {
  /** The turns of a caller. */
  readonly of: (caller: Pick<Identity, 'userId' | 'tenantUuid'>) => Turns;
  /** The turns of streams, which have a line of their own before this one. */
  readonly ofStreams: Turns;
}

// Somebody who asks for more at once is not looking at the answers.
const waitingPerUser = 100;

/**
 * Reads may take long and may be many: they share half of the connections, so that jobs, claims, heartbeats and reports always
 * find one. No tenant gets all of that half, and no user of a tenant all that the tenant may have.
 */
export function createReads(connections: number): Reads {
  const half = Math.max(1, Math.floor(connections / 2));
  const ofAll = createTurns({ atOnce: half, waiting: Infinity, refusal: tooMany });
  const ofTenant = createTurnsByName({
    atOnce: Math.max(1, half - 1),
    waiting: Infinity,
    refusal: tooMany,
  });
  const ofUser = createTurnsByName({
    atOnce: Math.max(1, Math.floor(half / 2)),
    waiting: waitingPerUser,
    refusal: tooMany,
  });
  // The own line comes first: who waits in it stands in nobody's way.
  const of: Reads['of'] = ({ userId, tenantUuid }) => {
    return (work) => ofUser(String(userId))(() => ofTenant(tenantUuid)(() => ofAll(work)));
  };
  return { of, ofStreams: ofAll };
}

function tooMany(): Refusal {
  return new Refusal(
    'UNAVAILABLE',
    `${waitingPerUser} of your reads wait for the database already. Wait for their answers, then try again.`,
    { retryAfter: 2 },
  );
}
