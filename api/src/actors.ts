/** The kinds of actors on record: programs that work on items, the server by itself, and all other users. */
export type ActorKind = 'USER' | 'RUNNER' | 'MILLRACE';

/** The operations of programs that take items, hold them and report on them, and of the agents of devices. */
export const runnerOperations: readonly string[] = [
  'claimWorkItems',
  'requestWork',
  'heartbeatWorkItems',
  'finishWorkItems',
  'lateReport',
  'registerDevice',
];

/**
 * The operation of version 4 by which the holder of an item takes it and reports on it; everybody else has to wait until nobody holds it.
 */
export const heldOperation = 'updateWorkItem';

/** Names on record besides operations: jobs of the server, and reports that came too late. */
export const recordedBesides: readonly string[] = [
  'returnLapsedItems',
  'promoteDueItems',
  'expireItems',
  'resumeQueues',
  'warnQueueLevel',
  'breakQueueLevel',
  'keepQueueLevel',
  'disconnectSilentDevices',
  'rekeyQueues',
  'completeBatch',
  'reopenBatch',
  'cutUploads',
  'lateReport',
  'addSealingKey',
  'restartFeed',
  'signErasures',
];

/** The part of an event that says who acted. */
interface Acted {
  readonly actorId: number | bigint;
  readonly operation: string;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

/** The kind of the actor: the record has the user, and programs that process items are recognised by what they do. */
export function actorKindOf({ actorId, operation, from, to }: Acted): ActorKind {
  if (Number(actorId) === 0) return 'MILLRACE';
  const isHeld = operation === heldOperation && (from === 'IN_PROGRESS' || to === 'IN_PROGRESS');
  return isHeld || runnerOperations.includes(operation) ? 'RUNNER' : 'USER';
}
