import { Refusal } from '../../engine/errors.ts';

/** A caller cannot change users with more permissions: a manager of users could take the place of an administrator. */
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

/** A queue that a user owns. */
export interface OwnedQueue {
  readonly id: number | bigint;
  readonly name: string;
  /** Whether the caller may know of it. */
  readonly isSeen: boolean;
}

/** Refuses to delete a user who is the only owner of queues. @throws Refusal IN_USE that names the queues which the caller sees */
export function refuseOwner(queues: readonly OwnedQueue[]): void {
  if (queues.length === 0) return;
  const seen = queues.filter(({ isSeen }) => isSeen);
  const details = seen.map(({ id, name }) => ({
    queueId: id,
    message: `is the last owner of the queue ${name}`,
  }));
  const names = seen.slice(0, 5).map(({ name }) => name);
  const others = queues.length - names.length;
  const more = others > 0 ? ` and ${others} more` : '';
  const unseen = others === 1 ? 'a queue that you do not see' : `${others} queues that you do not see`;
  throw new Refusal(
    'IN_USE',
    `This user is the last owner of ${names.length > 0 ? names.join(', ') + more : unseen}. Make somebody else OWNER there first, who is not disabled, or disable the user.`,
    { details },
  );
}
