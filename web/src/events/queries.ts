import type { Id } from '@millrace/api';
import { call, session } from '../connection/client.ts';
import { query, read } from '../connection/query.ts';
import { queuesQuery } from '../queues/queries.ts';
import { isOfSame, relatedTo, toldBy, type Event, type EventQuery, type Named } from './rules.ts';

const most = 1000;

function mayUse(permission: string): boolean {
  const now = session.get();
  return now.state !== 'none' && now.user.permissions.some(({ name }) => name === permission);
}

export function mayExportAudit(): boolean {
  return mayUse('viewEvents');
}

/** The names for filters; those of users where the user may see them. */
export function usersQuery() {
  const body = { sort: [{ field: 'username' }], page: { length: most } };
  return { ...query('listUsers', { body }), enabled: mayUse('viewUsers') };
}

export function devicesQuery() {
  const body = { sort: [{ field: 'hostName' }], page: { length: most } };
  return query('listDevices', { body });
}

export async function loadNames(): Promise<void> {
  await Promise.all([
    read(queuesQuery()),
    read(devicesQuery()),
    mayUse('viewUsers') ? read(usersQuery()) : undefined,
  ]);
}

export function namesOf(list: readonly { id?: Id; name?: string }[]): readonly Named[] {
  return list.flatMap(({ id, name }) => (id === undefined || name === undefined ? [] : [{ id, name }]));
}

// Time goes on though nothing happens; what happens has it asked for sooner.
const countsInterval = 60_000;

/** How many events match, over the time of the query, or the last day. */
export function countsQuery(wanted: EventQuery) {
  return { ...query('countEvents', { query: wanted }), refetchInterval: countsInterval };
}

/** The event at a cursor, as in a link: the first event after the place just before it. */
export function eventQuery(cursor: string) {
  const [tx = '', id = ''] = cursor.split('-');
  return query('listEvents', { query: { after: `${tx}-${String(BigInt(id) - 1n)}`, limit: 1 } });
}

// A seldom changed thing may have its last change far back; nobody wants to wait for more than this.
const looksBack = 10;

/** Earlier events of the same thing, the newest first, back until all former values are known, or as far as one look goes. */
export function earlierQuery(event: Event) {
  return {
    queryKey: ['listEvents', { before: event.cursor, of: 'same' }] as const,
    queryFn: ({ signal }: { readonly signal: AbortSignal }) => readEarlier(event, signal),
  };
}

async function readEarlier(event: Event, signal: AbortSignal): Promise<readonly Event[]> {
  const found: Event[] = [];
  let before = event.cursor;
  for (let looks = 0; looks < looksBack; looks += 1) {
    const asked = { query: { before, limit: 200, ...ofSame(event) } };
    const { list, cursor, isMore } = await call('listEvents', asked, { signal });
    found.push(...list.filter((one) => isOfSame(event, one)));
    if (!isMore || toldBy(event, found).every(({ before: was }) => was !== undefined)) break;
    before = cursor;
  }
  return found;
}

/** The parameters by which the server narrows events down to the same thing; the rest is decided by the events. */
function ofSame({ queueId, itemId, deviceId, operation }: Event) {
  if (itemId !== undefined) return { queueId: queueId ?? 0, itemId };
  const where = queueId === undefined ? { ...(deviceId !== undefined && { deviceId }) } : { queueId };
  return { ...where, operation: relatedTo(operation).join(',') };
}
