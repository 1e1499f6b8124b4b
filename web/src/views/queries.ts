import type { Id, Schemas } from '@millrace/api';
import { query } from '../connection/query.ts';
import { requestFor, type Request } from '../connection/request.ts';
import type { Shown } from './rules.ts';

export type View = Schemas['View'];

const most = 1000;

/** The views of the items of a queue, the user's own and shared ones. */
export function viewsQuery(queueId: Id) {
  const filter = { operator: 'eq', field: 'queueId', value: String(queueId) };
  const body = { filter, sort: [{ field: 'name' }], page: { length: most } };
  return query('listViews', { body });
}

export function creation(queueId: Id, name: string, shared: boolean, shown: Shown): Request {
  const { query: written, sort, columns } = shown;
  const what = { query: written, sort, columns: [...columns] };
  return requestFor('createView', { body: { name, page: 'ITEMS', queueId, shared, ...what } });
}

/** A change of a view as seen: refused when somebody else has changed it meanwhile. */
export function changeOf(
  { id, version }: View,
  change: Partial<Pick<View, 'name' | 'shared' | 'query' | 'columns' | 'sort'>>,
): Request {
  return requestFor('updateView', { path: { id }, body: { version, ...change } });
}

/** A view as it is now. */
export function viewRequest({ id }: View): Request {
  return requestFor('getView', { path: { id } });
}

export function removalOf({ id }: View): Request {
  return requestFor('deleteView', { path: { id } });
}
