import { toId, type Id, type Schemas } from '@millrace/api';
import { call } from '../connection/client.ts';
import type { Params } from '../connection/lazily.ts';
import { query, read } from '../connection/query.ts';
import { requestFor, type Request } from '../connection/request.ts';
import { readAnew } from '../live/effects.ts';

// Time goes on without events.
const refetchInterval = 15_000;
const most = 1000;

export function forecastQuery(id: Id) {
  return { ...query('getQueueForecast', { path: { id } }), refetchInterval };
}

export function levelQuery(id: Id) {
  return query('getQueueLevel', { path: { id } });
}

export function savingsQuery(id: Id) {
  return query('getQueueSavings', { path: { id }, query: {} });
}

export function queueQuery(id: Id) {
  return query('getQueue', { path: { id } });
}

/** The promises, those that are broken and at risk first. */
export function levelsQuery() {
  const sort = [
    { field: 'urgency', direction: 'desc' },
    { field: 'queueName', direction: 'asc' },
  ];
  return { ...query('listQueueLevels', { body: { sort, page: { length: most } } }), refetchInterval };
}

/** What all queues saved together. */
export function savedQuery() {
  return { ...query('listQueueSavings', { body: { page: { length: 1 } } }), refetchInterval: 300_000 };
}

export function calendarsQuery() {
  return query('listCalendars', { body: { sort: [{ field: 'name' }], page: { length: most } } });
}

export async function loadLevel(params: Params): Promise<void> {
  const id = toId(params['id'] ?? '');
  await Promise.all([
    read(forecastQuery(id)),
    read(levelQuery(id)),
    read(savingsQuery(id)),
    read(queueQuery(id)),
    read(calendarsQuery()),
  ]);
}

export function loadCalendars(): Promise<unknown> {
  return read(calendarsQuery());
}

/** Promises something of a queue, or nothing any more. */
export async function saveLevel(id: Id, level: Schemas['NewQueueLevel'] | undefined): Promise<void> {
  if (level) await call('setQueueLevel', { path: { id }, body: level });
  else await call('removeQueueLevel', { path: { id } });
  await readAnew();
}

type Settings = Pick<Schemas['Calendar'], 'name' | 'timeZone' | 'hours' | 'holidays'>;

/** Changes a calendar at the version that its form was made of, or makes a new one. */
export async function saveCalendar(
  stored: Schemas['Calendar'] | undefined,
  settings: Settings,
): Promise<void> {
  if (!stored) await call('createCalendar', { body: settings });
  else
    await call('updateCalendar', { path: { id: stored.id }, body: { version: stored.version, ...settings } });
  await readAnew();
}

export function deleteRequest({ id }: Schemas['Calendar']): Request {
  return requestFor('deleteCalendar', { path: { id } });
}
