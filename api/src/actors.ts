/** What kinds of actors are on record: who works on items, the server by itself, and all other users. */
export type ActorKind = 'USER' | 'RUNNER' | 'MILLRACE';

/** What only who takes items, holds them and reports on them does, and the agents of devices. */
export const runnerOperations: readonly string[] = [
  'claimWorkItems',
  'requestWork',
  'heartbeatWorkItems',
  'finishWorkItems',
  'lateReport',
  'registerDevice',
];

/** By this operation of version 4 the holder of an item takes it and reports on it; everybody else has to wait until nobody holds it. */
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

/** Who acted: the record has the user, and tells programs that process items from others by what they do. */
export function actorKindOf({ actorId, operation, from, to }: Acted): ActorKind {
  if (Number(actorId) === 0) return 'MILLRACE';
  const isHeld = operation === heldOperation && (from === 'IN_PROGRESS' || to === 'IN_PROGRESS');
  return isHeld || runnerOperations.includes(operation) ? 'RUNNER' : 'USER';
}
