import type { App, TestUser } from './app.ts';
import { addTenant } from './tenant.ts';

interface UserPeople {
  readonly basic: TestUser;
  /** May manage users and their keys, and beyond that only what runners may. */
  readonly manager: TestUser;
  /** The administrator of another tenant. */
  readonly foreigner: TestUser;
}

/** People who have to do with users and their keys, in different ways. */
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
