import { toId, type Id, type Schemas } from '@millrace/api';
import type { Params } from '../connection/lazily.ts';
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

export function automationQuery(id: Id) {
  return { ...query('getAutomation', { path: { id } }), refetchInterval };
}

/** The queues and pools of automations, for their names, and the devices, to count the suitable ones. */
export function queuesQuery() {
  return query('listQueues', { body: { sort: [{ field: 'name' }], page: { length: most } } });
}

export function poolsQuery() {
  return query('listPools', { body: { sort: [{ field: 'name' }], page: { length: most } } });
}

export function devicesQuery() {
  return query('listDevices', { body: { sort: [{ field: 'hostName' }], page: { length: most } } });
}

/** The device that would take the next item; asked for anew each time. */
export function tryQuery(id: Id) {
  return { ...query('explainAutomation', { path: { id } }), staleTime: 0 };
}

export function loadAutomations(): Promise<unknown> {
  const all = [read(automationsQuery()), read(queuesQuery()), read(poolsQuery()), read(devicesQuery())];
  return Promise.all(all as Promise<unknown>[]);
}

export async function loadAutomation(params: Params): Promise<void> {
  await Promise.all([
    read(automationQuery(toId(params['id'] ?? ''))),
    read(queuesQuery()),
    read(poolsQuery()),
    read(devicesQuery()),
  ]);
}

export function createRequest(draft: Draft): Request {
  return requestFor('createAutomation', { body: settingsOf(draft) });
}

/** The request for what a draft changes, at the version that the draft was made from. */
export function changeRequest(automation: Automation, draft: Draft): Request {
  const { id, version } = automation;
  return requestFor('updateAutomation', { path: { id }, body: { version, ...changesIn(automation, draft) } });
}

/** The automation as it is now. */
export function automationRequest({ id }: Automation): Request {
  return requestFor('getAutomation', { path: { id } });
}

/** Pauses or resumes an automation: a paused one sends no items. */
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
