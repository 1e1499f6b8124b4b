import type { Id, Schemas } from '@millrace/api';
import { query } from '../connection/query.ts';

export type Automation = Schemas['Automation'];

const most = 1000;
// The work of devices has no events.
const refetchInterval = 5000;

/** The automations of a queue, as far as one may see them; the active one first. */
export function automationsOfQuery(queueId: Id) {
  const filter = { operator: 'eq' as const, field: 'queueId', value: String(queueId) };
  return query('listAutomations', { body: { filter, sort: [{ field: 'status' }], page: { length: 10 } } });
}

/** Where its items go, and which device would take the next. */
export function wayQuery(id: Id) {
  return { ...query('explainAutomation', { path: { id } }), refetchInterval };
}

/** The pools, for their names. */
export function poolsQuery() {
  return query('listPools', { body: { sort: [{ field: 'name' }], page: { length: most } } });
}
