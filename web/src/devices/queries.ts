import { toId, type Id, type Schemas } from '@millrace/api';
import { queryOptions } from '@tanstack/react-query';
import { call } from '../connection/client.ts';
import type { Params } from '../connection/lazily.ts';
import { query, read } from '../connection/query.ts';
import { requestFor, type Request } from '../connection/request.ts';
import { keysQuery, may, whoAmI } from '../people/queries.ts';
import { changesIn, type Draft } from './rules.ts';

export { useMay } from '../connection/may.ts';

export type Device = Schemas['Device'];
export type Running = Schemas['RunningItem'];

const most = 1000;
// Frequent enough to show a lost device within two seconds.
const refetchInterval = 1500;

export function devicesQuery() {
  const body = { sort: [{ field: 'hostName' }], page: { length: most } };
  return { ...query('listDevices', { body }), refetchInterval };
}

/** The work that runs on the devices, in the order in which it started. */
export function workQuery() {
  const body = { sort: [{ field: 'startedOn' }], page: { length: most } };
  return { ...query('listDeviceWork', { body }), refetchInterval };
}

export function poolsQuery() {
  return query('listPools', { body: { sort: [{ field: 'name' }], page: { length: most } } });
}

export function deviceQuery(id: Id) {
  return { ...query('getDevice', { path: { id } }), refetchInterval };
}

export function workOfQuery(id: Id) {
  const filter = { operator: 'eq' as const, field: 'deviceId', value: String(id) };
  return { ...query('listDeviceWork', { body: { filter, page: { length: most } } }), refetchInterval };
}

export function deviceWhyQuery(id: Id) {
  return { ...query('explainDevice', { path: { id } }), refetchInterval };
}

const shownEvents = 50;
// One answer scans ten thousand events, most of them of other devices.
const looksBack = 10;

/** The events of a device, the newest first, as far back as one look goes. */
export function deviceEventsQuery(id: Id) {
  const first = query('listEvents', { query: { deviceId: id, before: 'now', limit: shownEvents } });
  const queryFn = ({ signal }: { readonly signal: AbortSignal }) => readBack(id, signal);
  return { ...first, queryFn };
}

async function readBack(deviceId: Id, signal: AbortSignal): Promise<Schemas['EventPage']> {
  const ask = (before: string, limit: number) =>
    call('listEvents', { query: { deviceId, before, limit } }, { signal });
  let found = await ask('now', shownEvents);
  for (let looks = 1; looks < looksBack && found.isMore && found.list.length < shownEvents; looks += 1) {
    const older = await ask(found.cursor, shownEvents - found.list.length);
    found = { ...older, list: [...found.list, ...older.list] };
  }
  return found;
}

const day = 86_400_000;

/** The operations that end attempts on devices: by their reports, and by their silence. */
export const endingOperations = ['finishWorkItems', 'returnLapsedItems'] as const;

/** How attempts on devices ended in 24 hours: the newest of them, as far as one answer has them. */
export function outcomesQuery() {
  const operation = endingOperations.join(',');
  return queryOptions({
    queryKey: ['outcomes of devices'],
    queryFn: ({ signal }) => {
      const from = new Date(Date.now() - day).toISOString();
      return call('listEvents', { query: { operation, from, before: 'now', limit: most } }, { signal });
    },
    refetchInterval: 60_000,
  });
}

export async function loadDevices(): Promise<void> {
  await Promise.all([read(devicesQuery()), read(workQuery()), read(poolsQuery())]);
}

/** Loads what an account for runners has. */
export async function loadRunner(): Promise<void> {
  await Promise.all([loadDevices(), may('generateApiKey') && read(keysQuery(whoAmI().id))]);
}

export async function loadDevice(params: Params): Promise<void> {
  const id = toId(params['id'] ?? '');
  await Promise.all([
    read(deviceQuery(id)),
    read(workOfQuery(id)),
    read(deviceWhyQuery(id)),
    read(deviceEventsQuery(id)),
  ]);
}

export type Hold = 'drain' | 'quarantine' | 'resume';

/** The request that takes a device out of use, or back into it. */
export function holdRequest(action: Hold, id: Id, reason: string): Request {
  const path = { id };
  if (action === 'drain') return requestFor('drainDevice', { path, body: { reason } });
  if (action === 'quarantine') return requestFor('quarantineDevice', { path, body: { reason } });
  return requestFor('resumeDevice', { path, body: reason === '' ? {} : { reason } });
}

export function deviceRequest({ id }: Device): Request {
  return requestFor('getDevice', { path: { id } });
}

/** The request for what a draft changes in a device. */
export function changeRequest(device: Device, draft: Draft): Request {
  const { id, version } = device;
  return requestFor('updateDevice', { path: { id }, body: { version, ...changesIn(device, draft) } });
}

export function deleteRequest(id: Id): Request {
  return requestFor('deleteDevice', { path: { id } });
}
