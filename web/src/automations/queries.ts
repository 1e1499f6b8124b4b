import type { Id, Schemas } from '@millrace/api';
import { query, read } from '../connection/query.ts';

export type Automation = Schemas['Automation'];

const most = 1000;
const refetchInterval = 5000;

export function automationsQuery() {
  const body = { sort: [{ field: 'name' }], page: { length: most } };
  return { ...query('listAutomations', { body }), refetchInterval };
}

/** The names of the queues and pools that automations are between, and the devices, to count those that suit. */
export function queuesQuery() {
  return query('listQueues', { body: { sort: [{ field: 'name' }], page: { length: most } } });
}

export function poolsQuery() {
  return query('listPools', { body: { sort: [{ field: 'name' }], page: { length: most } } });
}

export function devicesQuery() {
  return query('listDevices', { body: { sort: [{ field: 'hostName' }], page: { length: most } } });
}

/** Which device would take the next item; asked anew each time. */
export function tryQuery(id: Id) {
  return { ...query('explainAutomation', { path: { id } }), staleTime: 0 };
}

export function loadAutomations(): Promise<unknown> {
  const all = [read(automationsQuery()), read(queuesQuery()), read(poolsQuery()), read(devicesQuery())];
  return Promise.all(all as Promise<unknown>[]);
}
