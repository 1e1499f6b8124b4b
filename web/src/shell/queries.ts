import type { Id } from '@millrace/api';
import { query } from '../connection/query.ts';

/** How many items of all queues wait for a person to say whether they were done. */
export function doubtsCountQuery() {
  return query('listDoubts', { query: { limit: 1 } });
}

/** Queues that somebody has pinned, as far as they may see them. */
export function pinnedQuery(ids: readonly Id[]) {
  const operands = ids.map((id) => ({ operator: 'eq', field: 'id', value: String(id) }));
  return query('listQueues', {
    body: { filter: { operator: 'or', operands }, sort: [{ field: 'name' }] },
  });
}
