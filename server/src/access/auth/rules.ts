import { operations, type Id, type Operation, type OperationId } from '@millrace/api';
import { Refusal } from '../../engine/errors.ts';
import type { Actor, Capability, QueueDefinition } from '../../engine/operation.ts';
import { capabilitiesOf, membershipsBy, type Membership } from '../members/rules.ts';

/** The bearer of a token, as the database knows them. */
export interface Caller {
  readonly tokenId: string;
  readonly userId: Id;
  readonly username: string;
  readonly tenantId: Id;
  readonly permissions: readonly string[];
  /** The only queues that the API key of the session opens. */
  readonly queueIds?: readonly Id[] | undefined;
  /** Whether the session began with a temporary password that has not been changed. */
  readonly mustChangePassword: boolean;
  /** Memberships in the queue of the operation. */
  readonly memberships: readonly Membership[];
}

/**
 * The actor of a call, if they may call this operation.
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
  const { userId: id, username, tenantId, queueIds } = caller;
  const actor = { id, username, tenantId, permissions: new Set(caller.permissions), queueIds };
  const beyond = decidePermission(operation, caller) ?? decideKey(operation, queueIds, queueId);
  if (beyond) return beyond;
  if (queueId === undefined || !operation.queue) return { ...actor, capabilities: new Set() };
  const isVisible = queue !== undefined && queue.tenantId === caller.tenantId;
  const capabilities = isVisible ? capabilitiesIn(caller) : new Set<Capability>();
  if (capabilities.size === 0) {
    return new Refusal('NOT_FOUND', unseen(operation, queueId));
  }
  if (!includesAny(capabilities, operation.queue)) {
    return new Refusal('FORBIDDEN', refusalOf(operation.queue, membershipsIn(caller), queueId));
  }
  return { ...actor, capabilities };
}

function decidePermission({ permission }: Operation, { permissions }: Caller): Refusal | undefined {
  if (permission === 'oneself' || permissions.includes(permission)) return undefined;
  return new Refusal(
    'FORBIDDEN',
    `This needs the permission ${permission}. Ask an administrator for a role that has it.`,
  );
}

/**
 * The refusal of a call with an API key for some queues: it opens what concerns one of them alone, the list of queues, and operations about
 * the caller.
 */
function decideKey(
  operation: Operation,
  queueIds: readonly Id[] | undefined,
  queueId: Id | undefined,
): Refusal | undefined {
  if (!queueIds) return undefined;
  const isListed = operation.path === operations.listQueues.path || isOfKey(operation);
  if (queueId === undefined ? isListed : queueIds.includes(queueId)) return undefined;
  return new Refusal(
    'FORBIDDEN',
    `This API key is good for the ${queueIds.length === 1 ? 'queue' : 'queues'} ${queueIds.join(', ')} alone. Use one that is good for more.`,
  );
}

/** Whether an operation concerns the caller alone. Preferences of a user belong to no queue. */
function isOfKey({ path, permission }: Operation): boolean {
  return permission === 'oneself' && path !== operations.getPreferences.path;
}

/**
 * The refusal of a call by a user with a temporary password, which others know as well. Logging out needs no permission, and is not decided
 * here.
 */
export function decidePassword(
  operationId: OperationId | undefined,
  caller: Caller | undefined,
): Refusal | undefined {
  if (!caller?.mustChangePassword || operationId === 'changePassword') return undefined;
  return new Refusal(
    'PASSWORD_CHANGE_REQUIRED',
    'Your password is a temporary one. Choose your own first: PUT /v2/usermanagement/me/password.',
  );
}

/** Whether the caller's memberships allow an operation on a queue, provided that the caller sees the queue. */
export function mayIn(operation: Operation, caller: Caller): boolean {
  return includesAny(capabilitiesIn(caller), operation.queue ?? []);
}

function capabilitiesIn(caller: Caller): Set<Capability> {
  return capabilitiesOf(membershipsIn(caller));
}

function membershipsIn({ permissions, memberships }: Caller): Membership[] {
  return [...memberships, ...membershipsBy(new Set(permissions))];
}

