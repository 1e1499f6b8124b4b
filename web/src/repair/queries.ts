import type { Id, Schemas } from '@millrace/api';
import { call } from '../connection/client.ts';
import { query, read } from '../connection/query.ts';
import { requestFor, type Request } from '../connection/request.ts';
import { carryOut } from '../dialogs/queries.ts';
import type { Compiled } from '../filters/compile.ts';

export type Cluster = Schemas['FailureCluster'];
export type Correction = Schemas['Correction'];
export type CorrectionOutcome = Schemas['CorrectionOutcome'];

export const clustersQuery = () => query('listFailureClusters', { query: { limit: 200 } });

/** Items in doubt, of one queue or of all. */
export const doubtsQuery = (queueId?: Id) =>
  query('listDoubts', { query: queueId === undefined ? {} : { queueId } });

/** Loads the data of the repair desk. */
export async function loadRepair(): Promise<void> {
  await Promise.all([read(clustersQuery()), read(doubtsQuery())]);
}

/** Loads the data of the page of items in doubt. */
export async function loadDoubts(): Promise<void> {
  await read(doubtsQuery());
}

/** The items of a cluster. */
export function filterOf({ signature, failureKind }: Pick<Cluster, 'signature' | 'failureKind'>): Compiled {
  const is = (field: string, value: string): Compiled => ({ operator: 'eq', field, value });
  return {
    operator: 'and',
    operands: [is('status', 'FAILED'), is('failureKind', failureKind), is('errorSignature', signature)],
  };
}

/** Tries corrections, and changes nothing. */
export function tryCorrections(id: Id, rows: Correction[]): Promise<CorrectionOutcome> {
  return call('updateWorkItems', { path: { id }, body: { rows, restart: true, dryRun: true } });
}

/** The request that corrects rows and has them tried again. */
export function sendBackRequest(id: Id, rows: Correction[], reason: string): Request {
  const why = reason === '' ? {} : { reason };
  return requestFor('updateWorkItems', { path: { id }, body: { rows, restart: true, ...why } });
}

export async function sendBack(request: Request): Promise<CorrectionOutcome> {
  const [outcome] = await carryOut([request]);
  return outcome as CorrectionOutcome;
}

/** The note on a cause in a queue, as one has seen it; its time stands for a version. */
export interface SeenNote extends Pick<Cluster, 'signature' | 'failureKind'> {
  readonly queueId: Id;
  readonly note: string;
  readonly updatedOn: string | null;
  readonly version: number;
}

export function noteIn(
  { signature, failureKind, notes }: Pick<Cluster, 'signature' | 'failureKind' | 'notes'>,
  queueId: Id,
): SeenNote {
  const { note = '', updatedOn = null } = notes.find((one) => one.queueId === queueId) ?? {};
  const version = updatedOn === null ? 0 : Date.parse(updatedOn);
  return { signature, failureKind, queueId, note, updatedOn, version };
}

/** The note as the server has stored it; nothing where it was taken away. */
export function noteAsStored(seen: SeenNote, answer: unknown): SeenNote {
  const stored = answer as Schemas['FailureNote'];
  return noteIn({ ...seen, notes: stored.note === '' ? [] : [stored] }, seen.queueId);
}

/** The request that notes what is known about a cause in a queue: refused where others have noted something meanwhile. */
export function noteRequest({ queueId, signature, failureKind, updatedOn }: SeenNote, note: string): Request {
  return requestFor('noteFailureCluster', {
    path: { id: queueId },
    body: { signature, failureKind, note, updatedOn },
  });
}

/** Reads the notes of a queue as they are now. */
export function notesRequest({ queueId }: SeenNote): Request {
  return requestFor('listFailureClusters', { query: { queueId, limit: 1000 } });
}

/** The same note among those that were read; undefined where the cause is no longer among them. */
export function noteNow(answer: unknown, seen: SeenNote): SeenNote | undefined {
  const { list } = answer as Schemas['FailureClusters'];
  const found = list.find((one) => one.signature === seen.signature && one.failureKind === seen.failureKind);
  return found && noteIn(found, seen.queueId);
}
