import type { Schemas } from '@millrace/api';
import { query, read } from '../connection/query.ts';
import { requestFor, type Request } from '../connection/request.ts';
import { changesIn, settingsOf, type Draft } from './rules.ts';

export { useMay } from '../connection/may.ts';

export type Pool = Schemas['Pool'];

const most = 1000;

export function poolsQuery() {
  return query('listPools', { body: { sort: [{ field: 'name' }], page: { length: most } } });
}

export function automationsQuery() {
  return query('listAutomations', { body: { sort: [{ field: 'name' }], page: { length: most } } });
}

/** The devices that can be put into a pool. */
export function devicesQuery() {
  return query('listDevices', { body: { sort: [{ field: 'hostName' }], page: { length: most } } });
}

/** The figures of the queues, for their recently finished items. */
export function statsQuery() {
  return { ...query('listQueueStats', { body: { page: { length: most } } }), refetchInterval: 5000 };
}

export function loadPools(): Promise<unknown> {
  return Promise.all([
    read(poolsQuery()),
    read(automationsQuery()),
    read(statsQuery()),
    read(devicesQuery()),
  ]);
}

export function createRequest(draft: Draft): Request {
  return requestFor('createPool', { body: settingsOf(draft) });
}

/** The request for what a draft changes, at the version that the draft was made from. */
export function changeRequest(pool: Pool, draft: Draft): Request {
  const { id, version } = pool;
  return requestFor('updatePool', { path: { id }, body: { version, ...changesIn(pool, draft) } });
}

/** The pool as it is now. */
export function poolRequest({ id }: Pool): Request {
  return requestFor('getPool', { path: { id } });
}

export function deleteRequest({ id }: Pool): Request {
  return requestFor('deletePool', { path: { id } });
}
