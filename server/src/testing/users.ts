import type { App, TestUser } from './app.ts';
import { addTenant } from './tenant.ts';

interface UserPeople {
  readonly basic: TestUser;
  /** May manage users and their keys, and otherwise only what runners may do. */
  readonly manager: TestUser;
  /** The administrator of another tenant. */
  readonly foreigner: TestUser;
}

/** People with different rights over users and their keys. */
export async function createUserPeople(app: App): Promise<UserPeople> {
  const basic = await app.user('basic');
  await app.admin.createRole({
    body: {
      name: 'User manager',
      permissions: ['useQueues', 'runDevice', 'viewUsers', 'manageUsers', 'generateApiKey'],
    },
  });
  const manager = await app.user('manager', ['User manager']);
  return { basic, manager, foreigner: await addTenant(app, 'second') };
}
