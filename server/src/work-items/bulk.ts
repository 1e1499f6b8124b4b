import type { Id, Schemas } from '@millrace/api';
import { Refusal } from '../errors.ts';
import type { QueueStepsOperation } from '../operation.ts';
import { doPortion, type Cursor, type Task } from './bulk-portion.ts';
import { readAction } from './bulk-request.rules.ts';

const shownRefusals = 1000;

type Count = Pick<Schemas['BulkOutcome'], 'selected' | 'changed' | 'refused' | 'refusals'>;

/** @param mostItems when a call has dealt with so many items, it answers where to go on. */
export const updateUpTo =
  (mostItems: number): QueueStepsOperation<'updateWorkItemStatus'> =>
  async ({ transact, signal }, { body }) => {
    const { dryRun = false, filter, ids } = body;
    const trial = dryRun ? new Map<string, Id | undefined>() : undefined;
    const task: Task = { action: readAction(body), ids: ids && ascending(ids), filter, trial };
    let sum: Count = { selected: 0, changed: 0, refused: 0, refusals: [] };
    let cursor: Cursor | undefined = { after: 0 };
    while (cursor && sum.selected < mostItems && !signal.aborted) {
      const here: Cursor = cursor;
      const done = await transact((context) => doPortion(context, task, here)).catch(afterSome(sum));
      sum = withPortion(sum, done);
      cursor = done.next;
    }
    const { selected, changed, refused, refusals } = sum;
    const counts = { dryRun, selected, changed, unchanged: selected - changed - refused, refused, refusals };
    return { ...counts, isMore: cursor !== undefined, ...(cursor && { lastId: cursor.after }) };
  };

export const updateWorkItemStatus = updateUpTo(100_000);

/** The ids in their order, each once: in that order items are locked. */
function ascending(ids: readonly Id[]): Id[] {
  return [...new Set(ids)].toSorted((one, other) => (one < other ? -1 : 1));
}

function withPortion(
  { selected, changed, refused, refusals }: Count,
  portion: { selected: number; changed: number; refusals: ReadonlyMap<Id, Refusal> },
): Count {
  const more = [...portion.refusals].slice(0, shownRefusals - refusals.length);
  return {
    selected: selected + portion.selected,
    changed: changed + portion.changed,
    refused: refused + portion.refusals.size,
    refusals: [...refusals, ...more.map(([id, { code, message }]) => ({ id, code, message }))],
  };
}

/** What refuses the whole call when some portions are done, such as a right that the caller has lost meanwhile. */
function afterSome({ changed }: Count): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof Refusal) || changed === 0) throw error;
    throw new Refusal(error.code, `${error.message} Before that, ${changed} items were changed.`);
  };
}
