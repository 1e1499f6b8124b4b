import { Refusal } from '../../engine/errors.ts';
import type { Capability } from '../../engine/operation.ts';

/** The ground on which a user may act in a queue. */
export type Membership =
  'OWNER' | 'MEMBER' | 'PARTICIPANT' | 'CONSUMER' | 'DEVICE' | 'AUDITOR' | 'QUEUE_ADMIN';

/** The capabilities that each membership gives in a queue. A user without one does not see the queue at all. */
const capabilitiesByMembership: Record<Membership, readonly Capability[]> = {
  OWNER: ['view', 'add', 'repair', 'edit'],
  MEMBER: ['view', 'add', 'repair'],
  PARTICIPANT: ['view', 'add'],
  CONSUMER: ['view', 'process', 'report'],
  // A user whose device was sent the items of a call extends their leases, reads and reports them, and needs no other part of the queue.
  DEVICE: ['report'],
  AUDITOR: ['view'],
  QUEUE_ADMIN: ['view', 'add', 'repair', 'edit', 'process', 'report'],
};

/** The capabilities that a user's memberships give together. */
export function capabilitiesOf(memberships: readonly Membership[]): Set<Capability> {
  return new Set(memberships.flatMap((membership) => capabilitiesByMembership[membership]));
}

/** The memberships that permissions give in every queue of the tenant. */
export function membershipsBy(permissions: ReadonlySet<string>): ('AUDITOR' | 'QUEUE_ADMIN')[] {
  const isAdmin = permissions.has('manageAllQueues');
  return [
    ...(permissions.has('viewAllQueues') ? ['AUDITOR' as const] : []),
    ...(isAdmin ? ['QUEUE_ADMIN' as const] : []),
  ];
}

/** The role of a user in a queue. */
export type MemberRole = 'OWNER' | 'MEMBER' | 'PARTICIPANT';

/** The refusal to take a user off a queue that would have no owner then. */
export function decideRemoval(role: MemberRole, hasOtherOwner: boolean): Refusal | undefined {
  if (role !== 'OWNER' || hasOtherOwner) return undefined;
  return new Refusal(
    'STATUS_CONFLICT',
    'This user is the last owner of the queue who is not disabled, and stays it. Make another user OWNER first.',
  );
}

/**
 * The role of a user after a request. Without a wanted role, a user keeps the present one, or else becomes MEMBER.
 * @param hasOtherOwner whether somebody else, who is not disabled, owns the queue
 */
export function decideRole(
  current: MemberRole | undefined,
  wanted: MemberRole | undefined,
  hasOtherOwner: boolean,
): MemberRole | Refusal {
  const role = wanted ?? current ?? 'MEMBER';
  if (current !== 'OWNER' || role === 'OWNER' || hasOtherOwner) return role;
  return new Refusal(
    'STATUS_CONFLICT',
    'This user is the last owner of the queue who is not disabled, and cannot be made anything else. Make another user OWNER first.',
  );
}
