import { Refusal } from '../../engine/errors.ts';

/** Nobody changes users who may do more than they: a manager of users could take the place of an administrator. */
export function refuseAbove(
  permitted: ReadonlySet<string>,
  permissions: readonly string[],
  username: string,
): void {
  const beyond = permissions.filter((permission) => !permitted.has(permission));
  if (beyond.length === 0) return;
  throw new Refusal(
    'FORBIDDEN',
    `The user ${username} may do more than you: ${beyond.join(', ')}. Ask somebody who may do all of it.`,
  );
}

/** A queue by its name. */
interface NamedQueue {
  readonly id: number | bigint;
  readonly name: string;
}

/** Refuses to delete a user while queues would have no owner. @throws Refusal IN_USE that names the queues */
export function refuseOwner(queues: readonly NamedQueue[]): void {
  if (queues.length === 0) return;
  const details = queues.map(({ id, name }) => ({
    queueId: id,
    message: `is the last owner of the queue ${name}`,
  }));
  const names = queues.slice(0, 5).map(({ name }) => name);
  const more = queues.length > 5 ? ` and ${queues.length - 5} more` : '';
  throw new Refusal(
    'IN_USE',
    `This user is the last owner of ${names.join(', ')}${more}. Make somebody else OWNER there first, or disable the user.`,
    { details },
  );
}
