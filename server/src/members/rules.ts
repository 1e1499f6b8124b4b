/** What somebody may do in a queue. */
export type Capability = 'view' | 'add' | 'repair' | 'edit' | 'process';

/** Why somebody may do it. */
export type Standing = 'OWNER' | 'MEMBER' | 'PARTICIPANT' | 'CONSUMER' | 'QUEUE_ADMIN';

/** Who may do what in a queue. Whoever has no standing does not see the queue at all. */
export const capabilitiesByStanding: Record<Standing, readonly Capability[]> = {
  OWNER: ['view', 'add', 'repair', 'edit'],
  MEMBER: ['view', 'add', 'repair'],
  PARTICIPANT: ['view', 'add'],
  CONSUMER: ['view', 'process'],
  QUEUE_ADMIN: ['view', 'add', 'repair', 'edit', 'process'],
};

/** What the standings of a user allow together. */
export function capabilitiesOf(standings: readonly Standing[]): Set<Capability> {
  return new Set(standings.flatMap((standing) => capabilitiesByStanding[standing]));
}
