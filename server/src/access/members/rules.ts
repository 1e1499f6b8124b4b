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
