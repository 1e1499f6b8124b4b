import { toId, type Id, type Schemas } from '@millrace/api';
import type { Params } from '../connection/lazily.ts';
export { useMay } from '../connection/may.ts';
import { query, read } from '../connection/query.ts';
import { requestFor, type Request } from '../connection/request.ts';

// Time passes without events.
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

/** The service levels, those broken and at risk first. */
export function levelsQuery() {
  const sort = [
    { field: 'urgency', direction: 'desc' },
    { field: 'queueName', direction: 'asc' },
  ];
  return { ...query('listQueueLevels', { body: { sort, page: { length: most } } }), refetchInterval };
}

/** The savings of all queues together. */
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

type Level = Schemas['QueueLevel'];

/** Sets the service level of a queue at the version that its form was made from; undefined removes it. */
export function levelRequest(
  { queueId, version }: Level,
  level: Omit<Schemas['NewQueueLevel'], 'version'> | undefined,
): Request {
  const path = { id: queueId };
  return level
    ? requestFor('setQueueLevel', { path, body: { version, ...level } })
    : requestFor('removeQueueLevel', { path, query: { version } });
}

/** The service level as it is now. */
export function levelNow({ queueId }: Level): Request {
  return requestFor('getQueueLevel', { path: { id: queueId } });
}

type Settings = Pick<Schemas['Calendar'], 'name' | 'timeZone' | 'hours' | 'holidays'>;

/** Changes a calendar at the version that its form was made from, or makes a new one. */
export function calendarRequest(stored: Schemas['Calendar'] | undefined, settings: Settings): Request {
  if (!stored) return requestFor('createCalendar', { body: settings });
  const { id, version } = stored;
  return requestFor('updateCalendar', { path: { id }, body: { version, ...settings } });
}

/** The calendar as it is now. */
export function calendarNow({ id = 0 }: Partial<Schemas['Calendar']>): Request {
  return requestFor('getCalendar', { path: { id } });
}

export function deleteRequest({ id }: Schemas['Calendar']): Request {
  return requestFor('deleteCalendar', { path: { id } });
}
