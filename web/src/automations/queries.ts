import type { Id, Schemas } from '@millrace/api';
import { query, read } from '../connection/query.ts';
import { requestFor, type Request } from '../connection/request.ts';
import { changesIn, settingsOf, type Draft } from './rules.ts';

export { useMay } from '../connection/may.ts';

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

export function createRequest(draft: Draft): Request {
  return requestFor('createAutomation', { body: settingsOf(draft) });
}

/** Changes what a draft says otherwise, at the version that it was made of. */
export function changeRequest(automation: Automation, draft: Draft): Request {
  const { id, version } = automation;
  return requestFor('updateAutomation', { path: { id }, body: { version, ...changesIn(automation, draft) } });
}

/** Has an automation send no more items, or send them again. */
export function switchRequest(
  { id, version }: Automation,
  action: 'pause' | 'resume',
  reason: string,
): Request {
  const status =
    action === 'pause' ? { status: 'PAUSED' as const, statusReason: reason } : { status: 'ACTIVE' as const };
  return requestFor('updateAutomation', { path: { id }, body: { version, ...status } });
}

export function deleteRequest({ id }: Automation): Request {
  return requestFor('deleteAutomation', { path: { id } });
}
