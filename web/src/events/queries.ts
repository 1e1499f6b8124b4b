import type { Id } from '@millrace/api';
import { session } from '../connection/client.ts';
import { query, read } from '../connection/query.ts';
import { queuesQuery } from '../queues/queries.ts';
import type { Event, Named } from './rules.ts';

const most = 1000;

function mayUse(permission: string): boolean {
  const now = session.get();
  return now.state !== 'none' && now.user.permissions.some(({ name }) => name === permission);
}

export function mayExportAudit(): boolean {
  return mayUse('viewEvents');
}

/** Names for filters: those of users for who may see them. */
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

/** The event at a cursor, which a link carries: the next behind its own place. */
export function eventQuery(cursor: string) {
  const [tx = '', id = ''] = cursor.split('-');
  return query('listEvents', { query: { after: `${tx}-${String(BigInt(id) - 1n)}`, limit: 1 } });
}

/** Earlier events of the same thing, which may tell what was before. */
export function earlierQuery({ cursor, queueId, itemId, deviceId, operation }: Event) {
  const same =
    itemId === undefined
      ? {
          ...(queueId === undefined ? { ...(deviceId !== undefined && { deviceId }) } : { queueId }),
          operation: related(operation),
        }
      : { queueId: queueId ?? 0, itemId };
  return query('listEvents', { query: { before: cursor, limit: 50, ...same } });
}

/** What else sets the members that an operation changes: the same one, and what made the thing. */
function related(operation: string): string {
  const created = operation.replace(/^[a-z]+(?=[A-Z])/, 'create');
  return [...new Set([operation, created])].join(',');
}
