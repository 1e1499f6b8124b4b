import type { Id, Schemas } from '@millrace/api';
import { call } from '../connection/client.ts';
import { query } from '../connection/query.ts';
import { requestFor, type Request } from '../connection/request.ts';
import type { Compiled } from '../filters/compile.ts';
import { readAnew } from '../live/effects.ts';
import type { BulkAction, BulkStep } from './bulk-rules.ts';
import { putRun, type Outcome, type Run } from './bulk-runs.ts';

/** Which items: those that were chosen, or all that a filter selects. */
export type Target = { readonly ids: readonly Id[] } | { readonly filter: Compiled };

/** Decides and counts what would be done, and changes nothing. */
export function tryBulk(
  id: Id,
  step: BulkStep,
  target: Target,
  signal: AbortSignal,
): Promise<Schemas['BulkOutcome']> {
  const body = { ...step, ...bodyOf(target), dryRun: true };
  return call('updateWorkItemStatus', { path: { id }, body }, { signal });
}

export interface Begun {
  readonly queue: { readonly id: Id; readonly name: string };
  readonly action: BulkAction;
  readonly step: BulkStep;
  readonly target: Target;
}

let last = 0;

/** Begins to do it, in as many calls as it takes. How far it is stands in the runs. */
export function beginBulk({ queue, action, step, target }: Begun): Run {
  const stopping = new AbortController();
  const outcome: Outcome = { selected: 0, changed: 0, unchanged: 0, refused: 0, refusals: [] };
  let run: Run = {
    key: ++last,
    queueId: queue.id,
    queueName: queue.name,
    action,
    outcome,
    state: 'running',
    stop: () => stopping.abort(),
  };
  const put = (next: Partial<Run>) => putRun((run = { ...run, ...next }));
  put({});
  void doAll({ id: queue.id, step, target }, stopping.signal, (sum) => put({ outcome: sum }))
    .then(() => put({ state: stopping.signal.aborted ? 'stopped' : 'done' }))
    .catch((error: Error) => put({ state: 'failed', problem: error.message }))
    .then(() => readAnew());
  return run;
}

async function doAll(
  { id, step, target }: { readonly id: Id; readonly step: BulkStep; readonly target: Target },
  signal: AbortSignal,
  onProgress: (outcome: Outcome) => void,
): Promise<void> {
  let sum: Outcome = { selected: 0, changed: 0, unchanged: 0, refused: 0, refusals: [] };
  let rest: Target | undefined = target;
  while (rest !== undefined && !signal.aborted) {
    const batch = sum.batchId === undefined ? {} : { batchId: sum.batchId };
    const body = { ...step, ...bodyOf(rest), ...batch };
    const one: Schemas['BulkOutcome'] = await call('updateWorkItemStatus', { path: { id }, body });
    sum = together(sum, one);
    onProgress(sum);
    rest = one.isMore && 'filter' in rest ? behind(target, one.lastId) : undefined;
  }
}

/** The whole request, as it is sent first. */
export function bulkRequest(id: Id, step: BulkStep, target: Target): Request {
  return requestFor('updateWorkItemStatus', { path: { id }, body: { ...step, ...bodyOf(target) } });
}

function bodyOf(target: Target) {
  return 'ids' in target ? { ids: [...target.ids] } : { filter: { ...target.filter } };
}

function behind(target: Target, lastId: Id | undefined): Target | undefined {
  if ('ids' in target || lastId === undefined) return undefined;
  const later: Compiled = { operator: 'gt', field: 'id', value: String(lastId) };
  return { filter: { operator: 'and', operands: [target.filter, later] } };
}

const mostRefusals = 1000;

function together(one: Outcome, other: Outcome): Outcome {
  const batchId = other.batchId ?? one.batchId;
  return {
    selected: one.selected + other.selected,
    changed: one.changed + other.changed,
    unchanged: one.unchanged + other.unchanged,
    refused: one.refused + other.refused,
    refusals: [...one.refusals, ...other.refusals].slice(0, mostRefusals),
    ...(batchId !== undefined && { batchId }),
  };
}

/** The items that a bulk action has changed, by what has become of them since. */
export function batchQuery(id: Id, batchId: Id) {
  return query('getBatch', { path: { id, batchId } });
}
