import { Refusal } from '../errors.ts';

/** What somebody may do in a queue. */
export type Capability = 'view' | 'add' | 'repair' | 'edit' | 'process' | 'report';

/** Why somebody may do it. */
export type Standing = 'OWNER' | 'MEMBER' | 'PARTICIPANT' | 'CONSUMER' | 'DEVICE' | 'QUEUE_ADMIN';

/** Who may do what in a queue. Whoever has no standing does not see the queue at all. */
const capabilitiesByStanding: Record<Standing, readonly Capability[]> = {
  OWNER: ['view', 'add', 'repair', 'edit'],
  MEMBER: ['view', 'add', 'repair'],
  PARTICIPANT: ['view', 'add'],
  CONSUMER: ['view', 'process', 'report'],
  // Whose device was sent the items that a call names keeps, reads and reports them, and needs to know nothing else of the queue.
  DEVICE: ['report'],
  QUEUE_ADMIN: ['view', 'add', 'repair', 'edit', 'process', 'report'],
};

/** What the standings of a user allow together. */
export function capabilitiesOf(standings: readonly Standing[]): Set<Capability> {
  return new Set(standings.flatMap((standing) => capabilitiesByStanding[standing]));
}

/** What a user may be in a queue. */
export type MemberRole = 'OWNER' | 'MEMBER' | 'PARTICIPANT';

/**
 * The role of a user after a request. Without a wish, whoever has a role keeps it and others become MEMBER.
 * @param hasOtherOwner whether somebody else owns the queue.
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
    'This user is the last owner of the queue and cannot be made anything else. Make another user OWNER first.',
  );
}
