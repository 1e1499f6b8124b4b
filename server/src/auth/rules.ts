import type { Id, Operation } from '@millrace/api';
import { Refusal } from '../errors.ts';
import { capabilitiesOf, type Standing } from '../members/rules.ts';
import type { Actor } from '../operation.ts';
import type { QueueDefinition } from '../queues/rules.ts';

/** What the database says of the bearer of a token. */
export interface Caller {
  readonly tokenId: string;
  readonly userId: Id;
  readonly username: string;
  readonly tenantId: Id;
  readonly permissions: readonly string[];
  /** Standings in the queue of the operation. */
  readonly standings: readonly Standing[];
}

/**
 * Who calls, if they may call this operation.
 * @param caller undefined when the token was revoked or its user disabled.
 * @param queue undefined when the operation names no queue, or one that does not exist.
 */
export function decideAccess(
  operation: Operation,
  caller: Caller | undefined,
  queueId: Id | undefined,
  queue: QueueDefinition | undefined,
): Actor | Refusal {
  if (!caller) return tokenRevoked();
  const permissions = new Set(caller.permissions);
  const actor = { id: caller.userId, username: caller.username, tenantId: caller.tenantId, permissions };
  if (!permissions.has(operation.permission)) {
    return new Refusal(
      'FORBIDDEN',
      `This needs the permission ${operation.permission}. Ask an administrator for a role that has it.`,
    );
  }
  if (queueId === undefined || !operation.queue) return { ...actor, capabilities: new Set() };
  const isVisible = queue !== undefined && queue.tenantId === caller.tenantId;
  const standings = permissions.has('manageAllQueues')
    ? [...caller.standings, 'QUEUE_ADMIN' as const]
    : caller.standings;
  const capabilities = capabilitiesOf(isVisible ? standings : []);
  if (capabilities.size === 0) {
    return new Refusal('NOT_FOUND', unseen(operation, queueId));
  }
  if (!operation.queue.some((capability) => (capabilities as ReadonlySet<string>).has(capability))) {
    return new Refusal('FORBIDDEN', refusalOf(operation.queue, caller.standings, queueId));
  }
  return { ...actor, capabilities };
}

function unseen({ queue }: Operation, queueId: Id): string {
  const isHolders = queue?.includes('report') ?? false;
  const held = isHolders ? ', and no device of yours was sent the item' : '';
  return `There is no queue ${queueId}, or you do not belong to it${held}.`;
}

function refusalOf(needed: readonly string[], standings: readonly Standing[], queueId: Id): string {
  return (
    `As ${standings.join(' and ').toLowerCase()} of queue ${queueId} you may not ${needed.join(' or ')} here. ` +
    'Ask an owner of the queue.'
  );
}

/** Wrong passwords in a row for one user name. */
export interface LoginFailures {
  readonly count: number;
  readonly lastOn: Date;
}

const freeFailures = 5;
const longestWait = 60;

/** The refusal of a log-in attempt that comes too early after others that failed; the wait doubles with each. */
export function decideAttempt(failures: LoginFailures | undefined, now: Date): Refusal | undefined {
  if (!failures || failures.count < freeFailures) return undefined;
  const wait = Math.min(2 ** (failures.count - freeFailures), longestWait);
  const waited = Math.max(0, (now.getTime() - failures.lastOn.getTime()) / 1000);
  if (waited >= wait) return undefined;
  const retryAfter = Math.ceil(wait - waited);
  return new Refusal(
    'TOO_MANY_REQUESTS',
    `There were too many failed attempts to log in with this user name. Try again in ${retryAfter} s.`,
    { retryAfter },
  );
}

/** What whoever cannot log in is told: the same for a wrong name, password or key, and for a disabled user. */
export function wrongCredentials(): Refusal {
  return new Refusal(
    'UNAUTHENTICATED',
    'The user name, password or API key is wrong, or the user is disabled. Check them, or ask an administrator.',
  );
}

export function tokenExpired(): Refusal {
  return new Refusal('UNAUTHENTICATED', 'The access token has expired. Log in again.');
}

/** What the bearer of a token is told that was revoked, or whose user was disabled or lost the API key behind it. */
export function tokenRevoked(): Refusal {
  return new Refusal('UNAUTHENTICATED', 'This token is not valid any more. Log in again.');
}
