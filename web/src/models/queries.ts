import { toId, type Id, type Schemas } from '@millrace/api';
import type { Params } from '../connection/lazily.ts';
import { query, read } from '../connection/query.ts';
import { requestFor, type Request } from '../connection/request.ts';
import { carryOut, tryOut } from '../dialogs/queries.ts';
import { modelQuery, queuesQuery } from '../queues/queries.ts';
import type { Draft } from './rules.ts';

const most = 1000;

export function modelsQuery() {
  return query('listWorkItemModels', { body: { sort: [{ field: 'name' }], page: { length: most } } });
}

/** Those that no new queue can use. */
export function archivedQuery() {
  const filter = { operator: 'eq', field: 'archived', value: true };
  return query('listWorkItemModels', {
    body: { filter, sort: [{ field: 'name' }], page: { length: most } },
  });
}

/** The queues that use a model, archived ones too: what changes it acts on them, and they keep it from being deleted. */
export function usingQuery(id: Id) {
  const is = (field: string, value: unknown) => ({ operator: 'eq', field, value });
  const whether = { operator: 'or', operands: [is('archived', false), is('archived', true)] };
  const filter = { operator: 'and', operands: [is('workItemModelId', String(id)), whether] };
  const body = { filter, sort: [{ field: 'name' }], page: { length: 20 } };
  return { ...query('listQueues', { body }), staleTime: 0 };
}

/** The model as it was in a former version. */
export function formerQuery(id: Id, modelVersion: number) {
  return query('getWorkItemModel', { path: { id }, query: { modelVersion } });
}

type Model = Schemas['WorkItemModel'];

/** Changes the attributes of a model as it was seen, or only tries the change. */
export function changeRequest(
  { id = 0, version = 0, attributes: stored = [] }: Model,
  drafts: readonly Draft[],
  dryRun: boolean,
): Request {
  const known = new Set(stored.map((one) => String(one.id)));
  const attributes = drafts.map(({ key: _, id: own, ...attribute }) => ({
    ...attribute,
    // An attribute that others removed while it was changed here is made anew: its id is gone for good.
    ...(own !== undefined && known.has(String(own)) && { id: own }),
    name: attribute.name.trim(),
  }));
  return requestFor('updateWorkItemModel', { path: { id }, body: { version, attributes, dryRun } });
}

/** The model as it is now. */
export function modelRequest({ id = 0 }: Model): Request {
  return requestFor('getWorkItemModel', { path: { id } });
}

/** Archives a model, or restores one that is archived. */
export function archiveRequest({ id = 0, archived }: Model): Request {
  return requestFor(archived ? 'restoreWorkItemModel' : 'archiveWorkItemModel', { path: { id } });
}

export function deleteRequest({ id = 0 }: Model): Request {
  return requestFor('deleteWorkItemModel', { path: { id } });
}

export async function changeModel(
  request: Request,
  dryRun: boolean,
): Promise<Schemas['WorkItemModelChange']> {
  const [outcome] = dryRun ? [await tryOut(request)] : await carryOut([request]);
  return outcome as Schemas['WorkItemModelChange'];
}

export function loadModels(): Promise<unknown> {
  return Promise.all([read(modelsQuery()), read(queuesQuery())]);
}

export async function loadModel(params: Params): Promise<void> {
  await Promise.all([read(modelQuery(toId(params['id'] ?? ''))), read(queuesQuery())]);
}
