import { operations, type Client, type Operation, type OperationId } from '@millrace/api';
import type { Member } from './contract.ts';
import { UsageError } from './errors.ts';

type Values = Readonly<Record<string, unknown>>;

const timeoutSeconds = 60;

/** Whether a member is the version of the thing that an operation changes, which a command reads when it is not given. */
export function isKnownVersion({ name, place, isRequired }: Member): boolean {
  return name === 'version' && place === 'body' && isRequired;
}

/** The flag of a version: nobody has to give it. */
export function optionalVersion(operationId: OperationId, member: Member): Member {
  const inProgress =
    operationId === 'updateWorkItem'
      ? '. For an item in progress it is needed, as the claim answered it'
      : '';
  const description =
    'Change only this version, so that nothing is overwritten that changed since you read it; the current one unless given' +
    inProgress;
  return { ...member, description, isRequired: false };
}

/**
 * The version of the thing that a path names.
 * @throws UsageError for an update of an item in progress: there the version of the claim proves who holds it
 */
export async function currentVersion(
  client: Client,
  operationId: OperationId,
  path: Values,
): Promise<unknown> {
  const read = readerOf(operationId);
  const { version, status } = (await client.call(read, { path }, { timeoutSeconds })) as Values;
  if (operationId === 'updateWorkItem' && status === 'IN_PROGRESS')
    throw new UsageError(
      `Item ${String(path['workItemId'])} is in progress. Its holder gives --version as the claim answered it; others ` +
        'can stop it with `millrace item cancel`.',
    );
  return version;
}

/** The operation that reads the thing which another one changes: its path is the longest beginning of the other's. */
function readerOf(operationId: OperationId): OperationId {
  const { path } = operations[operationId];
  const readers = Object.entries<Operation>(operations).filter(
    ([, one]) => one.method === 'GET' && one.path.endsWith('}') && `${path}/`.startsWith(`${one.path}/`),
  );
  const [nearest] = readers.toSorted(([, one], [, other]) => other.path.length - one.path.length);
  if (nearest === undefined) throw new TypeError(`nothing reads what ${operationId} changes`);
  return nearest[0] as OperationId;
}
