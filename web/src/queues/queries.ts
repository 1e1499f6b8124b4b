import { toId, type Id, type Schemas } from '@millrace/api';
import type { Params } from '../connection/lazily.ts';
import { query, read } from '../connection/query.ts';
import { requestFor, type Request } from '../connection/request.ts';
export { useMay } from '../connection/may.ts';

const most = 1000;

export function queuesQuery() {
  return query('listQueues', { body: { sort: [{ field: 'name' }], page: { length: most } } });
}

const is = (archived: boolean) => ({ operator: 'eq', field: 'archived', value: archived });

/** Those that are put aside. */
export function archivedQueuesQuery() {
  return query('listQueues', {
    body: { filter: is(true), sort: [{ field: 'name' }], page: { length: most } },
  });
}

/** The models that queues may have, archived ones too, for their names. */
export function modelNamesQuery() {
  const filter = { operator: 'or', operands: [is(false), is(true)] };
  return query('listWorkItemModels', { body: { filter, sort: [{ field: 'name' }], page: { length: most } } });
}

/** The figures of all queues in one call, without archived ones. */
export function figuresQuery() {
  return query('listQueueStats', { body: { sort: [{ field: 'name' }], page: { length: most } } });
}

export function devicesQuery() {
  return query('listDevices', { body: { sort: [{ field: 'hostName' }], page: { length: most } } });
}

export function queueQuery(id: Id) {
  return query('getQueue', { path: { id } });
}

export function statsQuery(id: Id) {
  return query('getQueueStats', { path: { id } });
}

/** The reasons why its items start or do not. */
export function whyQuery(id: Id) {
  return query('explainQueue', { path: { id } });
}

/** Two hours in spans of five minutes. @param until the end of a whole span, so that the same is asked for only once */
export function historyQuery(id: Id, until: number) {
  const from = new Date(until - 2 * 3_600_000).toISOString();
  return query('getQueueHistory', { path: { id }, query: { from, step: 300 } });
}

/** The request that pauses a queue, until somebody resumes it or the time has come. */
export function pauseRequest(id: Id, reason: string, until: string | null): Request {
  return requestFor('pauseQueue', { path: { id }, body: { reason, until } });
}

export function resumeRequest(id: Id, reason: string): Request {
  return requestFor('resumeQueue', { path: { id }, body: reason === '' ? {} : { reason } });
}

/** The request that archives a queue, or restores an archived one. */
export function archiveRequest({ id = 0, archived }: Schemas['Queue'], reason: string): Request {
  const input = { path: { id }, body: reason === '' ? {} : { reason } };
  return requestFor(archived ? 'restoreQueue' : 'archiveQueue', input);
}

/** The model, for the type of each display column. Users who may not see it do without. */
export function modelQuery(id: Id) {
  return query('getWorkItemModel', { path: { id } });
}

export function loadQueues(): Promise<unknown> {
  return read(queuesQuery());
}

/** Loads the data that every tab of a queue needs. */
export async function loadQueue(params: Params): Promise<void> {
  const id = toId(params['id'] ?? '');
  await Promise.all([read(queueQuery(id)), read(statsQuery(id)), read(whyQuery(id)), loadModel(id)]);
}

async function loadModel(id: Id): Promise<void> {
  const queue = await read(queueQuery(id));
  await read(modelQuery(queue.workItemModelId ?? 0)).catch(() => undefined);
}
