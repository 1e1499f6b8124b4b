import { ApiError, ConnectionError, type Id, type Schemas } from '@millrace/api';
import { answered, call, session } from '../connection/client.ts';
import { query } from '../connection/query.ts';
import { requestFor, type Request } from '../connection/request.ts';
import type { Compiled } from '../filters/compile.ts';
import { readAnew } from '../live/effects.ts';
import type { BulkAction, BulkStep } from './bulk-rules.ts';
import { putRun, type Outcome, type Run } from './bulk-runs.ts';

/** The items: chosen ones, or all that a filter selects. */
export type Target = { readonly ids: readonly Id[] } | { readonly filter: Compiled };

/** Tries an action and counts its effect, and changes nothing. */
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

const nothing: Outcome = { selected: 0, changed: 0, unchanged: 0, refused: 0, refusals: [] };

/** The rest of a run, and its outcome as far as the server has told it. */
interface Course {
  readonly begun: Begun;
  /** The newest batch of the queue before the run began: the run's own is a later one. */
  readonly newest: Id;
  sum: Outcome;
  rest: Target | undefined;
}

/** Begins an action, in as many calls as it takes. Its progress is in `runs`. */
export function beginBulk(begun: Begun): Run {
  const { queue, action, target } = begun;
  const stopping = new AbortController();
  let run: Run = {
    key: ++last,
    queueId: queue.id,
    queueName: queue.name,
    action,
    outcome: nothing,
    state: 'running',
    stop: () => stopping.abort(),
  };
  const put = (next: Partial<Run>) => putRun((run = { ...run, ...next }));
  put({});
  void newestBatch(queue.id)
    .then((newest) => goOn({ begun, newest, sum: nothing, rest: target }, stopping.signal, put))
    .catch((error: Error) => put({ state: 'failed', problem: error.message }));
  return run;
}

type Put = (next: Partial<Run>) => void;

/** Does the rest of a run. When the server falls silent, it waits for an answer, finds out what was done, and can go on. */
async function goOn(course: Course, signal: AbortSignal, put: Put): Promise<void> {
  put({ state: 'running', problem: undefined, goOn: undefined });
  try {
    await doRest(course, signal, (sum) => put({ outcome: sum }));
    put({ state: signal.aborted ? 'stopped' : 'done' });
  } catch (error) {
    if (!isSilence(error)) return put({ state: 'failed', problem: (error as Error).message });
    put({ state: 'unsure' });
    await findOut(course);
    put({ state: 'cut', outcome: course.sum, goOn: () => void goOn(course, signal, put) });
  } finally {
    void readAnew();
  }
}

/** Whether the outcome of a call is unknown. */
function isSilence(error: unknown): boolean {
  return error instanceof ConnectionError || (error instanceof ApiError && error.status === 503);
}

async function doRest(
  course: Course,
  signal: AbortSignal,
  onProgress: (outcome: Outcome) => void,
): Promise<void> {
  const { queue, step, target } = course.begun;
  while (course.rest !== undefined && !isEmpty(course.rest) && !signal.aborted) {
    const { batchId } = course.sum;
    const body = { ...step, ...bodyOf(course.rest), ...(batchId !== undefined && { batchId }) };
    const one: Schemas['BulkOutcome'] = await call('updateWorkItemStatus', { path: { id: queue.id }, body });
    course.sum = together(course.sum, one);
    course.rest = one.isMore && 'filter' in course.rest ? behind(target, one.lastId) : undefined;
    onProgress(course.sum);
  }
}

const isEmpty = (target: Target) => 'ids' in target && target.ids.length === 0;

/** Finds out what an unanswered call has done: items are taken in the order of their ids, and belong to one batch. */
async function findOut(course: Course): Promise<void> {
  for (;;) {
    await answered();
    try {
      return await lookAfter(course);
    } catch (error) {
      // The server may fall silent again.
      if (!isSilence(error)) return;
    }
  }
}

async function lookAfter(course: Course): Promise<void> {
  const { queue, target } = course.begun;
  const batchId = course.sum.batchId ?? (await ownBatch(course));
  if (batchId === undefined) return;
  const changed = Number((await call('getBatch', { path: { id: queue.id, batchId } })).received ?? 0);
  const lastId = await lastOf(queue.id, batchId);
  const selected = course.sum.selected + changed - course.sum.changed;
  course.sum = { ...course.sum, batchId, changed, selected };
  course.rest = behind(target, lastId) ?? course.rest;
}

async function newestBatch(id: Id): Promise<Id> {
  const { list } = await call('listBatches', { path: { id } });
  return list[0]?.id ?? 0;
}

/** The batch that a run has created. */
async function ownBatch({ begun, newest }: Course): Promise<Id | undefined> {
  const now = session.get();
  const { list } = await call('listBatches', { path: { id: begun.queue.id } });
  return list.find(
    ({ id, source, createdBy }) =>
      source === 'BULK' && id > newest && now.state !== 'none' && createdBy === now.user.id,
  )?.id;
}

/** The last item of a batch. */
async function lastOf(id: Id, batchId: Id): Promise<Id | undefined> {
  const filter = { operator: 'eq', field: 'batchId', value: String(batchId) };
  const sort = [{ field: 'id', direction: 'desc' }];
  const body = { filter, sort, fields: ['id'], page: { length: 1, total: false } };
  return (await call('listWorkItems', { path: { id }, body })).list[0]?.id;
}

/** The whole request, as it is sent first. */
export function bulkRequest(id: Id, step: BulkStep, target: Target): Request {
  return requestFor('updateWorkItemStatus', { path: { id }, body: { ...step, ...bodyOf(target) } });
}

function bodyOf(target: Target) {
  return 'ids' in target ? { ids: [...target.ids] } : { filter: { ...target.filter } };
}

/** The items of a target after a certain one; undefined where that one is unknown. */
function behind(target: Target, lastId: Id | undefined): Target | undefined {
  if (lastId === undefined) return undefined;
  if ('ids' in target) return { ids: target.ids.filter((id) => id > lastId) };
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

/** The changed items of a bulk action, by what has become of them since. */
export function batchQuery(id: Id, batchId: Id) {
  return query('getBatch', { path: { id, batchId } });
}
