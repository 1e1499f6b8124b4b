import { mayHappen, type Id, type Schemas } from '@millrace/api';
import { Refusal } from '../errors.ts';
import { isHolder, tagsOf, type Item, type Move } from './rules.ts';

const defaultLeaseSeconds = 60;

/** A lease that is given or extended now: how long it is, and when it ends. */
export function leaseFrom(now: Date, leaseSeconds = defaultLeaseSeconds) {
  return { leaseSeconds, leaseExpiresOn: new Date(now.getTime() + leaseSeconds * 1000) };
}

/** What a heartbeat says, and who sent it. */
export type Beat = Schemas['Lease'] & { readonly actorId: Id };

/** The lease as a heartbeat leaves it; neither version nor time of change is touched: the item is as it was. */
export interface Extended {
  readonly item: Item;
  /** Whether it has passed the point of no return by this heartbeat. */
  readonly isPassing: boolean;
}

/** What a heartbeat does to the item: unless it says for how long, the lease is as long as it was. A cancelled item is kept, so that its holder hears of it and can report. */
export function decideHeartbeat(item: Item | undefined, beat: Beat, now: Date): Extended | Refusal {
  if (!item || !isHeld(item, beat)) return lost(beat.id);
  const isPassing = beat.pointOfNoReturn === true && mayHappen('pointOfNoReturn', item);
  const pointOfNoReturnOn = isPassing ? now : item.pointOfNoReturnOn;
  const { progress = item.progress, leaseSeconds = item.leaseSeconds } = beat;
  return { item: { ...item, ...leaseFrom(now, leaseSeconds), progress, pointOfNoReturnOn }, isPassing };
}

function lost(id: Id): Refusal {
  return new Refusal(
    'LEASE_LOST',
    `You do not hold item ${id} any more. Stop working on it; others may have it.`,
  );
}

/** What the holder is told of a request to cancel its item. */
export function cancellationOf(item: Item): Schemas['LeaseOutcome']['cancel'] {
  if (item.cancelRequestedOn === undefined) return undefined;
  const { canceller: by, cancelReason: reason } = item;
  return { ...(by !== undefined && { by }), ...(reason !== undefined && { reason }) };
}

/** What the holder is to know at once: that it has lost the item, or is to stop; nothing while the item simply goes on. */
export function interruptionOf(
  item: Item | undefined,
  { id, version, actorId }: Pick<Beat, 'id' | 'version' | 'actorId'>,
): Schemas['LeaseOutcome'] | undefined {
  if (!item || !isHeld(item, { version, actorId })) return { id, error: lost(id).toJSON() };
  const cancel = cancellationOf(item);
  return cancel && { id, cancel };
}

/** Whether the user holds the item by a claim that answered this version. */
function isHeld(item: Item, { version, actorId }: Pick<Beat, 'version' | 'actorId'>): boolean {
  return isHolder(item, actorId) && item.version === version;
}

/** What the holder wants to note of an item while the work goes on. */
export type Note = Pick<Item, 'progress' | 'comment' | 'output' | 'resultText' | 'tags'>;

/** What the holder's update does while the work goes on. */
export function decideProgress(item: Item, note: Note): Move {
  const said = {
    progress: note.progress ?? item.progress,
    comment: note.comment ?? item.comment,
    output: note.output ?? item.output,
    resultText: note.resultText ?? item.resultText,
    tags: note.tags ? tagsOf(note.tags) : item.tags,
  };
  return { transition: 'progress', item: { ...item, version: item.version + 1, ...said } };
}