function includesAny(capabilities: ReadonlySet<string>, needed: readonly string[]): boolean {
  return needed.some((capability) => capabilities.has(capability));
}

function unseen({ queue }: Operation, queueId: Id): string {
  const isHolders = queue?.includes('report') ?? false;
  const held = isHolders ? ', and no device of yours was sent the item' : '';
  return `There is no queue ${queueId}, or you do not belong to it${held}.`;
}

function refusalOf(needed: readonly string[], memberships: readonly Membership[], queueId: Id): string {
  return (
    `As ${memberships.join(' and ').toLowerCase()} of queue ${queueId} you may not ${needed.join(' or ')} here. ` +
    'Ask an owner of the queue.'
  );
}

/** Log-ins that failed. */
interface Failures {
  readonly count: number;
  /** As text where JSON brought it. */
  readonly lastOn: Date | string;
}

/** Failures before an attempt, where there were any. */
interface LoginFailures {
  /** With this name from this address, in a row. */
  readonly pair?: Failures;
  /** With this name, from all addresses. */
  readonly name?: Failures;
  /** From this address, with any name. */
  readonly address?: Failures;
  /** Whether this name has logged in from this address lately. */
  readonly isKnown: boolean;
}

/** The limit of failures after which an attempt has to wait, the longest wait in seconds, and the reason. */
interface Patience {
  readonly free: number;
  readonly longest: number;
  readonly what: string;
}

const usual: Patience = { free: 5, longest: 60, what: 'with this user name' };
const underAttack: Patience = { free: 1, longest: 900, what: 'with this user name' };
const ofAddress: Patience = { free: 100, longest: 60, what: 'from this address' };
const attackFailures = 50;

/** Whether a name has too many failures from all addresses: somebody guesses from many of them. */
function isAttacked({ name, isKnown }: LoginFailures): boolean {
  return !isKnown && (name?.count ?? 0) >= attackFailures;
}

/**
 * The refusal of a log-in attempt that comes too early. Failures from other addresses make nobody wait, so that users cannot be locked out
 * by others: a name that is tried from many addresses leaves fewer attempts to each of them. An address that tries many names waits with
 * all of them, except for names that have logged in from there.
 */
export function decideLogIn(failures: LoginFailures, now: Date): Refusal | undefined {
  const { pair, address, isKnown } = failures;
  const refusal = decideAttempt(pair, now, isAttacked(failures) ? underAttack : usual);
  return refusal ?? (isKnown ? undefined : decideAttempt(address, now, ofAddress));
}

/** The refusal of an attempt that comes too early after failed ones; the wait doubles with each. */
export function decideAttempt(
  failures: Failures | undefined,
  now: Date,
  { free, longest, what }: Patience = usual,
): Refusal | undefined {
  if (!failures || failures.count < free) return undefined;
  const wait = Math.min(2 ** (failures.count - free), longest);
  const waited = Math.max(0, (now.getTime() - new Date(failures.lastOn).getTime()) / 1000);
  if (waited >= wait) return undefined;
  const retryAfter = Math.ceil(wait - waited);
  return new Refusal(
    'TOO_MANY_REQUESTS',
    `There were too many failed attempts to log in ${what}. Try again in ${retryAfter} s.`,
    { retryAfter },
  );
}

/** The refusal to renew a session that has lasted as long as one may. */
export function decideRenewal(loggedInOn: Date, sessionHours: number, now: Date): Refusal | undefined {
  if (now.getTime() < loggedInOn.getTime() + sessionHours * 3_600_000) return undefined;
  const hours = sessionHours === 1 ? 'an hour' : `${sessionHours} hours`;
  return new Refusal('UNAUTHENTICATED', `This session began more than ${hours} ago. Log in again.`);
}

/** The refusal of a token whose session or signing key was revoked, or whose user was disabled or lost the API key behind it. */
export function tokenRevoked(): Refusal {
  return new Refusal('UNAUTHENTICATED', 'This token is not valid any more. Log in again.');
}
