import { query, read } from '../connection/query.ts';

const most = 1000;

export function poolsQuery() {
  return query('listPools', { body: { sort: [{ field: 'name' }], page: { length: most } } });
}

export function automationsQuery() {
  return query('listAutomations', { body: { sort: [{ field: 'name' }], page: { length: most } } });
}

/** What was finished in the queues lately. */
export function statsQuery() {
  return { ...query('listQueueStats', { body: { page: { length: most } } }), refetchInterval: 5000 };
}

export function loadPools(): Promise<unknown> {
  return Promise.all([read(poolsQuery()), read(automationsQuery()), read(statsQuery())]);
}
