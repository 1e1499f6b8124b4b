import { beforeAll, describe, expect, test } from 'vitest';
import { addItems, createInvoices, failItems } from './fixtures.ts';
import { tokenOfAdmin } from './frame.ts';
import { browserFile, expectAccessible, setStage } from './stage.ts';

describe.skipIf(browserFile === undefined)('What one may not do, in a browser', () => {
  const stage = setStage();
  let id = 0;
  let looker = '';
  beforeAll(async () => {
    const { app } = stage;
    id = await createInvoices(app, 'Guarded');
    await addItems(app, id, [{ number: 'A-1' }, { number: 'A-2' }]);
    await failItems(app, id, 1, 'The vendor is not known');
    looker = (await app.user('looker', ['AAE_Auditor'])).token;
  });

  test('is disabled in a list of items, and says who may', async () => {
    const page = await stage.open(`/console/queues/${id}`, { token: looker });
    await page
      .getByText('Only owners and members of the queue and queue admins may repair its items.')
      .waitFor();
    await page.getByText('You are AUDITOR there. Owners: admin.').first().waitFor();
    expect(await page.getByRole('button', { name: /^Change all/ }).isDisabled()).toBe(true);
    await page.keyboard.press('.');
    expect(await page.getByRole('menu').count()).toBe(0);
    await expectAccessible(page);
  });

  test('is disabled at the repair desk, notes too, and says who may', async () => {
    const page = await stage.open('/console/repair', { token: looker });
    await page
      .getByRole('link', { name: /vendor is not known/ })
      .first()
      .click();
    await page
      .getByText('Only owners and members of the queue and queue admins may note something.')
      .waitFor();
    await page.getByText('queue admins may repair its items.').waitFor();
    expect(await page.getByRole('button', { name: /^Restart/ }).isDisabled()).toBe(true);
    expect(await page.getByRole('button', { name: /^Send/ }).isDisabled()).toBe(true);
    await expectAccessible(page);
  });

  test('begins no upload, and says who may', async () => {
    const page = await stage.open(`/console/queues/${id}/upload`, { token: looker });
    await page.getByText('queue admins may put items in.').waitFor();
    expect(await page.getByRole('list', { name: 'Steps' }).count()).toBe(0);
    await expectAccessible(page);
  });

  test('is not found at the side, such as queues by an operator of the installation', async () => {
    const { token } = await stage.app.user('operator', ['AAE_Operator']);
    const page = await stage.open('/console/settings', { token });
    const pages = page.getByRole('navigation', { name: 'Pages' });
    await pages.getByRole('link', { name: 'Overview' }).waitFor();
    expect(await pages.getByRole('link', { name: 'Queues' }).count()).toBe(0);
    await pages.getByRole('button', { name: /^\d+ pages not shown$/ }).click();
    const dialog = page.getByRole('dialog', { name: 'Pages that you may not see' });
    await dialog.getByText('Queues: useQueues', { exact: true }).waitFor();
    await dialog.getByText('Users: viewUsers', { exact: true }).waitFor();
    expect(await dialog.getByText(/^Tenants/).count()).toBe(0);
    await expectAccessible(page);
    await dialog.getByRole('button', { name: 'Close' }).click();
    await dialog.waitFor({ state: 'detached' });
  });

  test('is told on a phone as well, and whoever may see all is told of none', async () => {
    const phone = { viewport: { width: 390, height: 844 } };
    const page = await stage.open('/console/settings', { token: looker, ...phone });
    await page.getByRole('button', { name: 'More' }).click();
    await page.getByRole('menuitem', { name: /pages? not shown$/ }).click();
    await page.getByRole('dialog').getByText('Tenants: manageInstallation', { exact: true }).waitFor();
    await expectAccessible(page);
    const whole = await stage.open('/console/settings', { token: await tokenOfAdmin(stage) });
    await whole.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Queues' }).waitFor();
    expect(await whole.getByText(/not shown$/).count()).toBe(0);
  });

  test('is disabled on calendars and models, and says who may', async () => {
    const hours = [{ day: 'MONDAY' as const, from: '08:00', to: '16:00' }];
    await stage.app.admin.createCalendar({ body: { name: 'Mondays', timeZone: 'UTC', hours } });
    const page = await stage.open('/console/calendars', { token: looker });
    await page.getByText('For who made it and queue admins').waitFor();
    await page.getByText('New calendars need the permission createQueues.').waitFor();
    expect(await page.getByRole('button', { name: 'Change Mondays' }).isDisabled()).toBe(true);
    await expectAccessible(page);
    await page.goto(`${stage.app.url}/console/workitemmodels`);
    await page.getByRole('link', { name: 'Model of Guarded' }).click();
    await page.getByText('For its maker and queue admins').first().waitFor();
    for (const name of ['Change', 'Archive', 'Delete'])
      expect(await page.getByRole('button', { name, exact: true }).isDisabled()).toBe(true);
    await expectAccessible(page);
  });

  test('a setting that is emptied is not saved as if it were', async () => {
    const page = await stage.open(`/console/queues/${id}/settings`, { token: await tokenOfAdmin(stage) });
    const review = page.getByRole('button', { name: 'Review the changes' });
    await page.getByLabel('Further tries').fill('');
    await page.getByText('A queue cannot be without these: fill in Further tries.').waitFor();
    expect(await review.isDisabled()).toBe(true);
    await expectAccessible(page);
    await page.getByLabel('Further tries').fill('7');
    await review.click();
    await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
    await page.getByText('Saved.').waitFor();
    expect((await stage.app.admin.getQueue({ path: { id } })).body.autoRetryLimit).toBe(7);
  });

  test('a new user has the roles that were chosen, and no other', async () => {
    const page = await stage.open('/console/users', { token: await tokenOfAdmin(stage) });
    // The list has come, so that the button stays where it is pressed.
    await page.getByRole('link', { name: 'looker' }).waitFor();
    await page.getByRole('button', { name: 'New user' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Without a role the user may do nothing.').waitFor();
    await dialog.getByLabel('User name').fill('ines');
    await dialog.getByRole('checkbox', { name: /^AAE_Auditor/ }).check();
    await dialog.getByLabel('User name').press('Enter');
    await page.getByRole('button', { name: 'I have kept it' }).click();
    const filter = { operator: 'eq', field: 'username', value: 'ines' };
    const [user] = (await stage.app.admin.listUsers({ body: { filter } })).body.list;
    expect(user?.roles.map(({ name }) => name)).toEqual(['AAE_Auditor']);
  });
});
