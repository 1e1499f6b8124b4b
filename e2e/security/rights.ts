import { operations, type Operation, type OperationId } from '@millrace/api';
import { inputOf } from '../../server/src/testing/inputs.ts';
import { itemsOf, post, refusal, send, type Attack, type Place } from './attack.ts';
import { callerAt } from './calls.ts';

const closed = (Object.entries(operations) as [OperationId, Operation][]).filter(
  ([, { permission }]) => permission !== 'public',
);

/** Each operation of the contract, without a token and by a user to whom nobody gave a role. */
const everyOperation = closed.flatMap(([operationId, { permission }]) => {
  const call = ({ app, nobody, queue }: Place, token?: string) =>
    callerAt(app.url, token ?? nobody.token)(operationId, inputOf(operationId, { known: { id: queue.id } }));
  const asNobody = refusal(`\`${operationId}\` by a user without a role`, [403, 404], async (place) => {
    const answer = await call(place);
    return { ...answer, headers: {} };
  });
  const without = refusal(`\`${operationId}\` without a token`, 401, async (place) => ({
    ...(await call(place, '')),
    headers: {},
  }));
  return permission === 'oneself' ? [without] : [without, asNobody];
});

const users = '/v2/usermanagement/users';
const put = (place: Place, path: string, body: object, token: string) =>
  send(place, ['PUT', path], {
    headers: { 'content-type': 'application/json', 'x-authorization': token },
    body: JSON.stringify(body),
  });
const roleOf = async ({ app }: Place, name: string) =>
  (await app.admin.listRoles()).body.list.find((role) => role.name === name)?.id;

/** A manager of users, with few other rights. */
async function manager(place: Place): Promise<string> {
  const permissions = ['viewUsers', 'manageUsers', 'generateApiKey', 'useQueues'];
  await place.app.admin.createRole({ body: { name: 'Managers', permissions } });
  made ??= place.app.user('manager of users', ['Managers']).then(({ token }) => token);
  return made;
}
let made: Promise<string> | undefined;

export const authorisation: Attack[] = [
  ...everyOperation,
  refusal('A manager of users gives themself the administrator’s role', 403, async (place) => {
    const token = await manager(place);
    const { id } = (await place.app.as(token).getMe()).body;
    return put(
      place,
      `${users}/${id}`,
      { version: 0, roles: [{ id: await roleOf(place, 'AAE_Admin') }] },
      token,
    );
  }),
  refusal('A manager of users makes a role that may do more', 403, async (place) =>
    post(
      place,
      '/v2/usermanagement/roles',
      { name: 'More', permissions: ['manageAllQueues'] },
      await manager(place),
    ),
  ),
  refusal('A manager of users resets the administrator’s password', 403, async (place) => {
    const call = callerAt(place.app.url, await manager(place));
    const { id } = (await place.app.admin.getMe()).body;
    return { ...(await call('resetUserPassword', { path: { id } })), headers: {} };
  }),
  refusal('A manager of users makes an API key for the administrator', 403, async (place) =>
    post(
      place,
      '/v2/usermanagement/apikeys',
      { userId: (await place.app.admin.getMe()).body.id },
      await manager(place),
    ),
  ),
  refusal('An administrator of a tenant becomes operator of the installation', 403, async (place) =>
    post(
      place,
      '/v2/usermanagement/roles',
      { name: 'Operators', permissions: ['manageInstallation'] },
      place.foreigner.token,
    ),
  ),
  refusal('A new user in another tenant, by a member that is not there', 400, (place) =>
    post(place, users, { username: 'x', tenantId: 1, roles: [] }, place.foreigner.token),
  ),
  refusal('An administrator of another tenant reads a queue by its id', 404, (place) =>
    post(place, `${itemsOf(place)}/list`, {}, place.foreigner.token),
  ),
  refusal('Somebody who belongs to no queue reads one by its id', 404, (place) =>
    post(place, `${itemsOf(place)}/list`, {}, place.basic.token),
  ),
  refusal('An owner claims items without being a consumer', 403, (place) =>
    post(place, `${itemsOf(place)}/claim`, {}),
  ),
  refusal('A consumer makes themself an owner', 403, (place) =>
    put(
      place,
      `/v4/wlm/queues/${place.queue.id}/members/${place.queue.consumer.id}`,
      { role: 'OWNER' },
      place.queue.consumer.token,
    ),
  ),
  refusal('A consumer adds items', 403, (place) =>
    post(place, itemsOf(place), { workItems: [{ json: { customer: 'x' } }] }, place.queue.consumer.token),
  ),
  refusal('A manager of users gives themself the role that processes a queue', 403, async (place) => {
    const token = await manager(place);
    const { id, version } = (await place.app.as(token).getMe()).body;
    const body = { name: 'Queue bots', permissions: ['useQueues'] } as const;
    const role = (await place.app.admin.createRole({ body: { ...body, permissions: [...body.permissions] } }))
      .body;
    await place.queue.owner.call.addQueueConsumer({ path: place.queue.path, body: { roleId: role.id } });
    return put(place, `${users}/${id}`, { version, roles: [{ id: role.id }] }, token);
  }),
  refusal('A manager of users makes an API key for an owner of a queue', 403, async (place) => {
    const { id } = await place.app.user('owner of a queue', ['AAE_Basic']);
    const role = (
      await place.app.admin.createRole({
        body: { name: 'Keys', permissions: ['generateApiKey', 'useQueues'] },
      })
    ).body;
    await place.app.admin.updateUser({ path: { id }, body: { version: 0, roles: [{ id: role.id }] } });
    const path = { ...place.queue.path, userId: id };
    await place.queue.owner.call.addOrUpdateQueueMember({ path, body: { role: 'OWNER' } });
    return post(place, '/v2/usermanagement/apikeys', { userId: id }, await manager(place));
  }),
];
