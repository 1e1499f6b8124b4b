import { operations, type Id, type Input, type Operation } from '@millrace/api';
import { decideAccess, decidePassword, mayIn, type Caller } from './access/auth/rules.ts';
import { selectCallers, selectSentTo } from './access/auth/sql.ts';
import { systemRoles } from './access/users/permissions.ts';
import type { Db, Reader } from './engine/db.ts';
import { Refusal } from './engine/errors.ts';
import { GroupCommit } from './engine/group-commit.ts';
import type { Actor, Context, QueueDefinition } from './engine/operation.ts';
import type { Vault } from './engine/vault.ts';
import { queueIdOf, readsOnly, type Admit, type Call, type Screen } from './engine/call.ts';
import { decideArchived } from './queues/rules.ts';
import { selectQueueDefinition, type Hold } from './queues/sql.ts';

/** The actors of these calls and the queue that they name: the one place where permission is granted, once for each call. */
export const admit: Admit = async ({ db, vault }, calls) => {
  const [first] = calls as [Call];
  if (first.promisedTo) return keepPromise({ db, vault }, first, first.promisedTo);
  const { queue, callers } = await readParties(db, calls, holdOn(first.operation), vault);
  const queueCalls = calls.map(({ input }, index) => ({ input, caller: callers[index] }));
  return { queue, actors: decideAll(first, queue, await withDevices(db, first, queueCalls)) };
};

/** For a call that was answered in advance, checks only that its queue is still there. */
async function keepPromise(
  { db, vault }: Pick<Context, 'db' | 'vault'>,
  { operation, operationId, queueId }: Call,
  actor: Actor,
): ReturnType<Admit> {
  if (queueId === undefined) return { queue: undefined, actors: [actor] };
  const queue = await selectQueueDefinition({ db, vault }, queueId, holdOn(operation));
  if (!queue) return { queue, actors: [new Refusal('NOT_FOUND', `Queue ${queueId} was deleted meanwhile.`)] };
  return { queue, actors: [decideArchived(queue, operationId, operation) ?? actor] };
}

/** Screens calls that announce large bodies; calls on one queue that arrive at the same time are decided together. */
export function createScreen(db: Reader): Screen {
  const lanes = new GroupCommit<Announced, Actor | Refusal>(
    (calls) => foresee(db, calls),
    () => 1,
  );
  return async ({ operationId, identity, path }) => {
    const operation = operations[operationId];
    const queueId = queueIdOf(operation, path);
    const call = { operationId, operation, identity, queueId };
    const actor = await lanes.enqueue({ own: `${operationId} ${queueId}` }, call);
    if (actor instanceof Refusal) throw actor;
  };
}

/** A call whose body has not been read yet. */
type Announced = Pick<Call, 'operationId' | 'operation' | 'identity' | 'queueId'>;

/** The decisions of admission as of now, on the assumption that a device of the caller was sent every item in the bodies. */
async function foresee(db: Reader, calls: readonly Announced[]): Promise<(Actor | Refusal)[]> {
  const [first] = calls as [Announced];
  const { queue, callers } = await readParties(db, calls, 'none');
  const mayBeSent = ({ permissions }: Caller) =>
    permissions.includes('runDevice') && first.operation.queue?.includes('report');
  const members = callers.map((caller) => (caller && mayBeSent(caller) ? asDevice(caller) : caller));
  return decideAll(first, queue, members);
}

/** The queue named by these calls, and their callers in order; undefined for a token that is not valid any more. */
async function readParties(db: Reader, calls: readonly Announced[], hold: Hold, vault?: Vault) {
  const [{ queueId }] = calls as [Announced];
  const identities = new Map(calls.map(({ identity }) => [identity.tokenId, identity]));
  const [queue, callers] = await Promise.all([
    queueId === undefined ? undefined : selectQueueDefinition({ db, vault }, queueId, hold),
    selectCallers(db, [...identities.values()], queueId),
  ]);
  const callerByToken = new Map(callers.map((caller) => [caller.tokenId, caller]));
  return { queue, callers: calls.map(({ identity }) => callerByToken.get(identity.tokenId)) };
}

/** The actor of each caller, or the refusal of the operation. */
function decideAll(
  { operation, operationId, queueId }: Announced,
  queue: QueueDefinition | undefined,
  callers: readonly (Caller | undefined)[],
): (Actor | Refusal)[] {
  const archived = queue && decideArchived(queue, operationId, operation);
  return callers.map((caller) => {
    const actor = decideAccess(operation, caller, queueId, queue);
    if (actor instanceof Refusal) return actor;
    return decidePassword(operationId, caller) ?? archived ?? actor;
  });
}

/** Changes of a queue come one after the other; work in a queue only keeps it from being deleted. */
function holdOn(operation: Operation): Hold {
  if (readsOnly(operation)) return 'none';
  return operation.queue?.includes('edit') ? 'changed' : 'kept';
}

/** A call on a queue: its caller and its input. */
interface QueueCall {
  readonly caller: Caller | undefined;
  readonly input: Input;
}

/**
 * The callers, with the membership DEVICE where they have none of the needed capabilities and all items of a call were sent to devices of
 * the caller, even where the devices are gone: a caller who lost an item may still report on it.
 */
async function withDevices(
  db: Db,
  { operation, queueId }: Pick<Call, 'operation' | 'queueId'>,
  calls: readonly QueueCall[],
): Promise<(Caller | undefined)[]> {
  const callers = calls.map(({ caller }) => caller);
  if (queueId === undefined || !operation.queue?.includes('report')) return callers;
  const outsiders = calls.flatMap(({ caller, input }, index) =>
    caller && !mayIn(operation, caller) ? [{ index, userId: caller.userId, itemIds: itemsIn(input) }] : [],
  );
  if (outsiders.length === 0) return callers;
  const sentTo = new Set(await selectSentTo(db, queueId, outsiders));
  return callers.map((caller, index) => (caller && sentTo.has(index) ? asDevice(caller) : caller));
}

function asDevice(caller: Caller): Caller {
  return { ...caller, memberships: [...caller.memberships, 'DEVICE'] };
}

/** The items of its queue that a call names. */
function itemsIn({ path, body }: Input): Id[] {
  const { workItemId } = path as { workItemId?: Id };
  if (workItemId !== undefined) return [workItemId];
  const { leases, results } = (body ?? {}) as Record<'leases' | 'results', { id: Id }[] | undefined>;
  return (leases ?? results ?? []).map(({ id }) => id);
}

/**
 * Refuses to start when an operation of the contract has no function, or needs a permission that no role grants.
 * @throws Error that names each such operation.
 */
export function checkPermissions(kept: object, table: Record<string, Operation> = operations): void {
  const granted = new Set(
    Object.values(systemRoles).flatMap(({ permissions }) => permissions as readonly string[]),
  );
  const problems = Object.entries(table).flatMap(([operationId, { permission }]) => [
    ...(Object.hasOwn(kept, operationId) ? [] : [`${operationId} has no function`]),
    ...(permission ? [] : [`${operationId} names no permission`]),
    ...(!permission || ['public', 'oneself'].includes(permission) || granted.has(permission)
      ? []
      : [`${operationId} needs the permission ${permission}, which no role grants`]),
  ]);
  if (problems.length > 0) throw new Error(`The server does not keep its contract: ${problems.join('; ')}.`);
}
