import type { Id, Schemas } from '@millrace/api';
import { Refusal } from '../../engine/errors.ts';
import type { QueueStepsOperation } from '../../engine/operation.ts';
import type { Item } from '../item/rules.ts';
import { ascending, changeMany, trialIf, type Done } from './bulk.ts';

type Row = Schemas['CorrectedRow'];

export const updateWorkItems: QueueStepsOperation<'updateWorkItems'> = async (steps, { body }) => {
  const { rows, restart = false, dryRun = false, reason } = body;
  refuseRepeated(rows);
  const corrections = new Map(rows.map((row) => [row.id, row]));
  const action = {
    name: 'CORRECT',
    rows: corrections,
    isRestart: restart,
    ...(reason !== undefined && { reason }),
  } as const;
  const task = {
    action,
    ids: ascending([...corrections.keys()]),
    trial: trialIf(dryRun),
    batchId: body.batchId,
  };
  const outcomes = new Map<Id, Row>();
  const { sum, batchId } = await changeMany(steps, task, rows.length, (done) => {
    for (const row of rowsOf(done)) outcomes.set(row.id, row);
  });
  const list = rows.map(({ id }) => outcomes.get(id) ?? notReached(id));
  const { changed, selected, refused } = sum;
  const counts = { dryRun, changed, unchanged: selected - changed - refused, refused };
  return { ...counts, ...(batchId !== undefined && { batchId }), list };
};

/** @throws Refusal when an item occurs twice: choosing one of the rows would be a guess */
function refuseRepeated(rows: readonly Schemas['Correction'][]): void {
  const seen = new Set<Id>();
  for (const [index, { id }] of rows.entries()) {
    if (seen.has(id)) {
      const details = [{ index, field: 'rows', message: `names item ${id} again` }];
      throw new Refusal('INVALID_REQUEST', `Row ${index} names item ${id} again. Nothing was changed.`, {
        details,
      });
    }
    seen.add(id);
  }
}

function rowsOf({ found, decided, refusals }: Done): Row[] {
  const after = new Map(decided.map(({ move }) => [move.item.id, move.item]));
  const refused = [...refusals].map(([id, refusal]): Row => ({
    id,
    outcome: 'REFUSED',
    error: refusal.toJSON(),
  }));
  const others = found.filter(({ item }) => !refusals.has(item.id));
  return [...refused, ...others.map(({ item }) => rowOf(item, after.get(item.id)))];
}

function rowOf(before: Item, after: Item | undefined): Row {
  const { id, status, version } = after ?? before;
  return { id, outcome: after ? 'CHANGED' : 'UNCHANGED', status, version };
}

/** The outcome of a row that was not reached before the caller left. */
function notReached(id: Id): Row {
  const error = {
    code: 'UNAVAILABLE',
    message: `The call ended before item ${id} was looked at. Send it again.`,
  };
  return { id, outcome: 'REFUSED', error };
}
