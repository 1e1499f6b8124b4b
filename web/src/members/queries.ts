import { toId, type Id, type Schemas } from '@millrace/api';
import type { Params } from '../connection/lazily.ts';
import { query, read } from '../connection/query.ts';
import { requestFor, type Request } from '../connection/request.ts';

export const roles = ['OWNER', 'MEMBER', 'PARTICIPANT'] as const;
export type Role = (typeof roles)[number];
export type Member = Schemas['QueueMember'];

const page = { length: 1000 };

export function membersQuery(id: Id) {
  return query('listQueueMembers', { path: { id }, body: { sort: [{ field: 'username' }], page } });
}

export function consumersQuery(id: Id) {
  return query('listQueueConsumers', { path: { id }, body: { page } });
}

/** All users, where they may be seen. */
export function usersQuery() {
  return { ...query('listUsers', { body: { sort: [{ field: 'username' }], page } }), retry: false };
}

export function rolesQuery() {
  return { ...query('listRoles', { body: { sort: [{ field: 'name' }], page } }), retry: false };
}

/** Has a user belong to a queue, or belong to it otherwise. */
export function memberRequest(id: Id, userId: Id, role: Role): Request {
  return requestFor('addOrUpdateQueueMember', { path: { id, userId }, body: { role } });
}

export function removeMemberRequest(id: Id, userId: Id): Request {
  return requestFor('removeQueueMember', { path: { id, userId } });
}

/** Lets the users of a role work on the items of a queue. */
export function consumerRequest(id: Id, roleId: Id): Request {
  return requestFor('addQueueConsumer', { path: { id }, body: { roleId } });
}

export function removeConsumerRequest(id: Id, roleId: Id): Request {
  return requestFor('removeQueueConsumer', { path: { id, roleId } });
}

export async function loadMembers(params: Params): Promise<void> {
  const id = toId(params['id'] ?? '');
  await Promise.all([read(membersQuery(id)), read(consumersQuery(id))]);
}
