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

/** The request that notes what is known about a cause in a queue. */
export function noteRequest(
  id: Id,
  { signature, failureKind }: Pick<Cluster, 'signature' | 'failureKind'>,
  note: string,
): Request {
  return requestFor('noteFailureCluster', { path: { id }, body: { signature, failureKind, note } });
}
