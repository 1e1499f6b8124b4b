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

/** Items in doubt, of one queue where one is given. */
export const doubtsQuery = (queueId?: Id) =>
  query('listDoubts', { query: queueId === undefined ? {} : { queueId } });

/** What the repair desk needs. */
export async function loadRepair(): Promise<void> {
  await Promise.all([read(clustersQuery()), read(doubtsQuery())]);
}

/** What the items in doubt need. */
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

/** Decides what would become of corrections, and changes nothing. */
export function tryCorrections(id: Id, rows: Correction[]): Promise<CorrectionOutcome> {
  return call('updateWorkItems', { path: { id }, body: { rows, restart: true, dryRun: true } });
}

/** Corrects the rows and has them tried again. */
export function sendBackRequest(id: Id, rows: Correction[], reason: string): Request {
  const why = reason === '' ? {} : { reason };
  return requestFor('updateWorkItems', { path: { id }, body: { rows, restart: true, ...why } });
}

export async function sendBack(request: Request): Promise<CorrectionOutcome> {
  const [outcome] = await carryOut([request]);
  return outcome as CorrectionOutcome;
}

/** Notes of a cause in a queue what is known about it. */
export function noteRequest(
  id: Id,
  { signature, failureKind }: Pick<Cluster, 'signature' | 'failureKind'>,
  note: string,
): Request {
  return requestFor('noteFailureCluster', { path: { id }, body: { signature, failureKind, note } });
}
